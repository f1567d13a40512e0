import { expect, it, vi } from 'vitest';
import { Turns, type Worker } from '../../src/milter/turns.ts';

it('lets each have a portion in turn, and whatever else has arrived in between', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  let elsewhere = 0;
  const worker = (name: string, portions: number): Worker => {
    const self: Worker = {
      proceed: () => {
        seen.push(name);
        // Longer than a stretch, so that every portion ends one.
        const until = performance.now() + 3;
        while (performance.now() < until);
        if (--portions > 0) turns.ask(self);
      },
    };
    return self;
  };
  const count = (): void => {
    elsewhere++;
    if (seen.length < 6) setImmediate(count);
  };
  turns.ask(worker('a', 3));
  turns.ask(worker('b', 2));
  turns.ask(worker('c', 1));
  setImmediate(count);
  await vi.waitFor(() => {
    expect(seen).toEqual(['a', 'b', 'c', 'a', 'b', 'a']);
  });
  expect(elsewhere).toBeGreaterThanOrEqual(5);
});

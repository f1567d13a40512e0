import { describe, expect, it } from 'vitest';
import { oneAtATime } from '../../src/service/reload.ts';

describe('oneAtATime', () => {
  it('runs once more for all who ask meanwhile', async () => {
    let running = 0;
    let runs = 0;
    const run = oneAtATime(async () => {
      expect(++running).toBe(1);
      runs++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    });
    await Promise.all([run(), run(), run(), run()]);
    expect(runs).toBe(2);
    await run();
    expect(runs).toBe(3);
  });

  it('goes on after a failure', async () => {
    let runs = 0;
    const run = oneAtATime(() => (++runs === 1 ? Promise.reject(new Error('boom')) : Promise.resolve()));
    const [first, second] = await Promise.allSettled([run(), run()]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
    expect(runs).toBe(2);
  });
});

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Answer, RecordType } from '../../src/core/resolver.ts';
import { Asker, askedBy } from '../../src/dns/asker.ts';
import { Overload } from '../../src/service/overload.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => {
  clock.restore();
});

function overload(): {
  made: Overload;
  lines: string[];
  lose: (network: string, detail?: string) => Promise<void>;
} {
  const lines: string[] = [];
  const made = new Overload({
    now: () => performance.now(),
    tell: (questions, networks) => lines.push(`${questions}/${networks}`),
  });
  return {
    made,
    lines,
    lose: async (network, detail = 'overload') => {
      const lookup = <T extends RecordType>(): Promise<Answer<T>> =>
        Promise.resolve({ status: 'temperror', detail });
      await askedBy(made.watch({ lookup }), new Asker(network)).lookup('a.org', 'A');
    },
  };
}

it('is told once it has gathered, then every ten seconds while it goes on', async () => {
  const { lines, lose } = overload();
  for (let i = 0; i < 300; i++) {
    await lose(`n${i % 3}`);
    await clock.pass(100);
  }
  expect(lines).toEqual(['10/3', '100/3', '100/3']);
  await clock.pass(60_000);
  expect(lines).toHaveLength(4);
});

it('is on for ten seconds after somebody lost questions by no fault of their own', async () => {
  const { made, lines, lose } = overload();
  for (let i = 0; i < 5; i++) await lose(`n${i}`, 'share');
  expect(made.on).toBe(false);
  await clock.pass(1_000);
  expect(lines).toEqual(['5/5']);
  await lose('b');
  expect(made.on).toBe(true);
  await clock.pass(9_999);
  expect(made.on).toBe(true);
  await clock.pass(1);
  expect(made.on).toBe(false);
});

it.each(['dropped', 'timeout'])('%s is none', async (detail) => {
  const { made, lines, lose } = overload();
  await lose('a', detail);
  await lose('b', detail);
  await clock.pass(20_000);
  expect([made.on, lines]).toEqual([false, []]);
});

it('tells the rest when it is closed', async () => {
  const { made, lines, lose } = overload();
  await lose('a');
  made.close();
  expect(lines).toEqual(['1/1']);
});

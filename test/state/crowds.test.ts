/** Who gives up a place first, found at once and by looking at all of them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Crowds } from '../../src/state/crowds.ts';

interface Entry {
  readonly block: string;
  readonly site: string;
  readonly network: string;
  readonly rank: number;
}

const BLOCKS = ['a', 'b', 'c'] as const;
const someEntry = fc
  .tuple(fc.constantFrom(...BLOCKS), fc.nat(2), fc.nat(1), fc.nat(9))
  .map(([block, site, network, rank]): Entry => {
    const name = `${block}.${site}`;
    return { block, site: name, network: `${name}.${network}`, rank };
  });

/** Whether it may give up a place first: nobody else is in a larger crowd, or behind it in the same one. */
function isFirst(entry: Entry, all: readonly Entry[]): boolean {
  let rivals = all;
  for (const kind of ['block', 'site', 'network'] as const) {
    const sizes = new Map<string, number>();
    for (const each of rivals) sizes.set(each[kind], (sizes.get(each[kind]) ?? 0) + 1);
    const most = Math.max(...sizes.values());
    if (sizes.get(entry[kind]) !== most) return false;
    // Where no block has two, all are rivals of each other.
    if (kind === 'block' && most === 1) break;
    rivals = rivals.filter((each) => each[kind] === entry[kind]);
  }
  return rivals.every(({ rank }) => rank >= entry.rank);
}

/** Of these it is one that may be, if there is any. */
function expectFirst(victim: Entry | null, all: readonly Entry[]): void {
  if (victim === null) expect(all).toEqual([]);
  else expect([all.includes(victim), isFirst(victim, all)]).toEqual([true, true]);
}

it('is of the largest block, in that of the largest site and network, and behind the others', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(someEntry, fc.nat(20)), { maxLength: 40 }), (steps) => {
      const crowds = new Crowds<Entry>((one, other) => one.rank < other.rank);
      const all: Entry[] = [];
      for (const step of steps) {
        if (typeof step === 'object') {
          all.push(step);
          crowds.add(step);
        } else {
          for (const gone of all.splice(step, 1)) crowds.delete(gone);
        }
        expectFirst(crowds.victim(), all);
        for (const block of BLOCKS) {
          const own = all.filter((each) => each.block === block);
          expect(crowds.sizeOf(block)).toBe(own.length);
          expectFirst(crowds.victimOf(block), own);
        }
      }
      crowds.clear();
      expect(crowds.victim()).toBeNull();
    }),
  );
});

it('keeps nothing of a block whose entries have all gone', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const crowds = new Crowds<Entry>(() => false);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 50_000; i++) {
    const entry = { block: `b${i}`, site: `s${i}`, network: `n${i}`, rank: 0 };
    crowds.add(entry);
    crowds.delete(entry);
  }
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
  expect(crowds.victim()).toBeNull();
});

import { describe, expect, it } from 'vitest';
import { type Holder, Holdings, ORDINARY } from '../../src/milter/holdings.ts';

const MAX = 100_000;

function setup(): {
  readonly holdings: Holdings;
  readonly gone: string[];
  readonly add: (name: string) => Holder;
  readonly pass: (ms: number) => void;
} {
  let now = 0;
  const holders = new Set<Holder>();
  const gone: string[] = [];
  const holdings = new Holdings(MAX, holders, () => now);
  return {
    holdings,
    gone,
    add: (name) => {
      const holder: Holder = {
        held: 0,
        swollenAt: null,
        turnAway: () => {
          holders.delete(holder);
          gone.push(name);
        },
      };
      holders.add(holder);
      return holder;
    },
    pass: (ms) => (now += ms),
  };
}

describe('what all connections keep', () => {
  it('is added up, and given back', () => {
    const { holdings, add, gone } = setup();
    const [a, b] = [add('a'), add('b')];
    holdings.note(a, 60_000);
    holdings.note(b, 40_000);
    holdings.note(a, 100);
    expect(holdings.total).toBe(40_100);
    holdings.forget(b);
    expect([holdings.total, gone]).toEqual([100, []]);
  });

  it('is never more than the bound, whoever fills it: the one that kept the most for the longest goes', () => {
    const { holdings, add, gone, pass } = setup();
    const hoarders = Array.from({ length: 9 }, (_, i) => add(`hoarder ${i}`));
    for (const [i, hoarder] of hoarders.entries()) holdings.note(hoarder, 10_000 + i);
    pass(1000);
    // Half a packet of an honest peer, larger than what any other keeps.
    const honest = add('honest');
    holdings.note(honest, 65_000);
    expect(gone).toEqual(['hoarder 8', 'hoarder 7', 'hoarder 6', 'hoarder 5', 'hoarder 4', 'hoarder 3']);
    expect(holdings.total).toBeLessThanOrEqual(MAX);
    holdings.note(honest, 200);
    pass(3_600_000);
    // A peer that has been there for long, with an ordinary amount.
    const late = add('late');
    holdings.note(late, 99_000);
    expect(gone).not.toContain('honest');
    expect(gone).not.toContain('late');
  });

  it('where all keep what is ordinary, it is the one that came last', () => {
    const { holdings, add, gone } = setup();
    for (let i = 0; i < 30; i++) holdings.note(add(`${i}`), ORDINARY);
    expect(holdings.total).toBeLessThanOrEqual(MAX);
    expect(gone).toEqual(['24', '25', '26', '27', '28', '29']);
  });

  it('a single one that is too large goes itself', () => {
    const { holdings, add, gone } = setup();
    holdings.note(add('small'), 10);
    holdings.note(add('large'), MAX);
    expect([gone, holdings.total]).toEqual([['large'], 10]);
  });
});

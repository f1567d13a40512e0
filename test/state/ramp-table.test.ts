import { expect, it } from 'vitest';
import type { BudgetKey } from '../../src/state/budget-key.ts';
import { RampTable } from '../../src/state/ramp-table.ts';

const HOUR = 3_600_000;
const RAMP = { count: 3, ageMs: 2 * HOUR };
const by = (organisation: string | null, network = '192.0.2.0/24', name = 'a.org'): BudgetKey => ({
  name,
  organisation,
  network,
  site: network,
  block: network,
});
const HOST = by('a.org');

function table(): { told: (hours: number, more?: Partial<Parameters<RampTable['isWithin']>[0]>) => boolean } {
  let now = 0;
  const made = new RampTable(() => now);
  return {
    told: (hours, more = {}) => {
      now = hours * HOUR;
      return made.isWithin({ sender: HOST, finding: 'iprev-none', ramp: RAMP, watched: false, ...more });
    },
  };
}

it('takes the memory that docs/policy.md says', () => {
  expect(Math.ceil(RampTable.bytes / 1e6)).toBe(6);
});

it.each<[string, number[], boolean[]]>([
  ['number and age together', [0, 1, 1.5, 1.9, 2, 2.1], [true, true, true, true, false, false]],
  ['the age alone is not enough', [0, 10, 20, 30], [true, true, true, false]],
  ['once over, over', [0, 1, 2, 3, 24, 24 * 13], [true, true, true, false, false, false]],
  [
    'who stays away for two weeks begins anew',
    [0, 1, 2, 3, 24 * 15, 24 * 15.5],
    [true, true, true, false, true, true],
  ],
])('%s', (_, hours, wanted) => {
  const { told } = table();
  expect(hours.map((each) => told(each))).toEqual(wanted);
});

it.each([
  ['another finding', { finding: 'iprev-fail' }],
  ['another organisation', { sender: by('b.org') }],
  ['another name', { sender: by('a.org', '192.0.2.0/24', 'b.org') }],
  ['what we only watch', { watched: true }],
])('%s is counted for itself', (_, other) => {
  const { told } = table();
  for (let hours = 0; hours < 4; hours++) told(hours);
  expect([told(4), told(4, other)]).toEqual([false, true]);
});

it('is that of a pool, whichever network it comes from', () => {
  const { told } = table();
  const from = (i: number): { sender: BudgetKey } => ({ sender: by('a.org', `198.51.${i}.0/24`) });
  expect([0, 1, 2, 3].map((i) => told(i, from(i)))).toEqual([true, true, true, false]);
});

it('is not forgotten for what another network does', () => {
  const { told } = table();
  for (let hours = 0; hours < 4; hours++) told(hours);
  for (let i = 0; i < 20_000; i++) told(4, { sender: by(`x${i}.org`, '203.0.113.0/24', `x${i}.org`) });
  expect(told(5)).toBe(false);
});

import { expect, it } from 'vitest';
import { parseIp } from '../src/core/ip.ts';
import { TempfailBudget } from '../src/tempfail-budget.ts';

const HOUR = 3_600_000;

function budget(): { spend: (ip: string | null, helo: string) => boolean; clock: { now: number } } {
  const clock = { now: 0 };
  const made = new TempfailBudget(
    () => ({ count: 3, ageMs: 4 * HOUR }),
    () => clock.now,
  );
  return { clock, spend: (ip, helo) => made.spend(ip === null ? null : parseIp(ip), helo) };
}

it('is spent by number and age together', () => {
  const { spend, clock } = budget();
  expect([1, 2, 3, 4, 5].map(() => spend('192.0.2.1', 'a.org'))).toEqual([true, true, true, true, true]);
  clock.now = 4 * HOUR;
  expect(spend('192.0.2.1', 'A.ORG')).toBe(false);
  expect(spend('192.0.2.1', 'a.org')).toBe(false);
});

it('is not spent by age alone', () => {
  const { spend, clock } = budget();
  spend('192.0.2.1', 'a.org');
  clock.now = 10 * HOUR;
  expect(spend('192.0.2.1', 'a.org')).toBe(true);
});

it.each([
  ['192.0.2.99', 'a.org', false],
  ['192.0.3.1', 'a.org', true],
  ['192.0.2.1', 'b.org', true],
  [null, 'a.org', true],
])('of 192.0.2.1 and a.org is that of %s and %s: %s left', (ip, helo, left) => {
  const { spend, clock } = budget();
  for (let i = 0; i < 3; i++) spend('192.0.2.1', 'a.org');
  clock.now = 5 * HOUR;
  expect(spend(ip, helo)).toBe(left);
});

it('survives the turn of a generation, and is forgotten after two', () => {
  const { spend, clock } = budget();
  for (let i = 0; i < 3; i++) spend('192.0.2.1', 'a.org');
  clock.now = 25 * HOUR;
  expect(spend('192.0.2.1', 'a.org')).toBe(false);
  clock.now = 50 * HOUR;
  spend('192.0.2.1', 'other.org');
  clock.now = 75 * HOUR;
  expect(spend('192.0.2.1', 'a.org')).toBe(true);
});

it('is bounded: a flood of names makes it forget, and begins anew', () => {
  const { spend, clock } = budget();
  for (let i = 0; i < 3; i++) spend('192.0.2.1', 'a.org');
  clock.now = 5 * HOUR;
  for (let i = 0; i < 110_000; i++) spend('192.0.2.1', `n${i}.org`);
  expect(spend('192.0.2.1', 'a.org')).toBe(true);
});

import { expect, it } from 'vitest';
import type { BudgetKey } from '../../src/state/budget-key.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import { SCHEDULES, triesOf } from '../fixtures/retry-schedules.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function budget(part?: number): { spend: (key: BudgetKey) => boolean; clock: { now: number } } {
  const clock = { now: 0 };
  const made = new TempfailBudget(
    () => ({ count: 3, ageMs: 2 * HOUR }),
    () => clock.now,
    part,
  );
  return { clock, spend: (key) => made.spend(key) };
}

const by = (organisation: string | null, network = '192.0.2.0/24', name = 'a.org'): BudgetKey => ({
  name,
  organisation,
  network,
  site: network,
  block: network,
});
const HOST = by('a.org');

it('takes the memory that docs/failures.md says', () => {
  expect(Math.ceil(TempfailBudget.bytes / 1e6)).toBe(28);
});

it('is spent by number and age together', () => {
  const { spend, clock } = budget();
  const given: boolean[] = [];
  for (const minutes of [0, 5, 10, 60, 119, 120, 121]) {
    clock.now = minutes * MINUTE;
    given.push(spend(HOST));
  }
  expect(given).toEqual([true, true, true, true, true, false, false]);
});

it('is not spent by age alone', () => {
  const { spend, clock } = budget();
  const given: boolean[] = [];
  for (const hours of [0, 10, 20, 30]) {
    clock.now = hours * HOUR;
    given.push(spend(HOST));
  }
  expect(given).toEqual([true, true, true, false]);
});

it.each<[string, BudgetKey, boolean]>([
  ['the organisation from another network', by('a.org', '198.51.100.0/24'), false],
  ['another name of it', by('a.org', '192.0.2.0/24', 'b.org'), true],
  ['another organisation', by('b.net', '198.51.100.0/24'), true],
  ['no reverse name, in another network', by(null, '198.51.100.0/24'), true],
])('of an organisation and a name is not that of others: %s', (_, other, left) => {
  const { spend, clock } = budget();
  for (let i = 0; i < 3; i++) spend(HOST);
  clock.now = 3 * HOUR;
  expect(spend(HOST)).toBe(false);
  expect(spend(other)).toBe(left);
});

it('goes on where the reverse name is known at one time and not at another', () => {
  const { spend, clock } = budget();
  expect(spend(by(null))).toBe(true);
  clock.now = HOUR;
  expect(spend(HOST)).toBe(true);
  clock.now = 2 * HOUR;
  expect(spend(by(null))).toBe(true);
  clock.now = 3 * HOUR;
  expect(spend(HOST)).toBe(false);
});

it.each([50, 72, 168, 35 * 24 - 1])('who writes every %i h is delayed once, not every time', (hours) => {
  const { spend, clock } = budget();
  const delayed: number[] = [];
  for (let message = 0; message < 12; message++) {
    const written = message * hours * HOUR;
    for (const minutes of [0, 5, 15, 60, 120, 180]) {
      clock.now = written + minutes * MINUTE;
      if (!spend(HOST)) break;
      if (minutes === 0) delayed.push(message);
    }
  }
  expect(delayed).toEqual([0]);
});

it('is forgotten after 35 days without a message', () => {
  const { spend, clock } = budget();
  for (const hours of [0, 1, 2, 3]) {
    clock.now = hours * HOUR;
    spend(HOST);
  }
  clock.now += 36 * DAY;
  expect(spend(HOST)).toBe(true);
});

/** Other clients: some that have spent their budget, and some that have made a first try. */
function bystanders(spend: (key: BudgetKey) => boolean): { spent: BudgetKey[]; tried: BudgetKey[] } {
  const key = (i: number, name: string): BudgetKey =>
    by(i % 2 === 0 ? name : null, `10.${i >> 8}.${i & 255}.0/24`, name);
  const spent = Array.from({ length: 2000 }, (_, i) => key(i, `spent${i}.org`));
  const tried = Array.from({ length: 2000 }, (_, i) => key(i, `tried${i}.org`));
  for (let i = 0; i < 3; i++) for (const each of [...spent, ...tried]) expect(spend(each)).toBe(true);
  return { spent, tried };
}

it.each<[string, (i: number) => BudgetKey]>([
  ['without a reverse name', (i) => by(null, '203.0.113.0/24', `n${i}.org`)],
  ['with one of its own', (i) => by('evil.org', '203.0.113.0/24', `n${i}.org`)],
  ['with a new one for each name', (i) => by(`o${i}.org`, '203.0.113.0/24', `n${i}.org`)],
  [
    'from all networks of a /48',
    (i) => ({
      ...by(null, `2001:db8:0:${(i & 0xffff).toString(16)}::/64`, `n${i}.org`),
      site: '2001:db8::/48',
      block: '2001:db8::/32',
    }),
  ],
  [
    'from all sites of a /32',
    (i) => ({
      ...by(null, `2001:db8:${(i & 0xffff).toString(16)}::/64`, `n${i}.org`),
      site: `2001:db8:${(i & 0xffff).toString(16)}::/48`,
      block: '2001:db8::/32',
    }),
  ],
  [
    'from all sites of a /32, each with a reverse name of its own',
    (i) => ({
      ...by(`o${i}.org`, `2001:db8:${(i & 0xffff).toString(16)}::/64`, `n${i}.org`),
      site: `2001:db8:${(i & 0xffff).toString(16)}::/48`,
      block: '2001:db8::/32',
    }),
  ],
  [
    'from all networks of a /16',
    (i) => ({ ...by(null, `203.0.${i & 255}.0/24`, `n${i}.org`), block: '203.0.0.0/16' }),
  ],
])('an address with 100,000 names %s displaces nobody else', { timeout: 120_000 }, (_, name) => {
  const { spend, clock } = budget();
  const { spent, tried } = bystanders(spend);
  clock.now = 3 * HOUR;
  for (const each of spent) expect(spend(each)).toBe(false);
  // An attacker fills the table with first tries, and with as many patient names as possible, whose budgets
  // are spent.
  for (let i = 0; i < 50_000; i++) spend(name(i));
  for (let i = 50_000; i < 100_000; i += 1000) {
    for (let tries = 0; tries < 4; tries++) {
      clock.now += 40 * MINUTE;
      for (let k = 0; k < 1000; k++) spend(name(i + k));
    }
  }
  for (const each of [...spent, ...tried]) expect(spend(each), each.name).toBe(false);
});

it('60,000 new pairs of network and name an hour keep no sender from being let through', () => {
  // Rows know nothing of each other: as much less of a flood fills a part of them in the same time.
  const part = 1 / 32;
  const { spend, clock } = budget(part);
  const between = HOUR / (60_000 * part);
  let flooded = 0;
  const flood = (until: number): void => {
    for (; flooded < until; flooded += between) {
      clock.now = flooded;
      spend(by(null, `${flooded}/24`, 'forged.org'));
    }
  };
  // Until the table is full and each new entry replaces another.
  flood(18 * HOUR);
  const begun = clock.now;
  let seed = 1;
  const random = (): number => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 0x1_0000_0000;
  const waiting = new Set(SCHEDULES.map(({ sender }) => sender));
  const tries = SCHEDULES.flatMap((schedule, i) =>
    triesOf(schedule, random).map((at) => ({
      at,
      sender: schedule.sender,
      key: by(null, `192.0.${i}.0/24`, `s${i}.org`),
    })),
  ).sort((a, b) => a.at - b.at);
  for (const { at, sender, key } of tries) {
    if (!waiting.has(sender)) continue;
    flood(begun + at);
    clock.now = begun + at;
    if (!spend(key)) waiting.delete(sender);
    if (waiting.size === 0) break;
  }
  expect([...waiting]).toEqual([]);
});

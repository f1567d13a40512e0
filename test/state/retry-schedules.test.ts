/**
 * Real senders against the real budget, on the test's own clock: which are let through before they give up.
 */
import { describe, expect, it } from 'vitest';
import { type BudgetKey, budgetKey } from '../../src/state/budget-key.ts';
import { pass } from '../../src/core/check.ts';
import { makeClient } from '../../src/core/client.ts';
import { ROWS } from '../../src/config/options.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import { type RetrySchedule, SCHEDULES, triesOf } from '../fixtures/retry-schedules.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SEEDS = 12;
const LIMIT = { count: 3, ageMs: 2 * HOUR };

/** The same numbers in every run: a linear congruential generator (Numerical Recipes). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 0x1_0000_0000;
}

function budget(): { spend: (key: BudgetKey) => boolean; clock: { now: number } } {
  const clock = { now: 0 };
  const made = new TempfailBudget(
    () => LIMIT,
    () => clock.now,
  );
  return { clock, spend: (key) => made.spend(key) };
}

/** The HELO names of a pool's hosts, and their reverse names. */
type Naming = 'own names' | 'a shared name' | 'names of another domain' | 'no reverse names';

/** A budget key as it is for a host that really went through the checks. */
function host(i: number, networks: number, naming: Naming, domain: string): BudgetKey {
  const ip = `198.${18 + ((i % networks) >> 8)}.${(i % networks) & 255}.${(200 - i / networks) | 0}`;
  const helo = naming === 'a shared name' ? `out.${domain}` : `h${i}.out.${domain}`;
  const reverse = naming === 'names of another domain' ? `vm${i}.hoster.net` : `h${i}.out.${domain}`;
  const outcomes =
    naming === 'no reverse names' ? [] : [{ check: 'iprev', ...pass({ names: reverse }, 'aligned') }];
  return budgetKey({ client: makeClient(ip, helo), outcomes });
}

interface Pool {
  readonly title: string;
  readonly hosts: number;
  readonly networks: number;
  readonly naming: Naming;
  /** Other messages that the pool sends in an hour. */
  readonly others?: number | undefined;
}

/** Milliseconds until a message is let through; null if its sender gives up first. */
function delays(schedule: RetrySchedule, { hosts, networks, naming, others = 0 }: Pool): (number | null)[] {
  const { spend, clock } = budget();
  return Array.from({ length: SEEDS }, (_, seed) => {
    const random = numbers(seed);
    // Each seed is a sender of its own; the table is shared, and as full as the others leave it.
    const keys = Array.from({ length: hosts }, (__, i) => host(i, networks, naming, `sender${seed}.org`));
    const message = (at: number): boolean => {
      clock.now = at;
      const key = keys[Math.floor(random() * hosts)];
      return key !== undefined && spend(key);
    };
    const begun = (seed + 1) * 10 * DAY;
    let other = begun + random() * HOUR;
    for (const at of triesOf(schedule, random)) {
      for (; others > 0 && other < begun + at; other += HOUR / others) message(other);
      if (!message(begun + at)) return at;
    }
    return null;
  });
}

const NAMED: readonly Pool[] = [
  { title: 'one host', hosts: 1, networks: 1, naming: 'own names' },
  { title: 'one host without a reverse name', hosts: 1, networks: 1, naming: 'no reverse names' },
  { title: '20 hosts in one /24 without reverse names', hosts: 20, networks: 1, naming: 'no reverse names' },
  ...(['own names', 'a shared name', 'names of another domain'] as const).flatMap((naming) =>
    [undefined, 5].flatMap((others) => [
      { title: `20 hosts in one /24, ${naming}`, hosts: 20, networks: 1, naming, others },
      { title: `200 hosts in 40 /24s, ${naming}`, hosts: 200, networks: 40, naming, others },
    ]),
  ),
];
const POOLS = NAMED.map(({ title, ...pool }) => ({
  ...pool,
  title: `${title}${pool.others === undefined ? '' : `, and ${pool.others} other messages an hour`}`,
}));

it('the limit of this page is the default', () => {
  const [, row] = ROWS.find(([key]) => key === 'tempfailLimit') ?? [];
  expect(row?.default).toBe('3/2h');
});

describe.each(POOLS)('from $title', { timeout: 60_000 }, (pool) => {
  it.each(SCHEDULES)('$sender is let through before it gives up', (schedule) => {
    for (const after of delays(schedule, pool)) {
      expect(after).not.toBeNull();
      if (pool.others === undefined) expect(after).toBeGreaterThanOrEqual(LIMIT.ageMs);
    }
  });
});

describe('without verified reverse names, which leaves a budget for each /24', { timeout: 300_000 }, () => {
  /** Whether messages bounce if a pool sends from this many /24s. */
  const bounces = (schedule: RetrySchedule, networks: number): boolean =>
    delays(schedule, { title: '', hosts: 200, networks, naming: 'no reverse names' }).includes(null);
  it('from forty, Exchange Online bounces most of its messages', () => {
    const online = SCHEDULES.find(({ sender }) => sender === 'Exchange Online');
    if (online === undefined) throw new Error('no such schedule');
    const all = delays(online, { title: '', hosts: 200, networks: 40, naming: 'no reverse names' });
    expect(all.filter((after) => after === null).length).toBeGreaterThan(all.length / 2);
  });

  const FOR_DAYS = ['Postfix', 'Exchange on premises', 'Sendmail', 'mxtools', 'SocketLabs'];
  const FOR_A_DAY = [...FOR_DAYS, 'Exim', 'qmail', 'SendGrid', 'Exchange Online', 'SpamExperts'];

  it('from ten, who tries often and for a day at least is let through, others may bounce', () => {
    expect(
      SCHEDULES.filter((each) => !bounces(each, 10))
        .map(({ sender }) => sender)
        .sort(),
    ).toEqual(FOR_A_DAY.sort());
  });

  it('from forty, only who tries every hour for days is', () => {
    expect(
      SCHEDULES.filter((each) => !bounces(each, 40))
        .map(({ sender }) => sender)
        .sort(),
    ).toEqual(FOR_DAYS.sort());
  });
});

import { describe, expect, it } from 'vitest';
import {
  type AssessmentLimits,
  type AssessmentLookup,
  Assessor,
  type AssessorOptions,
} from '../../src/session/assessor.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { defineCheck } from '../../src/core/check.ts';
import { checks } from '../../src/core/checks/index.ts';
import { parseIp } from '../../src/core/ip.ts';
import { shareQuestions } from '../../src/dns/shared-questions.ts';
import { sending } from '../support/sending.ts';
import { type Zone, zoneResolver, type ZoneResolver } from '../support/zone.ts';

const ZONE: Zone = {
  'short.org': { A: ['192.0.2.1'], ttl: 30 },
  'brief.org': { A: ['192.0.2.1'], ttl: 1 },
  'long.org': { A: ['192.0.2.1'], ttl: 86_400 },
  'half.org': { A: ['192.0.2.1'], AAAA: 'temperror', ttl: 86_400 },
  org: { NS: ['ns.org'] },
  'x.org': { NS: ['ns.org'] },
  'broken.org': 'temperror',
  '1.2.0.192.in-addr.arpa': { PTR: ['long.org'], ttl: 86_400 },
};

function assessor(
  options: Partial<AssessorOptions> = {},
  narrower: Partial<AssessmentLimits> = {},
): {
  of: (ip: string | null, helo: string) => Promise<string>;
  clock: { now: number };
  resolver: ZoneResolver;
  made: Assessor;
} {
  const clock = { now: 0 };
  const resolver = zoneResolver(ZONE);
  const limits = {
    deadlineMs: 1000,
    cacheSize: 10,
    cacheMemory: 16 * 1024 * 1024,
    cacheMinMs: 10_000,
    cacheMaxMs: 900_000,
    ...narrower,
  };
  const made = new Assessor({
    resolver,
    checks: () => checks,
    limits: () => limits,
    onCheckError: (check, error) => {
      throw new Error(check, { cause: error });
    },
    now: () => clock.now,
    ...options,
  });
  return {
    clock,
    resolver,
    made,
    of: async (ip, helo) => {
      const found = made.lookup(ip === null ? null : parseIp(ip), helo);
      const assessment: Assessment =
        found.cache === 'hit' ? found.packed.whole(found.ip) : await found.pending;
      expect(assessment.client.helo.text.toLowerCase()).toBe(helo.toLowerCase());
      return found.cache;
    },
  };
}

describe('the life of an assessment', () => {
  it.each([
    ['short.org', 30_000, 'the smallest TTL'],
    ['brief.org', 10_000, 'the floor'],
    ['long.org', 900_000, 'the ceiling'],
    ['gone.x.org', 60_000, 'a minute for what is missing, where DNS does not say how long'],
    [
      'half.org',
      900_000,
      'the ceiling, where only an AAAA is missing that nothing depends on (RFC 4074 §4.1)',
    ],
    ['broken.org', 10_000, 'seconds for what is unknown'],
    ['Jupiter', 900_000, 'the ceiling for what needs no DNS'],
  ])('of %s is %i ms: %s', async (helo, lifeMs) => {
    const { of, clock } = assessor();
    expect(await of('192.0.2.1', helo)).toBe('miss');
    clock.now = lifeMs - 1;
    expect(await of('192.0.2.1', helo)).toBe('hit');
    clock.now = lifeMs;
    expect(await of('192.0.2.1', helo)).toBe('miss');
  });
});

it('a minute for what is missing, though a check from outside misses it', async () => {
  const own = defineCheck({
    name: 'own',
    findings: {
      'own-gap': { basis: 'existence', summary: 's', reference: 'r', weight: 1, reason: 'w', reply: 'r' },
    },
    run: () => ({ id: 'own-gap', evidence: {} }),
  });
  const { of, clock } = assessor({ checks: () => [...checks, own] });
  expect(await of('192.0.2.1', 'long.org')).toBe('miss');
  clock.now = 60_000;
  expect(await of('192.0.2.1', 'long.org')).toBe('miss');
});

it.each([
  ['of an address', 'nodata.org', 30_000],
  ['of a missing name', 'gone.org', 40_000],
  ['longer than a minute', 'long-gone.org', 300_000],
])('as long as the "no" lasts that it rests on: %s', async (_, helo, lifeMs) => {
  const inner = zoneResolver({
    'nodata.org': { A: ['192.0.2.1'], ttl: 900 },
    '1.2.0.192.in-addr.arpa': { PTR: ['nodata.org'], ttl: 900 },
  });
  const ttls: Readonly<Record<string, number>> = { 'nodata.org': 30, 'gone.org': 40 };
  const { of, clock } = assessor({
    resolver: {
      lookup: async (name, type) => {
        const answer = await inner.lookup(name, type);
        return 'ttl' in answer && answer.status !== 'found' ? { ...answer, ttl: ttls[name] ?? 300 } : answer;
      },
    },
  });
  await of('192.0.2.1', helo);
  clock.now = lifeMs - 1;
  expect(await of('192.0.2.1', helo)).toBe('hit');
  clock.now = lifeMs;
  expect(await of('192.0.2.1', helo)).toBe('miss');
});

describe('what is not cached', () => {
  it.each<[string, string | null, string]>([
    ['a client without an address', null, 'short.org'],
    ['text that is never a name', '192.0.2.1', 'x'.repeat(300)],
  ])('%s', async (_, ip, helo) => {
    const { of, made } = assessor();
    await of(ip, helo);
    expect(await of(ip, helo)).toBe('miss');
    expect(made.cached).toBe(0);
  });

  it('anything, where the cache is off', async () => {
    const { of, made } = assessor({}, { cacheSize: 0 });
    await of('192.0.2.1', 'short.org');
    expect(await of('192.0.2.1', 'short.org')).toBe('miss');
    expect(made.cached).toBe(0);
  });
});

it('takes names that differ in case for one', async () => {
  const { of, resolver } = assessor();
  await of('192.0.2.1', 'short.org');
  const asked = resolver.queries.length;
  expect(await of('192.0.2.1', 'SHORT.org')).toBe('hit');
  expect(resolver.queries).toHaveLength(asked);
});

describe('an assessment that nobody wants any more', () => {
  /** Two questions at a time; each waits until it is let go. */
  function held(): { made: Assessor; sent: string[]; release: () => void } {
    const sent: string[] = [];
    const waiting: (() => void)[] = [];
    const resolver = shareQuestions({
      places: 16,
      freshPlaces: 16,
      freshMs: 100,
      waitingPlaces: 400,
      timeoutMs: 60_000,
      now: () => 0,
      send: sending(async (name, type) => {
        sent.push(`${name} ${type}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
        return { status: 'nxdomain', ttl: null };
      }),
    });
    const { made } = assessor({ resolver }, { deadlineMs: 60_000 });
    return {
      made,
      sent,
      release: () => {
        for (const resolve of waiting.splice(0)) resolve();
      },
    };
  }

  const pending = (found: AssessmentLookup): { leave: () => void; pending: Promise<Assessment> } => {
    if (found.cache === 'hit') throw new Error('it was cached');
    return found;
  };
  const turn = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
  };

  it('is given up with all others when the service stops', async () => {
    const { made, sent } = held();
    const one = pending(made.lookup(parseIp('192.0.2.1'), 'short.org'));
    await turn();
    const asked = sent.length;
    expect(asked).toBeGreaterThan(0);
    made.close();
    const { dns } = await one.pending;
    expect(new Set(dns.map(({ records: [detail] }) => detail))).toEqual(new Set(['dropped']));
    expect(sent).toHaveLength(asked);
  });

  it('asks nothing more, is not kept, and serves nobody who comes later', async () => {
    const { made, sent, release } = held();
    const ip = parseIp('192.0.2.1');
    const first = pending(made.lookup(ip, 'a.x.org'));
    await turn();
    const asked = sent.length;
    expect(asked).toBeGreaterThan(0);
    first.leave();
    release();
    const dropped = await first.pending;
    expect(sent).toHaveLength(asked);
    expect(dropped.dns.some(({ records }) => records[0] === 'dropped')).toBe(true);
    const again = made.lookup(ip, 'a.x.org');
    expect(again.cache).toBe('miss');
  });

  it('that two want goes on when one leaves', async () => {
    const { made, release } = held();
    const ip = parseIp('192.0.2.1');
    const first = pending(made.lookup(ip, 'a.x.org'));
    const joined = made.lookup(ip, 'a.x.org');
    expect(joined.cache).toBe('joined');
    first.leave();
    let done: Assessment | null = null;
    void first.pending.then((assessment) => (done = assessment));
    while ((done as Assessment | null) === null) {
      release();
      await turn();
    }
    expect(JSON.stringify((done as unknown as Assessment).dns)).not.toContain('dropped');
  });

  it('and is joined before it has ended is begun anew', () => {
    const { made } = held();
    const ip = parseIp('192.0.2.1');
    pending(made.lookup(ip, 'a.x.org')).leave();
    expect(made.lookup(ip, 'a.x.org').cache).toBe('miss');
  });
});

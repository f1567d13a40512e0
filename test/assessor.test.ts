import { describe, expect, it } from 'vitest';
import { Assessor, type AssessorOptions } from '../src/assessor.ts';
import type { Assessment } from '../src/core/assess.ts';
import { checks } from '../src/core/checks/index.ts';
import { parseIp } from '../src/core/ip.ts';
import { type Zone, zoneResolver, type ZoneResolver } from './support/zone.ts';

const ZONE: Zone = {
  'short.org': { A: ['192.0.2.1'], ttl: 30 },
  'brief.org': { A: ['192.0.2.1'], ttl: 1 },
  'long.org': { A: ['192.0.2.1'], ttl: 86_400 },
  org: { NS: ['ns.org'] },
  'x.org': { NS: ['ns.org'] },
  'broken.org': 'temperror',
  '1.2.0.192.in-addr.arpa': { PTR: ['long.org'], ttl: 86_400 },
};

function assessor(options: Partial<AssessorOptions> = {}): {
  of: (ip: string | null, helo: string) => Promise<string>;
  clock: { now: number };
  resolver: ZoneResolver;
  made: Assessor;
} {
  const clock = { now: 0 };
  const resolver = zoneResolver(ZONE);
  const made = new Assessor({
    resolver,
    checks: () => checks,
    deadlineMs: 1000,
    cacheSize: 10,
    cacheMemory: 16 * 1024 * 1024,
    cacheMinMs: 10_000,
    cacheMaxMs: 900_000,
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
      const assessment: Assessment = found.hit === 'hit' ? found.value : await found.pending;
      expect(assessment.client.helo.text.toLowerCase()).toBe(helo.toLowerCase());
      return found.hit;
    },
  };
}

describe('the life of an assessment', () => {
  it.each([
    ['short.org', 30_000, 'the smallest TTL'],
    ['brief.org', 10_000, 'the floor'],
    ['long.org', 900_000, 'the ceiling'],
    ['gone.x.org', 60_000, 'a minute for what is missing'],
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
    const { of, made } = assessor({ cacheSize: 0 });
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

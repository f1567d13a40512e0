import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assess, withSession } from '../../src/core/assess.ts';
import { defineCheck } from '../../src/core/check.ts';
import { checks, findings, sessionChecks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { QUERY_BUDGET, REVERSE_BUDGET } from '../../src/core/recording-resolver.ts';
import type { Answer, RecordData, RecordType, Resolver } from '../../src/core/resolver.ts';
import { makePolicy, worthwhile } from '../../src/policy/policy.ts';
import { assessed } from '../support/checked.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const CLIENT = '198.51.100.7';
const ZONE: Zone = {
  'mail.sender.org': { A: [CLIENT], ttl: 120 },
  'sender.org': { NS: ['ns.sender.org'] },
  '7.100.51.198.in-addr.arpa': { PTR: ['mail.sender.org'] },
};
const never = (check: string, error: unknown): never => {
  throw new Error(check, { cause: error });
};

describe('assess', () => {
  it('gives the strongest correspondence that any check has shown', async () => {
    expect((await assessed(CLIENT, 'mail.sender.org', ZONE)).correspondence).toBe('exact');
    expect((await assessed('198.51.100.8', 'mail.sender.org', ZONE)).correspondence).toBe('near');
    expect((await assessed('203.0.113.8', 'mail.sender.org', ZONE)).correspondence).toBe('none');
  });

  it('lists findings in the order of the registry', async () => {
    const { findings } = await assessed('203.0.113.8', '203-0-113-8.sender.org.', ZONE);
    expect(findings.map(({ id }) => id)).toEqual([
      'helo-trailing-dot',
      'helo-dynamic',
      'helo-nxdomain',
      'iprev-none',
    ]);
  });

  it('keeps of what a check has seen so much as can be shown', async () => {
    const wordy = defineCheck({
      name: 'wordy',
      findings: {
        'x-wordy': { basis: 'local', summary: '', reference: '', weight: 0, reason: '', reply: '' },
      },
      run: () => ({ id: 'x-wordy', evidence: { text: 'x'.repeat(65_000), short: 'y' } }),
    });
    const { outcomes, findings } = await assess(makeClient(CLIENT, 'mail.sender.org'), {
      resolver: zoneResolver({}),
      checks: [wordy],
      onCheckError: never,
    });
    const text = `${'x'.repeat(4093)}...`;
    expect(outcomes[0]?.evidence).toEqual({ text, short: 'y' });
    expect(findings[0]?.evidence).toEqual({ text, short: 'y' });
  });

  it('keeps the answers of DNS for the explanation', async () => {
    const { dns } = await assessed(CLIENT, 'mail.sender.org', ZONE);
    expect(dns).toContainEqual({
      name: 'mail.sender.org',
      type: 'A',
      status: 'found',
      records: [CLIENT],
      ttl: 120,
    });
  });

  it('takes a check that throws for one with nothing to say, and tells', async () => {
    const told: string[] = [];
    const broken = defineCheck({
      name: 'broken',
      findings: {},
      run: () => {
        throw new Error('boom');
      },
    });
    const result = await assess(makeClient(CLIENT, 'mail.sender.org'), {
      resolver: zoneResolver(ZONE),
      checks: [broken, ...checks],
      onCheckError: (check, error) => told.push(`${check}: ${String(error)}`),
    });
    expect(told).toEqual(['broken: Error: boom']);
    expect(result.correspondence).toBe('exact');
    expect(result.outcomes[0]).toMatchObject({ check: 'broken', result: 'none' });
  });

  it('adds what the session knows, before the unknown', async () => {
    const facts = {
      ourNames: [],
      ourAddresses: [],
      previousHelo: 'x.org',
      namesSeen: 99,
      churnLimit: 10,
      denied: null,
      shareUsedUp: false,
    };
    const plain = await assessed(CLIENT, 'broken.sender.org', { ...ZONE, 'broken.sender.org': 'temperror' });
    const { findings, outcomes } = withSession(plain, facts, sessionChecks);
    expect(findings.map(({ id }) => id)).toEqual([
      'iprev-other-name',
      'helo-changed',
      'helo-churn',
      'dns-temperror',
    ]);
    expect(outcomes).toHaveLength(plain.outcomes.length + sessionChecks.length);
    expect(plain.findings.map(({ id }) => id)).toEqual(['iprev-other-name', 'dns-temperror']);
  });
});

/** Answers in waves: everything asked in the meantime is answered together, as if in one round trip. */
function waves(inner: Resolver): { resolver: Resolver; roundTrips: () => number } {
  let count = 0;
  let open: (() => void)[] = [];
  return {
    roundTrips: () => count,
    resolver: {
      async lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
        await new Promise<void>((resolve) => {
          open.push(resolve);
          if (open.length > 1) return;
          setImmediate(() => {
            count++;
            const wave = open;
            open = [];
            for (const release of wave) release();
          });
        });
        return inner.lookup(name, type);
      },
    },
  };
}

describe('the cost of a cold assessment', () => {
  it('of an exact host is one round trip', async () => {
    const inner = zoneResolver(ZONE);
    const { resolver, roundTrips } = waves(inner);
    await assess(makeClient(CLIENT, 'mail.sender.org'), { resolver, checks, onCheckError: never });
    expect(roundTrips()).toBe(1);
    expect(inner.queries.sort()).toMatchInlineSnapshot(`
      [
        "7.100.51.198.in-addr.arpa PTR",
        "_auth.mail.sender.org TXT",
        "_auth.sender.org TXT",
        "_client._smtp.mail.sender.org SRV",
        "_client._smtp.sender.org SRV",
        "mail.sender.org A",
        "mail.sender.org AAAA",
        "mail.sender.org CNAME",
        "mail.sender.org TXT",
      ]
    `);
  });

  it('is eight questions for a service, which leaves out what nobody weighs', async () => {
    const inner = zoneResolver(ZONE);
    const policy = makePolicy('rfc5321', findings);
    await assess(makeClient(CLIENT, 'mail.sender.org'), {
      resolver: inner,
      checks: worthwhile(checks, [policy]),
      onCheckError: never,
    });
    expect(inner.queries).toHaveLength(8);
  });

  it('of what is no name is that of iprev alone', async () => {
    const inner = zoneResolver(ZONE);
    await assess(makeClient('203.0.113.8', 'this is Jupiter'), {
      resolver: inner,
      checks,
      onCheckError: never,
    });
    expect(inner.queries).toEqual(['8.113.0.203.in-addr.arpa PTR']);
  });
});

describe('settled by the text', () => {
  it('asks DNS nothing, and says so', async () => {
    const inner = zoneResolver(ZONE);
    const { findings, dns, settled } = await assess(makeClient(CLIENT, 'Jupiter'), {
      resolver: inner,
      checks,
      onCheckError: never,
      settles: () => true,
    });
    expect(findings.map(({ id }) => id)).toEqual(['helo-not-fqdn']);
    expect(inner.queries).toEqual([]);
    expect(dns).toEqual([]);
    expect(settled).toBe(true);
  });

  it('does not happen without a finding', async () => {
    const inner = zoneResolver(ZONE);
    const { settled } = await assess(makeClient(CLIENT, 'mail.sender.org'), {
      resolver: inner,
      checks,
      onCheckError: never,
      settles: () => true,
    });
    expect(settled).toBe(false);
    expect(inner.queries.length).toBeGreaterThan(0);
  });
});

describe('hostile DNS', () => {
  const name = fc.oneof(
    fc.constantFrom(
      '',
      '.',
      'a b',
      'a\0b.org',
      'a\\.b',
      'mail.sender.org',
      '7.100.51.198.in-addr.arpa',
      '_client._smtp.org',
      'x'.repeat(300),
    ),
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.integer({ min: 0, max: 2000 }).map((i) => `h${i}.sender.org`),
  );
  const text = fc.oneof(
    fc.constantFrom(
      'v=spf1 include:mail.sender.org -all',
      'v=spf1 redirect=mail.sender.org',
      `v=spf1 ${'a '.repeat(4000)}`,
      'x'.repeat(65_536),
    ),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );
  const makers: { readonly [T in RecordType]: fc.Arbitrary<RecordData[T]> } = {
    A: fc.oneof(fc.ipV4(), fc.string()),
    AAAA: fc.oneof(fc.ipV6(), fc.string()),
    CNAME: name,
    NS: name,
    PTR: name,
    TXT: text,
    SOA: fc.record({ mname: name }),
    MX: fc.record({ preference: fc.nat(), exchange: name }),
    SRV: fc.record({ priority: fc.nat(), weight: fc.nat(), port: fc.nat(), target: name }),
  };
  const answer = (type: RecordType): fc.Arbitrary<Answer<RecordType>> =>
    fc.oneof(
      fc.constantFrom<Answer<RecordType>>(
        { status: 'nodata', ttl: null },
        { status: 'nxdomain', ttl: 5 },
        { status: 'temperror', detail: 'timeout' },
      ),
      fc.record({
        status: fc.constant('found' as const),
        records: fc.array<RecordData[RecordType]>(makers[type], { maxLength: 30 }),
        ttl: fc.option(fc.nat()),
      }) as fc.Arbitrary<Answer<RecordType>>,
    );

  it('makes no assessment throw or ask beyond its budget', async () => {
    const types = Object.keys(makers) as RecordType[];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          'mail.sender.org',
          '[198.51.100.7]',
          'x.y.sender.org.',
          'a_b.sender.org',
          'sender.org',
        ),
        fc.constantFrom(CLIENT, '2001:db8::1'),
        fc.record(
          Object.fromEntries(
            types.map((type) => [type, fc.array(answer(type), { minLength: 1, maxLength: 4 })]),
          ) as unknown as Record<RecordType, fc.Arbitrary<Answer<RecordType>[]>>,
        ),
        async (helo, ip, answers) => {
          let asked = 0;
          const resolver: Resolver = {
            lookup<T extends RecordType>(_: string, type: T): Promise<Answer<T>> {
              const list = answers[type];
              return Promise.resolve(list[asked++ % list.length] as Answer<T>);
            },
          };
          const { findings, dns } = await assess(makeClient(ip, helo), {
            resolver,
            checks,
            onCheckError: never,
          });
          expect(asked).toBeLessThanOrEqual(QUERY_BUDGET + REVERSE_BUDGET);
          expect(dns.length).toBeLessThanOrEqual(QUERY_BUDGET + REVERSE_BUDGET);
          expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('survives a thousand names in the reverse tree', async () => {
    const inner = zoneResolver({
      ...ZONE,
      '7.100.51.198.in-addr.arpa': { PTR: Array.from({ length: 1000 }, (_, i) => `h${i}.sender.org`) },
    });
    await assess(makeClient(CLIENT, 'mail.sender.org'), { resolver: inner, checks, onCheckError: never });
    expect(inner.queries.length).toBeLessThanOrEqual(QUERY_BUDGET + REVERSE_BUDGET);
  });

  it('survives a loop of aliases', async () => {
    const loop: Zone = { 'a.org': { CNAME: ['b.org'] }, 'b.org': { CNAME: ['a.org'] } };
    expect((await assessed(CLIENT, 'a.org', loop)).findings.map(({ id }) => id)).toContain('dns-temperror');
  });
});

/** No answer, however hostile, makes an evaluation throw, hang or ask without end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAuthRecord } from '../../../src/core/auth-record/index.ts';
import { checkCsa } from '../../../src/core/csa.ts';
import { isAskable } from '../../../src/core/domain.ts';
import { type IpAddress, ipFromBytes, parseIp } from '../../../src/core/ip.ts';
import { QUERY_BUDGET, recordingResolver } from '../../../src/core/recording-resolver.ts';
import type { Answer, RecordType, Resolver } from '../../../src/core/resolver.ts';
import { checkHelo } from '../../../src/core/spf/index.ts';

const NAME = 'mail.example.org';

/** Names that a hostile server may put into an answer. */
const name = fc.oneof(
  fc.constantFrom(
    NAME,
    'example.org',
    'a.example.net',
    '',
    '.',
    '..',
    'a\0b.example.org',
    'a\\.b.org',
    'a b.org',
    'ü.org',
  ),
  fc.constantFrom(
    `${'a'.repeat(64)}.org`,
    'a.'.repeat(200),
    '192.0.2.1',
    '[192.0.2.1]',
    '-a.org',
    '*.org',
    'MAIL.EXAMPLE.ORG.',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
const term = fc.oneof(
  fc.constantFrom('a', 'mx', 'ptr', '-all', '+all', '?all', 'mx/0', 'a//0', 'ip4:192.0.2.0/24', 'ip6:::/0'),
  fc
    .constantFrom('include:', 'exists:', 'ptr:', 'a:', 'mx:', 'redirect=', 'exp=')
    .chain((head) =>
      fc
        .constantFrom(NAME, 'a.example.net', '%{i}.example.org', '%{p}', '%{d}.%{d}.%{h}', '%{p}.x.%{d1}')
        .map((tail) => head + tail),
    ),
  fc.string({ maxLength: 12 }),
);
const spf = fc.array(term, { maxLength: 16 }).map((terms) => ['v=spf1', ...terms].join(' '));
const auth = fc
  .array(
    fc.oneof(
      fc.constantFrom('A', 'MX', 'SPF', '192.0.2.1-9', '1.2.3.4/0', '::/0', 'CSV', 'NONE', '1-', '0.0.0.9-1'),
      fc.string({ maxLength: 9 }),
    ),
  )
  .chain((values) =>
    fc.constantFrom('helo=', 'method=', 'HELO=A method=').map((key) => key + values.join(',')),
  );
const text = fc.oneof(
  { weight: 6, arbitrary: spf },
  { weight: 3, arbitrary: auth },
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('%{p}%{d}', '%{'),
);
const small = fc.integer({ min: 0, max: 4 });

function found<T>(
  record: fc.Arbitrary<T>,
): fc.Arbitrary<{ status: 'found'; records: T[]; ttl: number | null }> {
  return fc.record({
    status: fc.constant('found' as const),
    records: fc.array(record, { maxLength: 14 }),
    ttl: fc.option(fc.nat()),
  });
}

const empty = fc.constantFrom<Answer<'A'>>(
  { status: 'nodata', ttl: null },
  { status: 'nxdomain', ttl: 5 },
  { status: 'temperror', detail: 'timeout' },
  { status: 'temperror', detail: 'badresp' },
);
const address = fc.oneof(
  fc.constantFrom('192.0.2.1', '2001:db8::1', '', 'x', '999.1.1.1'),
  fc.ipV4(),
  fc.ipV6(),
);

/** One pool of answers for each type; which one a question gets depends on its name and its number. */
const world = fc.record({
  A: fc.array(fc.oneof(found(address), empty), { minLength: 3, maxLength: 6 }),
  AAAA: fc.array(fc.oneof(found(address), empty), { minLength: 3, maxLength: 6 }),
  TXT: fc.array(
    fc.oneof(
      { weight: 5, arbitrary: found(text) },
      {
        weight: 5,
        arbitrary: found(spf).map((answer) => ({ ...answer, records: answer.records.slice(0, 1) })),
      },
      empty,
    ),
    { minLength: 3, maxLength: 6 },
  ),
  MX: fc.array(fc.oneof(found(fc.record({ preference: small, exchange: name })), empty), {
    minLength: 2,
    maxLength: 4,
  }),
  PTR: fc.array(fc.oneof(found(name), empty), { minLength: 2, maxLength: 4 }),
  SRV: fc.array(
    fc.oneof(found(fc.record({ priority: small, weight: small, port: small, target: name })), empty),
    { minLength: 2, maxLength: 4 },
  ),
});

function hostileResolver(pools: Record<string, readonly unknown[]>, asked: string[]): Resolver {
  return {
    lookup<T extends RecordType>(question: string, type: T): Promise<Answer<T>> {
      asked.push(question);
      const pool = pools[type] ?? [];
      return Promise.resolve(pool[(question.length + asked.length) % pool.length] as Answer<T>);
    },
  };
}

const client = fc
  .oneof(
    fc.constantFrom('192.0.2.1', '2001:db8::1').map((literal) => parseIp(literal)),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ipFromBytes([...bytes])),
  )
  .map((ip): IpAddress => ip ?? ipFromBytes([0, 0, 0, 0]));

/**
 * The most that RFC 7208 allows: eleven questions a term, the record, and an explanation or a control with
 * `%{p}`.
 */
const SPF_MOST = 1 + 10 * 22 + 12;

describe('hostile answers', () => {
  it('SPF ends, asks for names only, and stays within RFC 7208', async () => {
    await fc.assert(
      fc.asyncProperty(client, world, async (ip, pools) => {
        const asked: string[] = [];
        const outcome = await checkHelo(ip, NAME, hostileResolver(pools, asked), {
          receiver: 'mx.example.com',
        });
        expect(asked.filter((question) => !isAskable(question))).toEqual([]);
        expect(asked.length).toBeLessThanOrEqual(SPF_MOST);
        expect(outcome.lookups).toBeLessThanOrEqual(10);
        expect(outcome.voidLookups).toBeLessThanOrEqual(3);
        expect(outcome.explanation ?? '').toMatch(/^[\x20-\x7e]{0,512}$/);
      }),
      { numRuns: 1500 },
    );
  });

  it('all three share the budget of one assessment', async () => {
    await fc.assert(
      fc.asyncProperty(client, world, name, async (ip, pools, helo) => {
        const asked: string[] = [];
        const { resolver } = recordingResolver(hostileResolver(pools, asked));
        const results = await Promise.all(
          [NAME, helo].flatMap((candidate) => [
            checkHelo(ip, candidate, resolver).then(({ result }): string => result),
            checkCsa(ip, candidate, resolver).then(({ status }): string => status),
            checkAuthRecord(ip, candidate, resolver).then(({ result }): string => result),
          ]),
        );
        expect(results.every((word) => /^[a-z]+$/.test(word))).toBe(true);
        expect(asked.length).toBeLessThanOrEqual(QUERY_BUDGET);
        expect(asked.filter((question) => !isAskable(question))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  const size = 65_000;
  const fill = (unit: string): string => unit.repeat(Math.floor(size / unit.length));
  it.each([
    ['64 kB of ip4', `v=spf1${fill(' ip4:10.1.2.3/31')}`],
    ['64 kB of a', `v=spf1${fill(' a')}`],
    ['64 kB of macros', `v=spf1 a:${fill('%{d}')} a:${fill('%{lr-}')}.x.org`.slice(0, size)],
    ['64 kB of macros in an include', `v=spf1 include:${fill('%{d}.')}%{d}`],
    ['64 kB of reversed macros', `v=spf1 exists:${fill('%{d9r.-+,/_=}')}`],
    ['64 kB of dots', `v=spf1 a:${fill('.')}org`],
    ['64 kB of a label', `v=spf1 a:x.${fill('a')}`],
    ['64 kB of digits', `v=spf1 a/${fill('1')}`],
    ['64 kB of slashes', `v=spf1 a:x.org${fill('/1')}`],
    ['64 kB of percent signs', `v=spf1 x=${fill('%%')}`],
    ['64 kB of spaces', `v=spf1${fill(' ')}`],
    ['64 kB of blocks', `helo=${fill('10.1.2.3-9,')}`],
    ['64 kB of words', `helo=${fill('x,')} method=${fill('SPF,')}`],
    ['64 kB of methods', fill('method=CSV ')],
  ])('%s', async (_title, record) => {
    const asked: string[] = [];
    const pools = {
      TXT: [{ status: 'found', records: [record], ttl: null }],
      A: [{ status: 'nodata', ttl: null }],
    };
    const resolver = hostileResolver(
      { ...pools, AAAA: pools.A, MX: pools.A, PTR: pools.A, SRV: pools.A },
      asked,
    );
    const ip = ipFromBytes([192, 0, 2, 1]);
    await Promise.all([checkHelo(ip, NAME, resolver), checkAuthRecord(ip, NAME, resolver)]);
    expect(asked.length).toBeLessThanOrEqual(QUERY_BUDGET);
  });

  it('a thousand PTR names are ten', async () => {
    const asked: string[] = [];
    const names = Array.from({ length: 1000 }, (_, i) => `h${i}.${NAME}`);
    const resolver = hostileResolver(
      {
        TXT: [{ status: 'found', records: ['v=spf1 ptr a:%{p} -all'], ttl: null }],
        PTR: [{ status: 'found', records: names, ttl: null }],
        A: [{ status: 'nodata', ttl: null }],
      },
      asked,
    );
    const { result } = await checkHelo(
      ipFromBytes([192, 0, 2, 1]),
      NAME,
      recordingResolver(resolver).resolver,
    );
    expect(result).toBe('fail');
    expect(asked.length).toBeLessThanOrEqual(13);
  });
});

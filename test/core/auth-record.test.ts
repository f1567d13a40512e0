/** The owner record at `_auth.<domain>`. */
import { describe, expect, it } from 'vitest';
import {
  type AuthMethods,
  type AuthOutcome,
  checkAuthRecord,
  parseAuthBlock,
  parseAuthRecord,
} from '../../src/core/auth-record/index.ts';
import { type IpAddress, parseIp } from '../../src/core/ip.ts';
import { addressesIn, mergedRanges } from '../../src/core/spf/width.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const CLIENT = '192.0.2.1';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
}

async function check(
  zone: Zone,
  client = CLIENT,
  name = 'mail.example.org',
  methods?: AuthMethods,
): Promise<AuthOutcome & { queries: string[] }> {
  const resolver = zoneResolver(zone);
  return { ...(await checkAuthRecord(ip(client), name, resolver, methods)), queries: resolver.queries };
}

const auth = (text: string, more: Zone = {}): Zone => ({ '_auth.example.org': { TXT: [text] }, ...more });
const spf = (text: string, name = 'mail.example.org'): Zone => ({ [name]: { TXT: [text] } });

describe('parsing', () => {
  it("counts MacQuigg's published example", () => {
    const text = 'helo=87.228.80.244/28,72.21.196.0/23,69.9.25.0/24,87.228.80.230-42';
    const prefixes = (parseAuthRecord(text)?.helo?.blocks ?? []).flatMap((block) => block.prefixes);
    const ranges = mergedRanges(prefixes, 4).map(({ end, first }) => end - first);
    expect(ranges).toEqual([256n, 512n, 26n]);
    expect(addressesIn(prefixes, 4)).toBe(794n);
  });

  const blocks: [string, bigint | null][] = [
    ['192.0.2.1', 1n],
    ['192.0.2.77/24', 256n],
    ['192.0.2.216-8', 3n],
    ['192.0.2.230-42', 13n],
    ['87.238.80.25-7', 3n],
    ['69.9.25.0-255', 256n],
    ['192.0.2.8-216', 209n],
    ['192.0.2.7-7', 1n],
    ['192.0.2.42-1', null],
    ['192.0.2.1-256', null],
    ['192.0.2.1-2-3', null],
    ['192.0.2.1/33', null],
    ['192.0.2', null],
    ['192.0.2.01', null],
    ['', null],
  ];
  it.each(blocks)('%j holds %s addresses', (text, size) => {
    const block = parseAuthBlock(text);
    expect(block === null ? null : addressesIn(block.prefixes, 4)).toBe(size);
  });

  it('reads words in any case and order, and ignores others', () => {
    expect(
      parseAuthRecord('HELO=a,Mx service=X1 x METHOD=spf,Dkim helo=2001:db8::/32,spf,? option=y'),
    ).toMatchObject({
      helo: { blocks: [{ text: '2001:db8::/32' }], references: ['A', 'MX', 'SPF'], unread: ['?'] },
      methods: ['SPF', 'DKIM'],
    });
  });

  it.each(['', 'v=spf1 -all', 'service=X1', 'xhelo=A', 'helo A', 'v=DKIM1; p=abc'])(
    '%j is no owner record',
    (text) => {
      expect(parseAuthRecord(text)).toBeNull();
    },
  );
});

describe('results', () => {
  const mx = { MX: [{ preference: 1, exchange: 'mx.example.org' }] };
  const rows: [string, Zone, AuthOutcome['result'], string | null][] = [
    ['in a block', auth('helo=192.0.2.0/24'), 'pass', '192.0.2.0/24'],
    ['in a range', auth('helo=198.51.100.1,192.0.2.1-3'), 'pass', '192.0.2.1-3'],
    ['not in it', auth('helo=198.51.100.0/24'), 'fail', 'helo='],
    ['A', auth('helo=A', { 'example.org': { A: [CLIENT] } }), 'pass', 'A'],
    ['A, another', auth('helo=A', { 'example.org': { A: ['192.0.2.9'] } }), 'fail', 'helo='],
    ['A, trouble', auth('helo=A', { 'example.org': 'temperror' }), 'temperror', null],
    [
      'A, trouble, but in a block',
      auth('helo=A,192.0.2.1', { 'example.org': 'temperror' }),
      'pass',
      '192.0.2.1',
    ],
    ['MX', auth('helo=MX', { 'example.org': mx, 'mx.example.org': { A: [CLIENT] } }), 'pass', 'MX'],
    [
      'MX, another',
      auth('helo=MX', { 'example.org': mx, 'mx.example.org': { A: ['192.0.2.9'] } }),
      'fail',
      'helo=',
    ],
    ['MX, none', auth('helo=MX'), 'fail', 'helo='],
    ['SPF', auth('helo=SPF', spf('v=spf1 ip4:192.0.2.1 -all', 'example.org')), 'pass', 'SPF'],
    ['SPF -all', auth('helo=SPF', spf('v=spf1 -all', 'example.org')), 'fail', 'helo='],
    ['SPF ?all', auth('helo=SPF', spf('v=spf1 ?all', 'example.org')), 'none', null],
    ['SPF, none', auth('helo=SPF'), 'none', null],
    ['more than we read', auth(`helo=198.51.100.0/24 x=${'x'.repeat(8192)}`), 'none', null],
    ['a word we cannot read', auth('helo=198.51.100.0/24,192.0.2.300'), 'none', null],
    ['an empty list', auth('helo='), 'none', null],
    ['method=SPF, pass', auth('method=SPF', spf('v=spf1 ip4:192.0.2.1 -all')), 'pass', 'method=SPF'],
    ['method=SPF, fail', auth('method=SPF', spf('v=spf1 -all')), 'fail', 'method=SPF'],
    ['method=SPF, softfail', auth('method=SPF', spf('v=spf1 ~all')), 'none', null],
    ['method=SPF, permerror', auth('method=SPF', spf('v=spf1 x')), 'none', null],
    ['method=SPF, no record', auth('method=SPF'), 'none', null],
    ['method=SPF, trouble', auth('method=SPF', { 'mail.example.org': 'temperror' }), 'temperror', null],
    [
      'in a block, but SPF fails',
      auth('helo=192.0.2.1 method=SPF', spf('v=spf1 -all')),
      'fail',
      'method=SPF',
    ],
    [
      'in a block, SPF in trouble',
      auth('helo=192.0.2.1 method=SPF', { 'mail.example.org': 'temperror' }),
      'pass',
      '192.0.2.1',
    ],
    [
      'not in a block, but SPF passes',
      auth('helo=198.51.100.1 method=SPF', spf('v=spf1 ip4:192.0.2.1')),
      'fail',
      'helo=',
    ],
    [
      'method=CSV, denied',
      auth('method=DKIM,CSV', {
        '_client._smtp.mail.example.org': { SRV: [{ priority: 1, weight: 1, port: 0, target: '' }] },
      }),
      'fail',
      'method=CSV',
    ],
    [
      'method=CSA, ok',
      auth('method=CSA', {
        '_client._smtp.mail.example.org': {
          SRV: [{ priority: 1, weight: 2, port: 0, target: 'mail.example.org' }],
        },
        'mail.example.org': { A: [CLIENT] },
      }),
      'pass',
      'method=CSA',
    ],
    ['methods we do not know', auth('method=DKIM,SID,FUTURE', spf('v=spf1 -all')), 'none', null],
    ['method=none', auth('method=none', spf('v=spf1 -all')), 'optout', 'method=none'],
    ['method=none, in a block', auth('helo=192.0.2.1 method=none'), 'pass', '192.0.2.1'],
    ['method=none, not in a block', auth('helo=198.51.100.1 method=None'), 'optout', 'method=none'],
    ['none beside a method', auth('helo=198.51.100.1 method=none,SPF'), 'fail', 'helo='],
    ['two records', { '_auth.example.org': { TXT: ['helo=192.0.2.1', 'helo=192.0.2.2'] } }, 'none', null],
    [
      'a text of others beside it',
      { '_auth.example.org': { TXT: ['x=y', 'helo=192.0.2.1'] } },
      'pass',
      '192.0.2.1',
    ],
    ['no record', {}, 'none', null],
    ['trouble', { '_auth.example.org': 'temperror' }, 'temperror', null],
  ];
  it.each(rows)('%s', async (_title, zone, result, matched) => {
    expect(await check(zone)).toMatchObject({ result, matched });
  });

  it('IPv6', async () => {
    const zone = auth('helo=192.0.2.0/24,2001:db8:1::/48');
    expect((await check(zone, '2001:db8:1::25')).result).toBe('pass');
    expect((await check(zone, '2001:db8:2::25')).result).toBe('fail');
  });

  it.each([
    ['helo=0.0.0.0/1,128.0.0.0/1', 'the record passes more than a /8 of IPv4'],
    ['helo=192.0.2.1,::/0', 'the record passes more than a /16 of IPv6'],
    ['helo=192.0.0.0/8', null],
  ])('the width of %s', async (text, tooWide) => {
    expect(await check(auth(text))).toMatchObject({ result: 'pass', tooWide });
  });

  it('a wide SPF record makes a wide pass', async () => {
    const zone = { ...spf('v=spf1 +all'), ...spf('v=spf1 +all', 'example.org') };
    const tooWide = '+all passes every client';
    expect(await check(auth('helo=SPF', zone))).toMatchObject({ result: 'pass', tooWide });
    expect(await check(auth('method=SPF', zone))).toMatchObject({ result: 'pass', tooWide });
  });
});

describe('where the record is', () => {
  it('the nearest wins, and is evidence', async () => {
    const zone: Zone = {
      '_auth.mail.example.org': { TXT: ['helo=192.0.2.1'], ttl: 60 },
      '_auth.example.org': { TXT: ['helo=198.51.100.1'], ttl: 600 },
    };
    const { queries, ...outcome } = await check(zone);
    expect(outcome).toEqual({
      result: 'pass',
      detail: '',
      domain: 'mail.example.org',
      record: 'helo=192.0.2.1',
      matched: '192.0.2.1',
      methods: [],
      tooWide: null,
      unanswered: null,
      ttl: 60,
    });
    expect(queries).toEqual(['_auth.mail.example.org TXT', '_auth.example.org TXT']);
  });

  it('trouble nearer than the record leaves it open', async () => {
    const zone = { ...auth('helo=192.0.2.1'), '_auth.mail.example.org': 'temperror' as const };
    expect(await check(zone)).toMatchObject({ result: 'temperror', domain: 'mail.example.org' });
  });

  it('never at the public suffix, six at most', async () => {
    const { queries } = await check(
      { '_auth.co.uk': { TXT: ['helo=192.0.2.1'] } },
      CLIENT,
      'a.b.c.d.e.f.g.example.co.uk',
    );
    expect(queries).toEqual(
      [
        'a.b.c.d.e.f.g.example',
        'd.e.f.g.example',
        'e.f.g.example',
        'f.g.example',
        'g.example',
        'example',
      ].map((name) => `_auth.${name}.co.uk TXT`),
    );
  });

  it.each(['192.0.2.1', '[192.0.2.1]', 'localhost', 'co.uk', '', 'a\0b.example.org'])(
    '%j is not asked',
    async (name) => {
      const { result, queries } = await check({ '_auth.example.org': 'temperror' }, CLIENT, name);
      expect({ result, queries }).toEqual({ result: 'none', queries: [] });
    },
  );
});

describe('methods of the caller', () => {
  it('are used, each only when the record wants it', async () => {
    const called: string[] = [];
    const methods: AuthMethods = {
      spf: (domain) => {
        called.push(domain);
        return Promise.reject(new Error('not called in this test'));
      },
      csa: () => {
        called.push('csa');
        return Promise.resolve({ status: 'ok', detail: '', record: null, ttl: null });
      },
    };
    expect((await check(auth('helo=192.0.2.1,SPF'), CLIENT, 'mail.example.org', methods)).result).toBe(
      'pass',
    );
    expect(called).toEqual([]);
    expect((await check(auth('method=CSV'), CLIENT, 'mail.example.org', methods)).matched).toBe('method=CSV');
    expect(called).toEqual(['csa']);
  });
});

it('works the SPF of a name out once, however often the record asks for it', async () => {
  const zone = auth('helo=SPF method=SPF,spf,sPf', spf('v=spf1 ip4:192.0.2.1 -all', 'example.org'));
  expect(parseAuthRecord('method=SPF,spf,sPf,CSA')?.methods).toEqual(['SPF', 'CSA']);
  const resolver = zoneResolver(zone);
  const ip = parseIp('192.0.2.1');
  if (ip === null) throw new Error('no address');
  expect((await checkAuthRecord(ip, 'example.org', resolver)).result).toBe('pass');
  expect(resolver.queries.filter((query) => query === 'example.org TXT')).toHaveLength(1);
});

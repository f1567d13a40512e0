/** SPF beyond the official suite: limits, traces, HELO identity, and what mailauth and others get wrong. */
import { describe, expect, it } from 'vitest';
import { type IpAddress, parseIp } from '../../../src/core/ip.ts';
import { checkHelo, checkHost, type SpfOptions, type SpfOutcome } from '../../../src/core/spf/index.ts';
import { type Zone, type ZoneResolver, zoneResolver } from '../../support/zone.ts';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
}

async function helo(
  client: string,
  zone: Zone,
  name = 'mail.example.org',
  options: SpfOptions = {},
): Promise<SpfOutcome & { queries: string[] }> {
  const resolver: ZoneResolver = zoneResolver(zone);
  return { ...(await checkHelo(ip(client), name, resolver, options)), queries: resolver.queries };
}

const V4 = '192.0.2.1';
const V6 = '2001:db8::1';
const spf = (text: string): { TXT: string[] } => ({ TXT: [text] });

describe('results', () => {
  const rows: [string, string, Zone, string][] = [
    ['no record', V4, { 'mail.example.org': { A: [V4] } }, 'none'],
    ['no name', V4, {}, 'none'],
    ['a -all', V4, { 'mail.example.org': { A: [V4], ...spf('v=spf1 a -all') } }, 'pass'],
    [
      'a -all, AAAA',
      V6,
      { 'mail.example.org': { AAAA: ['2001:DB8:0::1'], ...spf('v=spf1 a -all') } },
      'pass',
    ],
    ['never says HELO', V4, { 'mail.example.org': spf('v=spf1 -all') }, 'fail'],
    ['macro %{h}', V4, { 'mail.example.org': { A: [V4], ...spf('v=spf1 a:%{h} -all') } }, 'pass'],
    [
      '%{d} inside an include is the included domain (mailauth #126)',
      V4,
      {
        'mail.example.org': spf('v=spf1 include:_spf.example.net -all'),
        '_spf.example.net': spf('v=spf1 a:hosts.%{d} -all'),
        'hosts._spf.example.net': { A: [V4] },
      },
      'pass',
    ],
    [
      'servfail inside an include is no fail',
      V4,
      {
        'mail.example.org': spf('v=spf1 include:_spf.example.net -all'),
        '_spf.example.net': 'temperror',
      },
      'temperror',
    ],
    [
      'IPv6 client, mx with IPv4-only hosts, then a matching ip6',
      V6,
      {
        'mail.example.org': {
          MX: ['a', 'b', 'c', 'd'].map((host) => ({ preference: 10, exchange: `${host}.example.org` })),
          ...spf('v=spf1 mx ip6:2001:db8::/64 -all'),
        },
        'a.example.org': { A: [V4] },
        'b.example.org': { A: [V4] },
        'c.example.org': { A: [V4] },
        'd.example.org': { A: [V4] },
      },
      'pass',
    ],
    [
      'a match by one MX host outweighs trouble with another',
      V4,
      {
        'mail.example.org': {
          MX: ['a', 'b'].map((host) => ({ preference: 10, exchange: `${host}.example.org` })),
          ...spf('v=spf1 mx -all'),
        },
        'a.example.org': 'temperror',
        'b.example.org': { A: [V4] },
      },
      'pass',
    ],
    [
      'trouble with an MX host is no fail',
      V4,
      {
        'mail.example.org': {
          MX: ['a', 'b'].map((host) => ({ preference: 10, exchange: `${host}.example.org` })),
          ...spf('v=spf1 mx -all'),
        },
        'a.example.org': 'temperror',
        'b.example.org': { A: ['192.0.2.9'] },
      },
      'temperror',
    ],
    [
      'syntax error after the match',
      V4,
      { 'mail.example.org': spf('v=spf1 ip4:192.0.2.1 -all oops') },
      'permerror',
    ],
    [
      'redirect beside all',
      V4,
      { 'mail.example.org': spf('v=spf1 ?all redirect=nowhere.example.net') },
      'neutral',
    ],
    [
      'three voids',
      V4,
      { 'mail.example.org': spf('v=spf1 a mx exists:no.example.net ip4:192.0.2.1 -all') },
      'permerror',
    ],
    ['two voids', V4, { 'mail.example.org': spf('v=spf1 a mx ip4:192.0.2.1 -all') }, 'pass'],
    [
      'ptr, of more than ten names one within the domain, and last',
      V4,
      {
        '1.2.0.192.in-addr.arpa': {
          PTR: [...Array.from({ length: 12 }, (_, i) => `h${i}.example.net`), 'x.mail.example.org'],
        },
        'x.mail.example.org': { A: [V4] },
        'mail.example.org': spf('v=spf1 ptr -all'),
      },
      'pass',
    ],
    [
      'ptr trouble is no match',
      V4,
      { '1.2.0.192.in-addr.arpa': 'temperror', 'mail.example.org': spf('v=spf1 ptr -all') },
      'fail',
    ],
    [
      'include of a name that is none',
      V4,
      { 'mail.example.org': spf('v=spf1 include:a..example.net -all') },
      'permerror',
    ],
    [
      'mapped network holds nobody',
      V4,
      { 'mail.example.org': spf('v=spf1 ip6:::ffff:192.0.2.1 -all') },
      'fail',
    ],
    [
      'mapped network wide enough for IPv6',
      V6,
      { 'mail.example.org': spf('v=spf1 ip6:::ffff:192.0.2.1/2 -all') },
      'pass',
    ],
    ['ip4 does not hold IPv6', V6, { 'mail.example.org': spf('v=spf1 ip4:0.0.0.0/0 -all') }, 'fail'],
    ['two records', V4, { 'mail.example.org': { TXT: ['v=spf1 a', 'v=spf1 mx'] } }, 'permerror'],
    [
      'an unaskable name is no match',
      V4,
      { 'mail.example.org': spf('v=spf1 a:a\\b.example.net exists:%{d}/x.%{d} ~all') },
      'softfail',
    ],
  ];
  it.each(rows)('%s: %s', async (_title, client, zone, result) => {
    expect((await helo(client, zone)).result).toBe(result);
  });
});

describe('names that never reach DNS', () => {
  it.each([
    '192.0.2.1',
    '[192.0.2.1]',
    '[IPv6:2001:db8::1]',
    'localhost',
    '',
    'a..b',
    'a b.example.org',
    `${'a'.repeat(64)}.example.org`,
    'mail.example.org\0.evil.example.net',
    '2001:db8::1',
  ])('%j', async (name) => {
    const { result, queries } = await helo(V4, { [name]: spf('v=spf1 +all') }, name);
    expect(result).toBe('none');
    expect(queries).toEqual([]);
  });

  it('a trailing dot is the same name', async () => {
    const { result, queries } = await helo(
      V4,
      { 'mail.example.org': spf('v=spf1 +all') },
      'Mail.Example.ORG.',
    );
    expect(result).toBe('pass');
    expect(queries).toEqual(['mail.example.org TXT']);
  });
});

describe('what an outcome tells', () => {
  it('the terms that decided, with their domains', async () => {
    const outcome = await helo(V4, {
      'mail.example.org': { ...spf('v=spf1 include:_spf.example.net -all'), ttl: 600 },
      '_spf.example.net': { ...spf('v=spf1 a:x.example.net ip4:192.0.2.0/24 -all'), ttl: 60 },
      'x.example.net': { A: ['192.0.2.77'], ttl: 30 },
    });
    expect(outcome).toMatchObject({
      result: 'pass',
      mechanism: 'include:_spf.example.net (mail.example.org), ip4:192.0.2.0/24 (_spf.example.net)',
      record: 'v=spf1 include:_spf.example.net -all',
      lookups: 2,
      voidLookups: 0,
      ttl: 30,
      tooWide: null,
    });
  });

  it('the record of a redirect, and its explanation', async () => {
    const outcome = await helo(V4, {
      'mail.example.org': spf('v=spf1 exp=not.example.org redirect=_spf.example.net'),
      '_spf.example.net': spf('v=spf1 -all exp=why.%{d}'),
      'why._spf.example.net': { TXT: ['%{c} is not %{h} (%{s}, %{r}, %{t})'] },
    });
    expect(outcome).toMatchObject({
      result: 'fail',
      mechanism: '-all (_spf.example.net)',
      record: 'v=spf1 -all exp=why.%{d}',
      explanation: '192.0.2.1 is not mail.example.org (postmaster@mail.example.org, unknown, 0)',
      lookups: 1,
    });
  });

  it('an explanation only when asked for', async () => {
    const zone = {
      'mail.example.org': spf('v=spf1 -all exp=why.%{d}'),
      'why.mail.example.org': { TXT: ['no'] },
    };
    const { explanation, queries } = await helo(V4, zone, 'mail.example.org', { explain: false });
    expect(explanation).toBeNull();
    expect(queries).toEqual(['mail.example.org TXT']);
  });

  it.each([
    ['v=spf1 a:192.0.2.1', 'syntax error in "a:192.0.2.1" (an address belongs in ip4:) of mail.example.org'],
    ['v=spf1 exp=a.b exp=a.b', 'exp= appears twice of mail.example.org'],
    ['v=spf1 include:gone.example.net', 'include:gone.example.net: gone.example.net has no SPF record'],
    ['v=spf1 redirect=mail.example.org', 'more than 10 terms that need DNS'],
  ])('why %s is a permerror', async (record, detail) => {
    expect(await helo(V4, { 'mail.example.org': spf(record) })).toMatchObject({
      result: 'permerror',
      detail,
    });
  });

  it('why DNS could not say', async () => {
    const zone: Zone = { 'mail.example.org': spf('v=spf1 a:x.example.net'), 'x.example.net': 'temperror' };
    expect(await helo(V4, zone)).toMatchObject({ result: 'temperror', detail: 'x.example.net A: servfail' });
  });
});

it.each([
  ['-all', '192.0.2.1 is not welcome'],
  // "Not authorized" is said in nothing but a fail (RFC 7208 §6.2).
  ['~all', null],
  ['?all', null],
  ['+all', null],
])('explains no result but fail: %s', async (all, explanation) => {
  const zone: Zone = {
    'mail.example.org': spf(`v=spf1 ${all} exp=why.example.org`),
    'why.example.org': { TXT: ['%{i} is not welcome'] },
  };
  const told = await helo(V4, zone);
  expect(told.explanation).toBe(explanation);
  expect(told.queries.includes('why.example.org TXT')).toBe(explanation !== null);
});

it('takes the name itself for %{p}, whichever name comes first', async () => {
  const zone: Zone = {
    'mail.example.org': { A: [V4], ...spf('v=spf1 exists:%{p}.ok.example.net -all') },
    'a.mail.example.org': { A: [V4] },
    '1.2.0.192.in-addr.arpa': { PTR: ['other.org', 'a.mail.example.org', 'mail.example.org'] },
    'other.org': { A: [V4] },
    'mail.example.org.ok.example.net': { A: ['127.0.0.2'] },
  };
  expect((await helo(V4, zone)).result).toBe('pass');
  // Then one below it, and then any.
  const below: Zone = {
    ...zone,
    '1.2.0.192.in-addr.arpa': { PTR: ['other.org', 'a.mail.example.org'] },
    'a.mail.example.org.ok.example.net': { A: ['127.0.0.2'] },
  };
  expect((await helo(V4, below)).result).toBe('pass');
  const any: Zone = {
    ...zone,
    '1.2.0.192.in-addr.arpa': { PTR: ['other.org'] },
    'other.org.ok.example.net': { A: ['127.0.0.2'] },
  };
  expect((await helo(V4, any)).result).toBe('pass');
});

it('is the same for a name with a final dot', async () => {
  const zone = zoneResolver({ 'mail.example.org': spf('v=spf1 a:%{d} -all') });
  const request = { ip: ip(V4), domain: 'mail.example.org.', sender: 'a@b.org', helo: 'mail.example.org' };
  expect((await checkHost(request, zone)).result).toBe('fail');
  expect(zone.queries).toEqual(['mail.example.org TXT', 'mail.example.org A']);
});

describe('economy', () => {
  it('asks nothing for terms that are not reached', async () => {
    const { queries } = await helo(V4, {
      'mail.example.org': spf('v=spf1 ip4:192.0.2.1 a mx ptr include:x.example.net -all'),
    });
    expect(queries).toEqual(['mail.example.org TXT']);
  });

  it('asks only for PTR names that could match', async () => {
    const { result, queries } = await helo(V4, {
      'mail.example.org': spf('v=spf1 ptr -all'),
      '1.2.0.192.in-addr.arpa': {
        PTR: ['elsewhere.example.net', 'Mail.example.org', 'a\0b.mail.example.org'],
      },
    });
    expect(result).toBe('fail');
    expect(queries).toEqual(['mail.example.org TXT', '1.2.0.192.in-addr.arpa PTR', 'mail.example.org A']);
  });

  it('asks for the hosts of an mx together', async () => {
    const hosts = ['a.example.org', 'b.example.org'];
    let open = 0;
    let most = 0;
    const inner = zoneResolver({
      'mail.example.org': {
        MX: hosts.map((exchange) => ({ preference: 1, exchange })),
        ...spf('v=spf1 mx -all'),
      },
    });
    await checkHelo(ip(V4), 'mail.example.org', {
      async lookup(name, type) {
        most = Math.max(most, ++open);
        await Promise.resolve();
        open--;
        return inner.lookup(name, type);
      },
    });
    expect(most).toBe(2);
  });

  it('asks nothing after the deadline', async () => {
    let time = 0;
    const zone: Zone = { 'mail.example.org': spf('v=spf1 a mx -all exp=x.example.net') };
    const options = { now: (): number => (time += 4), deadline: 10 };
    const { result, detail, queries } = await helo(V4, zone, 'mail.example.org', options);
    expect({ result, detail }).toEqual({ result: 'temperror', detail: 'mail.example.org MX: deadline' });
    expect(queries.length).toBe(2);
  });
});

describe('MAIL FROM', () => {
  it('keeps sender, HELO and domain apart', async () => {
    const resolver = zoneResolver({
      'example.org': spf('v=spf1 exists:%{l}.%{o}.%{h}.%{d}.x -all'.replace('.x', '.example.net')),
      'ann.example.com.mail.example.net.example.org.example.net': { A: ['127.0.0.2'] },
    });
    const outcome = await checkHost(
      { ip: ip(V4), domain: 'example.org', sender: 'ann@example.com', helo: 'mail.example.net' },
      resolver,
    );
    expect(outcome.result).toBe('pass');
  });
});

/** Records under which a pass identifies nobody. */
import { describe, expect, it } from 'vitest';
import { parseIp, parsePrefix } from '../../../src/core/ip.ts';
import { checkHelo } from '../../../src/core/spf/index.ts';
import { addressesIn } from '../../../src/core/spf/width.ts';
import { type Zone, zoneResolver } from '../../support/zone.ts';

const CLIENT = '192.0.2.1';
const spf = (text: string): { TXT: string[] } => ({ TXT: [text] });

async function widthOf(zone: Zone, client = CLIENT): Promise<{ reason: string | null; queries: string[] }> {
  const address = parseIp(client);
  if (address === null) throw new Error(client);
  const resolver = zoneResolver(zone);
  const { result, tooWide } = await checkHelo(address, 'mail.example.org', resolver);
  expect(result).toBe('pass');
  return { reason: tooWide, queries: resolver.queries };
}

const SUM4 = 'the record passes more than a /8 of IPv4';
const SUM6 = 'the record passes more than a /16 of IPv6';
const own = (text: string, more: Zone[string] & object = {}): Zone => ({
  'mail.example.org': { ...spf(text), ...more },
});

describe('too wide', () => {
  const rows: [string, Zone, string][] = [
    ['+all', own('v=spf1 +all'), '+all passes every client'],
    ['all after the match', own('v=spf1 ip4:192.0.2.1 all'), 'all passes every client'],
    ['two halves of the Internet', own('v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all'), SUM4],
    ['a /7', own('v=spf1 ip4:192.0.0.0/7 -all'), SUM4],
    ['a /8 and one address', own('v=spf1 ip4:192.0.0.0/8 ip4:10.0.0.1 -all'), SUM4],
    ['the other family', own('v=spf1 a ip6:2000::/3 -all', { A: [CLIENT] }), SUM6],
    ['a/0', own('v=spf1 a/0 -all', { A: ['10.0.0.1'] }), SUM4],
    ['a//0 for a client of IPv4', own('v=spf1 a//0 -all', { A: [CLIENT] }), SUM6],
    ['an mx/1 that was not reached', own('v=spf1 ip4:192.0.2.1 mx/1 -all'), SUM4],
    [
      'in an include',
      {
        ...own('v=spf1 include:_spf.example.net -all'),
        '_spf.example.net': spf('v=spf1 ip4:128.0.0.0/1 -all'),
      },
      SUM4,
    ],
    [
      'in sum of several includes',
      {
        ...own('v=spf1 include:a.example.net include:b.example.net -all'),
        'a.example.net': spf('v=spf1 ip4:10.0.0.0/8 -all'),
        'b.example.net': spf('v=spf1 ip4:192.0.0.0/8 -all'),
      },
      SUM4,
    ],
    [
      '+all of a redirect',
      { ...own('v=spf1 redirect=_spf.example.net'), '_spf.example.net': spf('v=spf1 +all') },
      '+all passes every client',
    ],
    [
      'exists of a fixed name',
      { ...own('v=spf1 exists:yes.example.net -all'), 'yes.example.net': { A: ['127.0.0.2'] } },
      'exists:yes.example.net does not depend on the client',
    ],
    [
      'exists of the HELO name',
      { ...own('v=spf1 exists:%{h} -all', { A: ['127.0.0.2'] }) },
      'exists:%{h} does not depend on the client',
    ],
    [
      'any reverse name',
      {
        ...own('v=spf1 ptr:%{p} -all'),
        '1.2.0.192.in-addr.arpa': { PTR: ['x.example.com'] },
        'x.example.com': { A: [CLIENT] },
      },
      'ptr:%{p} passes every client with a matching reverse name',
    ],
    [
      'a public suffix',
      {
        ...own('v=spf1 ptr:co.uk -all'),
        '1.2.0.192.in-addr.arpa': { PTR: ['x.co.uk'] },
        'x.co.uk': { A: [CLIENT] },
      },
      'ptr:co.uk passes every client with a matching reverse name',
    ],
    [
      'exists of a wildcard',
      {
        ...own('v=spf1 exists:%{i}.spf.example.net -all'),
        '192.0.2.1.spf.example.net': { A: ['127.0.0.2'] },
        '192.255.253.254.spf.example.net': { A: ['127.0.0.2'] },
      },
      'exists:%{i}.spf.example.net passes any client, 192.255.253.254 for one',
    ],
    [
      'a zone that echoes the address',
      {
        ...own('v=spf1 a:%{i}.echo.example.net -all'),
        '192.0.2.1.echo.example.net': { A: ['192.0.2.1'] },
        '192.255.253.254.echo.example.net': { A: ['192.255.253.254'] },
      },
      'a:%{i}.echo.example.net passes any client, 192.255.253.254 for one',
    ],
    [
      'an include that passes whoever asks',
      {
        ...own('v=spf1 include:%{i}.spf.example.net -all'),
        '192.0.2.1.spf.example.net': spf('v=spf1 ip4:192.0.2.1 -all'),
        '192.255.253.254.spf.example.net': spf('v=spf1 ip4:192.255.253.254 -all'),
      },
      'include:%{i}.spf.example.net passes any client, 192.255.253.254 for one',
    ],
  ];
  it.each(rows)('%s', async (_title, zone, reason) => {
    expect((await widthOf(zone)).reason).toBe(reason);
  });

  it('half of IPv6 through an exists that looks at one nibble', async () => {
    const zone = { ...own('v=spf1 exists:%{i1r}.example.net -all'), '2.example.net': { A: ['127.0.0.2'] } };
    expect((await widthOf(zone, '2001:db8::1')).reason).toBe(SUM6);
  });
});

describe('not too wide', () => {
  const rows: [string, Zone][] = [
    ['a whole /8', own('v=spf1 ip4:192.0.0.0/8 -all')],
    [
      'the same /8 twice, and part of it',
      own('v=spf1 ip4:192.0.0.0/8 ip4:192.1.2.3/8 ip4:192.0.2.0/24 -all'),
    ],
    ['what comes after all', own('v=spf1 ip4:192.0.2.1 -all ip4:0.0.0.0/0')],
    ['what does not pass', own('v=spf1 ip4:192.0.2.1 ?ip4:0.0.0.0/0 ~all')],
    [
      'an include whose pass is not ours',
      {
        ...own('v=spf1 ?include:_spf.example.net a -all', { A: [CLIENT] }),
        '_spf.example.net': spf('v=spf1 ip4:0.0.0.0/1 -all'),
      },
    ],
    ['an exists that found nothing', own('v=spf1 exists:no.example.net a -all', { A: [CLIENT] })],
    [
      'a list of hosts in DNS',
      {
        ...own('v=spf1 exists:%{i}.spf.example.net -all'),
        '192.0.2.1.spf.example.net': { A: ['127.0.0.2'] },
      },
    ],
    ['a, mx and ptr', own('v=spf1 a mx ptr:example.org -all', { A: [CLIENT] })],
  ];
  it.each(rows)('%s', async (_title, zone) => {
    expect((await widthOf(zone)).reason).toBeNull();
  });

  it('costs no query but one control for a macro of the address', async () => {
    const plain = await widthOf(own('v=spf1 ip4:192.0.2.1 mx/1 include:x.example.net -all'));
    expect(plain.queries).toEqual(['mail.example.org TXT']);
    const macro = await widthOf({
      ...own('v=spf1 exists:%{i}.spf.example.net -all'),
      '192.0.2.1.spf.example.net': { A: ['127.0.0.2'] },
    });
    expect(macro.queries.length).toBe(3);
  });
});

describe('a term with the address of the client in it', () => {
  const OTHER = '192.255.253.254';
  const include = (...texts: string[]): Zone => ({
    ...own('v=spf1 include:%{i}.spf.example.net -all'),
    [`${CLIENT}.spf.example.net`]: spf('v=spf1 ip4:192.0.2.1 -all'),
    [`${OTHER}.spf.example.net`]: { TXT: texts },
  });
  const address = (records: Zone[string]): Zone => ({
    ...own('v=spf1 a:%{i}.echo.example.net -all'),
    [`${CLIENT}.echo.example.net`]: { A: [CLIENT] },
    [`${OTHER}.echo.example.net`]: records,
  });
  const rows: [string, Zone, passesAnybody: boolean][] = [
    ['another that passes all', include('v=spf1 +all'), true],
    ['another that passes all, by the way', include('v=spf1 ip4:198.51.100.1 all'), true],
    ['another that passes its own', include(`v=spf1 ip4:${OTHER} -all`), true],
    ['another that passes its network', include('v=spf1 ip4:192.255.0.0/16 -all'), true],
    ['another that passes somebody else', include('v=spf1 ip4:198.51.100.1 -all'), false],
    ['another that denies all', include('v=spf1 -all'), false],
    ['another that says nothing of all', include('v=spf1 ?all'), false],
    ['another that denies its own', include(`v=spf1 -ip4:${OTHER} +all`), false],
    ['another with no end', include('v=spf1 ip4:198.51.100.1'), false],
    ['another that needs DNS', include('v=spf1 a:example.net +all'), false],
    ['another with two records', include('v=spf1 +all', 'v=spf1 +all'), false],
    ['another with a record that is none', include('v=spf1 foo:bar +all'), false],
    ['another with a text that is no record', include('hello'), false],
    ['another that is not answered', { ...include(), [`${OTHER}.spf.example.net`]: 'temperror' }, false],
    ['one among several addresses', address({ A: ['198.51.100.1', OTHER] }), true],
    ['the address of somebody else', address({ A: ['198.51.100.1'] }), false],
    ['no address', address({ TXT: ['hello'] }), false],
    ['an address that is not answered', address('temperror'), false],
    [
      'a host of a name that is there for some',
      {
        ...own('v=spf1 a:%{i}.echo.example.net -all'),
        [`${CLIENT}.echo.example.net`]: { A: [CLIENT] },
      },
      false,
    ],
    [
      'the hosts of a domain',
      {
        ...own('v=spf1 mx:%{i}.mx.example.net -all'),
        [`${CLIENT}.mx.example.net`]: { MX: [{ preference: 1, exchange: 'a.example.net' }] },
        [`${OTHER}.mx.example.net`]: { MX: [{ preference: 1, exchange: 'b.example.net' }] },
        'a.example.net': { A: [CLIENT] },
        'b.example.net': { A: [OTHER] },
      },
      // Nobody is asked: it would take more than one question.
      false,
    ],
    [
      'a part of the address that both have',
      { ...own('v=spf1 a:%{i1r}.spf.example.net -all'), '192.spf.example.net': { A: [CLIENT, OTHER] } },
      false,
    ],
    [
      'a name that the client has chosen too',
      {
        ...own('v=spf1 exists:%{i}.%{p}.example.net -all'),
        [`${CLIENT}.unknown.example.net`]: { A: ['127.0.0.2'] },
        [`${OTHER}.unknown.example.net`]: { A: ['127.0.0.2'] },
      },
      false,
    ],
  ];
  it.each(rows)('%s', async (_title, zone, passesAnybody) => {
    const { reason } = await widthOf(zone);
    if (passesAnybody) expect(reason).toMatch(/ passes any client, 192\.255\.253\.254 for one$/);
    else expect(reason).toBeNull();
  });

  it('of IPv6', async () => {
    const client = '2001:db8::1';
    const own6 = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2';
    const other = '2001:f247:ffff:ffff:ffff:ffff:ffff:fffe';
    const other6 = other.replaceAll(':', '').split('').reverse().join('.');
    const zone: Zone = {
      ...own('v=spf1 a:%{ir}.echo.example.net -all'),
      [`${own6}.echo.example.net`]: { AAAA: [client] },
      [`${other6}.echo.example.net`]: { AAAA: [other] },
    };
    expect((await widthOf(zone, client)).reason).toMatch(/ passes any client, 2001:f247:ffff/);
  });
});

describe('addressesIn', () => {
  const rows: [string[], 4 | 6, bigint][] = [
    [[], 4, 0n],
    [['0.0.0.0/0'], 4, 2n ** 32n],
    [['::/0', '2001:db8::/32'], 6, 2n ** 128n],
    [['192.0.2.0/25', '192.0.2.128/25', '192.0.2.7/32'], 4, 256n],
    [['192.0.2.77/24', '198.51.100.1', '2001:db8::1'], 4, 257n],
  ];
  it.each(rows)('%j in IPv%i', (texts, family, sum) => {
    const blocks = texts.map(parsePrefix).filter((prefix) => prefix !== null);
    expect(addressesIn(blocks, family)).toBe(sum);
  });
});

import { describe, expect, it } from 'vitest';
import { addressMatches } from '../../src/core/checks/address.ts';
import { clientAddress, embeddedIpv4, isUnreachable, sameHost } from '../../src/core/embedded.ts';
import { type IpAddress, parseIp, parsePrefix } from '../../src/core/ip.ts';
import { assessed, outcome } from '../support/checked.ts';
import type { Zone } from '../support/zone.ts';

const ip = (text: string): IpAddress => parseIp(text) ?? expect.fail(text);
const prefixes = (...texts: string[]): NonNullable<ReturnType<typeof parsePrefix>>[] =>
  texts.map((text) => parsePrefix(text) ?? expect.fail(text));

describe('the IPv4 address in', () => {
  // The table of RFC 6052 §2.4, for 192.0.2.33.
  it.each([
    ['2001:db8::/32', '2001:db8:c000:221::'],
    ['2001:db8:100::/40', '2001:db8:1c0:2:21::'],
    ['2001:db8:122::/48', '2001:db8:122:c000:2:2100::'],
    ['2001:db8:122:300::/56', '2001:db8:122:3c0:0:221::'],
    ['2001:db8:122:344::/64', '2001:db8:122:344:c0:2:2100::'],
    ['2001:db8:122:344::/96', '2001:db8:122:344::192.0.2.33'],
  ])('%s, %s', (prefix, address) => {
    expect(embeddedIpv4(ip(address), prefixes(prefix))?.text).toBe('192.0.2.33');
    expect(clientAddress(ip(address), prefixes(prefix)).text).toBe('192.0.2.33');
    expect(clientAddress(ip(address)).text).toBe(ip(address).text);
  });

  it.each([
    ['64:ff9b::192.0.2.33', '192.0.2.33'],
    ['2002:c000:221::1', '192.0.2.33'],
    // RFC 4380 §4: each bit of the address is inverted.
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', '192.0.2.45'],
    ['2001:db8::1', undefined],
    ['2001:1::1', undefined],
    // One bit away from a tunnel.
    ['2001:100:4136:e378:8000:63bf:3fff:fdd2', undefined],
    ['2000:0:4136:e378:8000:63bf:3fff:fdd2', undefined],
    ['3001:0:4136:e378:8000:63bf:3fff:fdd2', undefined],
    ['2003:c000:221::1', undefined],
    ['3002:c000:221::1', undefined],
    ['192.0.2.33', undefined],
  ])('%s', (address, wanted) => {
    expect(embeddedIpv4(ip(address))?.text).toBe(wanted);
  });
});

it.each([
  ['64:ff9b::192.0.2.33', '192.0.2.33'],
  // Tunnels: the client has this address, and the one inside it is looked at as well.
  ['2002:c000:221::1', '2002:c000:221::1'],
  // No translator makes these (RFC 6052 §3.1), and they must not pass for loopback or for one of our
  // addresses.
  ['64:ff9b::127.0.0.1', '64:ff9b::7f00:1'],
  ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
])('the client %s is %s', (address, wanted) => {
  expect(clientAddress(ip(address)).text).toBe(wanted);
});

it.each([
  ['192.0.2.33', '192.0.2.33', true],
  ['192.0.2.33', '64:ff9b::c000:221', true],
  ['2002:c000:221::1', '192.0.2.33', true],
  ['192.0.2.34', '64:ff9b::c000:221', false],
  // Two hosts of one site.
  ['2002:c000:221::1', '2002:c000:221::2', false],
])('%s and %s are one host: %s', (a, b, wanted) => {
  expect(sameHost(ip(a), ip(b))).toBe(wanted);
});

it.each([
  ['10.0.0.1', true],
  ['2002:a00:1::1', true],
  ['64:ff9b::10.0.0.1', true],
  ['2002:c000:221::1', false],
  ['2001:db8::1', false],
])('%s leads to no public host: %s', (address, wanted) => {
  expect(isUnreachable(ip(address))).toBe(wanted);
});

it.each([
  ['192.0.2.33', 'translated.example.org', 'pass exact'],
  ['2002:c000:221::1', 'plain.example.org', 'pass exact'],
  ['2002:c000:222::1', 'plain.example.org', 'none'],
])('%s saying %s: %s', async (client, helo, wanted) => {
  const zone = {
    'translated.example.org': { AAAA: ['64:ff9b::c000:221'] },
    'plain.example.org': { A: ['192.0.2.33'] },
  };
  expect(await outcome(addressMatches, client, helo, zone)).toBe(wanted);
});

it('a client of a server behind a NAT64 is the sender, also where no milter is', async () => {
  const zone = { 'mail.example.org': { TXT: ['v=spf1 ip4:192.0.2.33 -all'] } };
  const { client, correspondence } = await assessed('64:ff9b::192.0.2.33', 'mail.example.org', zone);
  expect(client.ip?.text).toBe('192.0.2.33');
  expect(correspondence).toBe('authorized');
});

describe('a client from a tunnel', () => {
  const SIX = '2002:c000:221::1';
  const TEREDO = '2001:0:4136:e378:8000:63bf:3fff:fdd2';
  const six = `${'1.0.0.0.'.padEnd(40, '0.')}1.2.2.0.0.0.0.c.2.0.0.2.ip6.arpa`;

  interface Case {
    readonly title: string;
    readonly client: string;
    readonly zone: Zone;
    readonly shown: string;
    /** Of the check iprev. */
    readonly reverse?: string;
    /** Of the check spf. */
    readonly spf?: string;
  }
  const SPF4 = { 'mail.example.org': { A: ['198.51.100.1'], TXT: ['v=spf1 ip4:192.0.2.33 -all'] } } as const;

  it.each<Case>([
    { title: '6to4, ip4: of its router', client: SIX, zone: SPF4, shown: 'authorized', spf: 'pass' },
    {
      title: 'Teredo, ip4: of its NAT',
      client: TEREDO,
      zone: { 'mail.example.org': { TXT: ['v=spf1 ip4:192.0.2.45 -all'] } },
      shown: 'authorized',
      spf: 'pass',
    },
    {
      title: '6to4, ip6: of its own prefix',
      client: SIX,
      zone: { 'mail.example.org': { TXT: ['v=spf1 ip6:2002:c000:221::/48 -all'] } },
      shown: 'authorized',
      spf: 'pass',
    },
    {
      title: '6to4, neither permitted',
      client: '2002:c000:222::1',
      zone: SPF4,
      shown: 'none',
      spf: 'fail',
    },
    // Such an address cannot be at the end of a tunnel, and must not get anybody in.
    {
      title: '6to4 with a private address in it',
      client: '2002:a00:1::1',
      zone: { 'mail.example.org': { TXT: ['v=spf1 ip4:10.0.0.1 -all'] } },
      shown: 'none',
      spf: 'fail',
    },
    {
      title: 'an answer for the tunnel that did not come is no denial',
      client: SIX,
      zone: {
        'mail.example.org': { TXT: ['v=spf1 a:pool.example.org -all'] },
        'pool.example.org': { A: 'temperror', AAAA: ['2001:db8::9'] },
      },
      shown: 'none',
      spf: 'temperror',
    },
    {
      title: 'the reverse name of the IPv4 address',
      client: SIX,
      zone: {
        '33.2.0.192.in-addr.arpa': { PTR: ['out.example.org'] },
        'out.example.org': { A: ['192.0.2.33'] },
      },
      shown: 'aligned',
      reverse: 'pass',
    },
    {
      title: 'a reverse name of its own',
      client: SIX,
      zone: { [six]: { PTR: ['out.example.org'] }, 'out.example.org': { AAAA: [SIX] } },
      shown: 'aligned',
      reverse: 'pass',
    },
    { title: 'no reverse name at all', client: SIX, zone: {}, shown: 'none', reverse: 'permerror' },
    {
      title: 'no tunnel',
      client: '2001:db8::1',
      zone: SPF4,
      shown: 'none',
      spf: 'fail',
    },
  ])('$title', async ({ client, zone, shown, reverse, spf }) => {
    const { correspondence, outcomes, client: seen } = await assessed(client, 'mail.example.org', zone);
    const result = (wanted: string): string | undefined =>
      outcomes.find(({ check }) => check === wanted)?.result;
    expect(correspondence).toBe(shown);
    if (reverse !== undefined) expect(result('iprev')).toBe(reverse);
    if (spf !== undefined) expect(result('spf')).toBe(spf);
    // Lists, exemptions and counts use this address.
    expect(seen.ip?.text).toBe(ip(client).text);
  });

  it('says which address showed it', async () => {
    const { outcomes } = await assessed(SIX, 'mail.example.org', SPF4);
    expect(outcomes.find(({ check }) => check === 'spf')?.evidence['embedded']).toBe('192.0.2.33');
  });

  it.each([
    ['[IPv6:2002:c000:221::1]', []],
    ['[192.0.2.33]', []],
    ['[192.0.2.34]', ['helo-literal-mismatch']],
  ])('may say %s', async (helo, wanted) => {
    const { findings } = await assessed(SIX, helo);
    expect(findings.map(({ id }) => id).filter((id) => id === 'helo-literal-mismatch')).toEqual(wanted);
  });

  it('has a reverse name made from the address in it, which proves nothing', async () => {
    const { proofs } = await assessed(SIX, 'other.example.net', {
      '33.2.0.192.in-addr.arpa': { PTR: ['192-0-2-33.isp.net'] },
      '192-0-2-33.isp.net': { A: ['192.0.2.33'] },
    });
    expect(proofs).toEqual([]);
  });
});

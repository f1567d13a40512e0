import { describe, expect, it } from 'vitest';
import { addressMatches } from '../../src/core/checks/address.ts';
import { clientAddress, embeddedIpv4, isUnreachable, sameHost } from '../../src/core/embedded.ts';
import { type IpAddress, parseIp, parsePrefix } from '../../src/core/ip.ts';
import { outcome } from '../support/checked.ts';

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
    // RFC 4380 §4: each bit of it is turned.
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', '192.0.2.45'],
    ['2001:db8::1', undefined],
    ['2001:1::1', undefined],
    ['192.0.2.33', undefined],
  ])('%s', (address, wanted) => {
    expect(embeddedIpv4(ip(address))?.text).toBe(wanted);
  });
});

it.each([
  ['64:ff9b::192.0.2.33', '192.0.2.33'],
  // No tunnel: SPF and the reverse name of such a client are those of its own address.
  ['2002:c000:221::1', '2002:c000:221::1'],
  // No translator makes them (RFC 6052 §3.1), and they must not pass for loopback or one of ours.
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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ipFromBytes,
  ipv6Nibbles,
  type IpAddress,
  isLoopback,
  isPrivateAddress,
  networkText,
  parseIp,
  parsePrefix,
  prefixContains,
  reverseName,
  sameIp,
  sharesPrefix,
} from '../../src/core/ip.ts';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
}

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['128.0.0.1', false],
    ['0.0.0.0', false],
    ['::1', true],
    ['::', false],
    ['::ffff:127.0.0.1', true],
    ['2001:db8::1', false],
  ])('%s: %s', (text, wanted) => {
    expect(isLoopback(ip(text))).toBe(wanted);
  });
});

describe('parseIp', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    // One client, however the MTA writes it.
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:0201', '192.0.2.1'],
    // And nothing that only looks like it.
    ['::ff:192.0.2.1', '::ff:c000:201'],
    ['::ff00:192.0.2.1', '::ff00:c000:201'],
    ['1::ffff:192.0.2.1', '1::ffff:c000:201'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4:5:6:c000:201'],
    ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
  ])('reads %s as %s', (text, wanted) => {
    expect(ip(text).text).toBe(wanted);
  });

  it.each([
    '',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.01',
    '1.2.3.4.5',
    '2001:db8',
    '::1::',
    'fe80::1%eth0',
    '[::1]',
    ' 192.0.2.1',
    'mail',
    // Too much, at every place where there can be too much.
    '1:2:3:4:5:6:7:8::',
    '1:2:3:4:5:6:7::192.0.2.1',
    '1:2:3:4:5:6:7::8',
    '1:2:3:4:5:6:7:192.0.2.1',
    '::12345',
    '12345::1',
    '1:::2',
    ':1::2',
    '1::2:',
    '192.0.2.1::1',
    '1::192.0.2.1:2',
    '::192.0.2.256',
    '::1g',
    '::g1',
    `${'0:'.repeat(40)}1`,
  ])('refuses %j', (text) => {
    expect(parseIp(text)).toBeNull();
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const address = ipFromBytes([...bytes]);
        expect(sameIp(ip(address.text), address)).toBe(true);
      }),
    );
  });
});

describe('parsePrefix', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.77/24', '192.0.2.1', true],
    ['192.0.2.0/25', '192.0.2.128', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['0.0.0.0/0', '203.0.113.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/33', '2001:db8:ffff::1', false],
    ['::ffff:192.0.2.0/120', '192.0.2.9', true],
    ['192.0.2.1/32', '192.0.2.1', true],
    ['192.0.2.1/32', '192.0.2.0', false],
    ['2001:db8::1/128', '2001:db8::1', true],
    ['2001:db8::1/128', '2001:db8::', false],
  ])('%s contains %s: %s', (text, address, contained) => {
    const prefix = parsePrefix(text);
    expect(prefix !== null && prefixContains(prefix, ip(address))).toBe(contained);
  });

  it.each([
    '',
    '/24',
    '192.0.2.0/33',
    '2001:db8::/129',
    '192.0.2.0/-1',
    '192.0.2.0/1x',
    '192.0.2.0/',
    'a/8',
    '192.0.2.0/024',
    '192.0.2.0/x24',
    '::ffff:192.0.2.0/24',
  ])('refuses %j', (text) => {
    expect(parsePrefix(text)).toBeNull();
  });
});

describe('neighbours', () => {
  it.each([
    ['192.0.2.1', '192.0.2.254', 24, true],
    ['192.0.2.1', '192.0.3.1', 24, false],
    ['192.0.2.1', '192.0.3.1', 23, true],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', 64, true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', 64, false],
    ['192.0.2.1', '2001:db8::1', 0, false],
  ])('%s and %s share /%i: %s', (a, b, length, shared) => {
    expect(sharesPrefix(ip(a), ip(b), length)).toBe(shared);
  });

  it.each([
    ['192.0.2.77', 24, '192.0.2.0/24'],
    ['192.0.2.77', 32, '192.0.2.77/32'],
    ['2001:db8:1:2:3::4', 64, '2001:db8:1:2::/64'],
  ])('%s is in the network %i: %s', (text, length, network) => {
    expect(networkText(ip(text), length)).toBe(network);
  });
});

describe('reverseName', () => {
  it.each([
    ['192.0.2.1', '1.2.0.192.in-addr.arpa'],
    ['2001:db8::567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ])('of %s is %s', (text, name) => {
    expect(reverseName(ip(text))).toBe(name);
  });

  it('has 32 nibbles for IPv6', () => {
    expect(ipv6Nibbles(ip('2001:db8::1')).join('')).toBe('20010db8000000000000000000000001');
  });
});

describe('isPrivateAddress', () => {
  it.each([
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '127.0.0.1',
    '169.254.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '::ffff:10.0.0.1',
  ])('%s can never be reached from outside', (text) => {
    expect(isPrivateAddress(ip(text))).toBe(true);
  });

  it.each([
    '192.0.2.1', // documentation counts as public
    '198.51.100.1',
    '203.0.113.1',
    '2001:db8::1',
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '2600::1',
    '2002:c000:0204::1',
  ])('%s counts as public', (text) => {
    expect(isPrivateAddress(ip(text))).toBe(false);
  });
});

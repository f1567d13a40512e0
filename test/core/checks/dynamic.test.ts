import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dynamicName, hasNumbers, hasToken } from '../../../src/core/checks/dynamic.ts';
import { run } from '../../support/checked.ts';

async function encoding(ip: string | null, helo: string): Promise<string | null> {
  return (await run(dynamicName, ip, helo)).finding?.evidence['encoding'] ?? null;
}

const V6 = '2001:db8:1234:5678:9abc:def0:1357:2468';

it.each<[string | null, string, string | null]>([
  ['198.51.100.23', '198-51-100-23.isp.net', 'decimal'],
  ['198.51.100.23', 'host198x51x100x23.isp.net', 'decimal'],
  ['198.51.100.23', '198.51.100.23.isp.net', 'decimal'],
  ['198.51.100.23', '198-051-100-023.isp.net', 'decimal'],
  ['198.51.100.23', '198051100023.isp.net', 'decimal'],
  ['198.51.100.23', '23-100-51-198.isp.net', 'reversed decimal'],
  ['198.51.100.23', 'c6336417.isp.net', 'hexadecimal'],
  ['198.51.100.23', 'x-176433c6-x.isp.net', 'reversed hexadecimal'],
  ['198.51.100.23', 'u3325256727.isp.net', 'decimal number'],
  ['198.51.100.23', 'a51-100-23.isp.net', 'three octets, decimal'],
  ['198.51.100.23', '100-51-198.rev.isp.net', 'three octets, reversed decimal'],
  ['198.51.100.23', 'a198-51-100.isp.net', 'three octets, decimal'],
  ['198.51.100.23', '23-100-51.isp.net', 'three octets, reversed decimal'],
  ['198.51.100.23', 'dsl-100-23.isp.net', 'two octets, decimal'],
  ['198.51.100.23', '23-100.dynamic.isp.net', 'two octets, reversed decimal'],
  // Not the client's address, or not enough of it.
  ['198.51.101.24', '198-51-100-23.isp.net', null],
  ['198.51.100.23', '1198-51-100-23.isp.net', 'three octets, decimal'],
  // The address of another host, of which the client's has three octets or two.
  ['192.0.2.77', '10.2.0.192.in-addr.arpa', null],
  ['192.0.2.77', '77.2.0.192.in-addr.arpa', 'reversed decimal'],
  ['192.0.2.77', '2.0.192.in-addr.arpa', 'three octets, reversed decimal'],
  ['192.0.2.77', '192-0-2-10.isp.net', null],
  ['192.0.2.77', '10-0-2-77.isp.net', null],
  ['192.0.2.77', 'dsl-10-9-2-77.isp.net', null],
  ['192.0.2.77', 'host-192-0-2-10.77-2.dsl.isp.net', null],
  ['198.51.100.23', 'mail-100-23.isp.net', null],
  ['198.51.100.23', 'mail23.isp.net', null],
  ['198.51.100.23', 'dsl.isp.net', null],
  ['1.1.1.1', 'mail1.isp.net', null],
  ['1.2.3.4', 'mail.isp.net', null],
  [null, '198-51-100-23.isp.net', null],
  ['198.51.100.23', '198.51.100.23', null],
  ['198.51.100.23', 'Jupiter', null],
  // A number that fewer than four octets make is half of all names.
  ['0.188.97.78', 'u12345678.isp.net', null],
  // IPv6.
  ['2001:db8::1', 'host0000000000000001.isp.net', null],
  ['2001:db8::1:2345', 'host0000000000012345.isp.net', null],
  ['2001:db8::12:3456', 'host0000000000123456.isp.net', 'interface identifier, hexadecimal'],
  [V6, '20010db8123456789abcdef013572468.isp.net', 'hexadecimal'],
  [V6, '8.6.4.2.7.5.3.1.0.f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.8.b.d.0.1.0.0.2.isp.net', 'reversed hexadecimal'],
  [V6, '2001-db8-1234-5678-9abc-def0-1357-2468.isp.net', 'hexadecimal groups'],
  ['2001:db8::abcd', 'x2001-db8--abcd.isp.net', 'hexadecimal groups'],
  [V6, 'h9abc-def0-1357-2468.isp.net', 'interface identifier, hexadecimal'],
  ['2001:db8::1', 'mail1.isp.net', null],
  [V6, 'mail.isp.net', null],
])('%s says %s: %s', async (ip, helo, wanted) => {
  expect(await encoding(ip, helo)).toBe(wanted);
});

describe('what is looked for before an expression is made loses nothing', () => {
  // Few characters and short numbers, so that many names contain what is looked for, or nearly do.
  const names = fc.string({ unit: fc.constantFrom(...Array.from('0123-._xa')), maxLength: 16 });
  const octets = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 255 }));

  it('numbers between separators', () => {
    let held = 0;
    fc.assert(
      fc.property(names, fc.array(octets, { minLength: 1, maxLength: 4 }), (name, numbers) => {
        const wanted = new RegExp(`(?<!\\d)0*${numbers.join('[-._x]+0*')}(?!\\d)`).test(name);
        expect(hasNumbers(name, numbers)).toBe(wanted);
        held += Number(wanted);
      }),
      { numRuns: 2000 },
    );
    expect(held).toBeGreaterThan(0);
  });

  it.each(['0-9', '0-9a-f'])('a token among others than %s', (alphabet) => {
    const tokens = fc.string({ unit: fc.constantFrom(...Array.from('012a')), minLength: 1, maxLength: 3 });
    let held = 0;
    fc.assert(
      fc.property(names, tokens, (name, token) => {
        const wanted = new RegExp(`(?<![${alphabet}])${token}(?![${alphabet}])`).test(name);
        expect(hasToken(name, token, alphabet)).toBe(wanted);
        held += Number(wanted);
      }),
      { numRuns: 2000 },
    );
    expect(held).toBeGreaterThan(0);
  });
});

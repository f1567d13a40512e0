import { describe, expect, it } from 'vitest';
import * as values from '../../src/config/values.ts';
import { UsageError } from '../../src/errors.ts';

type Read = (text: string) => unknown;
const text = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'text' in value ? value.text : value;

describe('readers of option values', () => {
  it.each<[string, Read, string, unknown]>([
    ['a word', values.oneOf('a', 'b'), 'b', 'b'],
    ['a whole number', values.integerBetween(0, 10), '7', 7],
    ['a fraction', values.numberBetween(0, 10), '2.5', 2.5],
    ['milliseconds', values.durationBetween(0, 1e9), '500ms', 500],
    ['seconds', values.durationBetween(0, 1e9), '1.5s', 1500],
    ['minutes', values.durationBetween(0, 1e9), '15m', 900_000],
    ['hours', values.durationBetween(0, 1e9), '1h', 3_600_000],
    ['an address', values.address, '2001:DB8::1', '2001:db8::1'],
    ['a name', values.domainName, 'Mail.Example.Org.', 'mail.example.org'],
    ['a name in another script', values.domainName, 'Mail.Bücher.test.', 'mail.xn--bcher-kva.test'],
    [
      'an address to try',
      values.testAddress,
      'HeloTest@Bücher.test',
      { local: 'helotest', domain: 'xn--bcher-kva.test' },
    ],
    ['a weight', values.weight, 'helo-alias=2.5', ['helo-alias', 2.5]],
    ['text for replies', values.replyText(20), '+49 30 1234567', '+49 30 1234567'],
    ['a mode', values.fileMode, '0660', 0o660],
    ['a mode without its zero', values.fileMode, '600', 0o600],
    ['a number and a time', values.countAndAge, '5/4h', { count: 5, ageMs: 14_400_000 }],
    ['an authserv-id', values.token, 'MX.example.org', 'mx.example.org'],
    [
      'where to serve',
      values.httpAddress,
      '127.0.0.1:9892',
      { host: '127.0.0.1', port: 9892, loopback: true },
    ],
    ['where to serve, IPv6', values.httpAddress, '[::1]:0', { host: '::1', port: 0, loopback: true }],
    ['localhost', values.httpAddress, 'localhost:80', { host: '127.0.0.1', port: 80, loopback: true }],
    ['all addresses', values.httpAddress, '0.0.0.0:80', { host: '0.0.0.0', port: 80, loopback: false }],
    ['all of IPv6', values.httpAddress, '[::]:80', { host: '::', port: 80, loopback: false }],
    ['anything', values.verbatim, 'x y', 'x y'],
  ])('take %s', (_, read, given, wanted) => {
    expect(text(read(given))).toEqual(wanted);
  });

  it.each<[string, Read, string]>([
    ['a word that is none', values.oneOf('a', 'b'), 'c'],
    ['an authserv-id that needs quotes', values.token, 'mx:25'],
    ['a number beyond', values.integerBetween(0, 10), '11'],
    ['a fraction for a whole number', values.integerBetween(0, 10), '1.5'],
    ['a sign', values.integerBetween(-5, 10), '-1'],
    ['hexadecimal', values.integerBetween(0, 100), '0x10'],
    ['an exponent', values.integerBetween(0, 1000), '1e2'],
    ['nothing', values.integerBetween(0, 10), ''],
    ['a duration without unit', values.durationBetween(0, 1e9), '10'],
    ['a duration beyond', values.durationBetween(1000, 2000), '3s'],
    ['a prefix that is none', values.prefix, '192.0.2.0/40'],
    ['an address that is none', values.address, 'mail'],
    ['a name with a space', values.domainName, 'a b'],
    ['an empty name', values.domainName, ''],
    ['an address without a domain', values.testAddress, 'helotest'],
    ['an address that is never refused', values.testAddress, 'Postmaster@example.org'],
    ['a name with a port', values.domainName, 'bücher.test:25'],
    ['a weight without number', values.weight, 'helo-alias'],
    ['a negative weight', values.weight, 'helo-alias=-1'],
    ['a line break in a reply', values.replyText(20), 'a\nb'],
    ['other scripts in a reply', values.replyText(20), 'grüße'],
    ['an empty reply', values.replyText(20), ''],
    ['a long reply', values.replyText(3), 'abcd'],
    ['a number without a time', values.countAndAge, '5'],
    ['no number', values.countAndAge, '0/4h'],
    ['too much', values.countAndAge, '5/4h/x'],
    ['a mode that is none', values.fileMode, '999'],
    ['an address without a port', values.httpAddress, '127.0.0.1'],
    ['a port without an address', values.httpAddress, ':9892'],
    ['a port that is none', values.httpAddress, '127.0.0.1:65536'],
    ['a host to be looked up', values.httpAddress, 'mx.example.org:9892'],
    ['IPv6 without brackets', values.httpAddress, '::1:9892'],
    ['a URL', values.httpAddress, 'http://127.0.0.1:9892'],
  ])('refuse %s in one sentence', (_, read, given) => {
    expect(() => read(given)).toThrow(UsageError);
    expect(() => read(given)).toThrow(/^[^\n]+$/);
  });
});

describe('formatDuration', () => {
  it.each([
    [500, '500ms'],
    [6000, '6s'],
    [90_000, '90s'],
    [900_000, '15m'],
    [3_600_000, '1h'],
    [0, '0ms'],
  ])('%i is %s', (ms, wanted) => {
    expect(values.formatDuration(ms)).toBe(wanted);
  });
});

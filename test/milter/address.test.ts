import { describe, expect, it } from 'vitest';
import { AddressError, formatSocketAddress, parseSocketAddress } from '../../src/milter/address.ts';

describe('parseSocketAddress', () => {
  it.each([
    ['inet:127.0.0.1:8892', 'inet:127.0.0.1:8892'],
    ['inet:8892@127.0.0.1', 'inet:127.0.0.1:8892'],
    ['inet:localhost:0', 'inet:localhost:0'],
    ['inet:[::1]:8892', 'inet:[::1]:8892'],
    ['inet6:8892@::1', 'inet:[::1]:8892'],
    ['inet6:8892@[::1]', 'inet:[::1]:8892'],
    ['unix:/run/helo.sock', 'unix:/run/helo.sock'],
    ['local:/run/helo.sock', 'unix:/run/helo.sock'],
    ['/run/helo.sock', 'unix:/run/helo.sock'],
    ['unix:/run/a:b@c', 'unix:/run/a:b@c'],
    ['fd:3', 'fd:3'],
  ])('reads %s', (text, formatted) => {
    expect(formatSocketAddress(parseSocketAddress(text))).toBe(formatted);
  });

  it.each([
    '',
    'inet:',
    'inet:8892',
    'inet:127.0.0.1',
    'inet:host:99999',
    'inet:99999@host',
    'inet:a b:1',
    'tcp:127.0.0.1:1',
    'unix:relative',
    'fd:x',
    `unix:/${'x'.repeat(107)}`,
    'unix:/a\0b',
  ])('refuses %j in one sentence', (text) => {
    expect(() => parseSocketAddress(text)).toThrow(AddressError);
    expect(() => parseSocketAddress(text)).toThrow(/ is no socket to listen on: /);
  });
});

import { expect, it } from 'vitest';
import { HANDED_ONLY, serverText, socketsOf } from '../../src/config/addresses.ts';
import { OptionError, UsageError } from '../../src/errors.ts';

it('gives the sockets of --listen without those that systemd hands over', () => {
  expect(socketsOf({ listen: ['inet:8892@127.0.0.1', HANDED_ONLY, '/run/helo.sock'] })).toEqual([
    { kind: 'inet', host: '127.0.0.1', port: 8892 },
    { kind: 'unix', path: '/run/helo.sock' },
  ]);
});

it('tells what is no socket as a fault of --listen', () => {
  const wanted = { flag: '--listen', value: 'tcp:1', constructor: OptionError };
  expect(() => socketsOf({ listen: ['/run/helo.sock', 'tcp:1'] })).toThrow(expect.objectContaining(wanted));
});

it('takes the address of a name server as it was written, and tells what is none as a fault of the value', () => {
  expect(serverText('[::1]:53')).toBe('[::1]:53');
  expect(() => serverText('localhost')).toThrow(
    new UsageError('"localhost" is not an IP address, with or without a port'),
  );
});

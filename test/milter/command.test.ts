import { describe, expect, it } from 'vitest';
import { type Command, decodeCommand } from '../../src/milter/command.ts';
import { ProtocolError } from '../../src/milter/packet.ts';

function decode(letter: string, data: string | Buffer = ''): Command {
  return decodeCommand({
    command: letter.charCodeAt(0),
    data: typeof data === 'string' ? Buffer.from(data, 'latin1') : data,
  });
}

describe('CONNECT', () => {
  it.each([
    ['Postfix, IPv4', '[127.0.0.1]\x004\x82\xc0127.0.0.1\0', 'inet', '127.0.0.1', 33472],
    ['Postfix, IPv6', '[::1]\x006\xe6\xa0::1\0', 'inet6', '::1', 59040],
    ['Sendmail, IPv4', 'localhost\x004\xad\x98127.0.0.1\0', 'inet', '127.0.0.1', 44440],
    [
      'Sendmail, IPv6',
      '[IPv6:0:0:0:0:0:0:0:1]\x006\xbe\x94IPv6:0:0:0:0:0:0:0:1\0',
      'inet6',
      '0:0:0:0:0:0:0:1',
      48788,
    ],
    ['an odd-case prefix', 'h\x006\x00\x19ipv6:2001:db8::1\0', 'inet6', '2001:db8::1', 25],
    ['an IPv4-mapped address', 'h\x006\x00\x19::ffff:192.0.2.1\0', 'inet', '192.0.2.1', 25],
    ['a zone', 'h\x006\x00\x19fe80::1%eth0\0', 'inet6', 'fe80::1', 25],
    ['no final NUL', 'h\x004\x00\x19192.0.2.1', 'inet', '192.0.2.1', 25],
    ['a unix socket', 'h\0L\0\0/run/x\0', 'unix', '/run/x', null],
    ['no address', 'h\0U', 'unknown', null, null],
    ['an unknown family', 'h\0X\x00\x19192.0.2.1\0', 'unknown', null, null],
    ['an address that is none', 'h\x004\x00\x19192.0.2.999\0', 'unknown', null, null],
    ['no NUL at all', 'host', 'unknown', null, null],
    ['nothing after the port', 'h\x004\x00\x19', 'unknown', null, null],
  ])('reads %s', (_, data, family, address, port) => {
    const command = decode('C', data);
    expect(command.type === 'connect' && command.info).toMatchObject({ family, address, port });
  });
});

describe('other commands', () => {
  it.each<[string, string, Command]>([
    ['H', 'mail.example.org\0', { type: 'helo', name: 'mail.example.org' }],
    ['H', '\0', { type: 'helo', name: '' }],
    ['H', 'x\x01\xe9\0junk', { type: 'helo', name: 'x\x01\xe9' }],
    [
      'M',
      '<a@b>\0SIZE=1\0BODY=8BITMIME\0',
      { type: 'mail', envelope: { raw: '<a@b>', address: 'a@b', args: ['SIZE=1', 'BODY=8BITMIME'] } },
    ],
    ['M', '<>\0', { type: 'mail', envelope: { raw: '<>', address: '', args: [] } }],
    ['R', 'a@b\0', { type: 'rcpt', envelope: { raw: 'a@b', address: 'a@b', args: [] } }],
    ['L', 'Subject\0a\n b\0', { type: 'header', name: 'Subject', value: 'a\n b' }],
    ['L', 'Empty\0\0', { type: 'header', name: 'Empty', value: '' }],
    ['U', 'BOGUS x\0', { type: 'unknown', line: 'BOGUS x' }],
    ['D', 'H', { type: 'macro', stage: 0x48, text: '' }],
    ['D', 'Cj\0mx\0', { type: 'macro', stage: 0x43, text: 'j\0mx\0' }],
    ['T', '', { type: 'data' }],
    ['N', '', { type: 'endOfHeaders' }],
    ['A', '', { type: 'abort' }],
    ['Q', '', { type: 'quit' }],
    ['K', '', { type: 'quitNewConnection' }],
  ])('reads %s %j', (letter, data, wanted) => {
    expect(decode(letter, data)).toEqual(wanted);
  });

  it.each([['B', 'body'] as const, ['E', 'endOfMessage'] as const])(
    'hands on the bytes of %s',
    (letter, type) => {
      expect(decode(letter, 'a\0b')).toEqual({ type, chunk: Buffer.from('a\0b') });
    },
  );

  it.each(['C', 'H', 'M', 'R', 'L', 'B', 'D', 'U', 'O'])(
    'refuses an empty %s, as libmilter does',
    (letter) => {
      expect(() => decode(letter)).toThrow(ProtocolError);
    },
  );

  it.each(['z', 'F', '\x00'])('refuses the unknown command %j', (letter) => {
    expect(() => decode(letter, 'x')).toThrow(ProtocolError);
  });
});

describe('OPTNEG', () => {
  const twelve = Buffer.from('00000006000001ff001fffff', 'hex');

  it('reads what both MTAs offer', () => {
    expect(decode('O', twelve)).toEqual({
      type: 'negotiate',
      offer: { version: 6, actions: 0x1ff, protocol: 0x1fffff },
    });
  });

  it('ignores what a later version may append', () => {
    expect(decode('O', Buffer.concat([twelve, Buffer.alloc(4)]))).toMatchObject({ offer: { version: 6 } });
  });

  it('refuses eleven bytes', () => {
    expect(() => decode('O', twelve.subarray(0, 11))).toThrow(ProtocolError);
  });
});

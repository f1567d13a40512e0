import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeReply, encodeReply, replyCode } from '../../src/milter/reply.ts';
import { replies } from '../support/mta.ts';

const wire = (...args: Parameters<typeof replyCode>): string => replies(replyCode(...args).encoded)[0] ?? '';

describe('encodeReply', () => {
  it.each([
    ['continue', 'c'],
    ['accept', 'a'],
    ['reject', 'r'],
    ['tempfail', 't'],
    ['discard', 'd'],
    ['skip', 's'],
  ] as const)('%s is %s', (reply, letter) => {
    expect(replies(encodeReply(reply))).toEqual([letter]);
  });
});

describe('replyCode', () => {
  it.each([
    ['one line', '550', '5.7.1', 'no', 'y550 5.7.1 no|'],
    ['two lines', '550', '5.7.1', ['a', 'b'], 'y550-5.7.1 a\r\n550 5.7.1 b|'],
    ['line breaks in the text', '451', '4.3.2', 'a\nb\r\nc', 'y451-4.3.2 a\r\n451-4.3.2 b\r\n451 4.3.2 c|'],
    ['percent signs, doubled for libmilter', '550', '5.7.1', '%s 100%', 'y550 5.7.1 %%s 100%%|'],
    ['control and 8-bit bytes', '550', '5.7.1', 'a\x01\0\xe9\u2028b', 'y550 5.7.1 a????b|'],
    ['a bare CR', '550', '5.7.1', 'a\rb', 'y550 5.7.1 a?b|'],
    ['an empty text', '550', '5.7.1', '', 'y550 5.7.1 Command rejected|'],
    ['no line', '550', '5.7.1', [], 'y550 5.7.1 Command rejected|'],
  ])('writes %s', (_, code, enhanced, text, wanted) => {
    expect(wire(Number(code), enhanced, text)).toBe(wanted);
  });

  it.each([
    [250, '2.0.0'],
    [354, '3.0.0'],
    [600, '5.0.0'],
    [550.5, '5.0.0'],
    [550, '4.7.1'],
    [450, '5.7.1'],
    [550, '5.7'],
    [550, '5.7.1 x'],
    [550, '5.7.1234'],
  ])('refuses %d %s', (code, enhanced) => {
    expect(() => replyCode(code, enhanced, 'x')).toThrow(RangeError);
  });

  it('keeps every line within 512 octets, printable, with one NUL, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 900 }), { maxLength: 40 }), (lines) => {
        const reply = replyCode(550, '5.7.1', lines);
        const packet = reply.encoded.toString('latin1', 5);
        expect(packet.indexOf('\0')).toBe(packet.length - 1);
        const sent = packet.slice(0, -1).split('\r\n');
        expect(sent.length).toBeLessThanOrEqual(32);
        for (const line of sent) {
          expect(line).toMatch(/^550[ -]5\.7\.1 [\x20-\x7e]*$/);
          expect(line.replaceAll('%%', '%').length).toBeLessThanOrEqual(510);
        }
      }),
    );
  });

  it('describes itself', () => {
    expect(describeReply('accept')).toBe('accept');
    expect(describeReply(replyCode(550, '5.7.1', ['a', 'b']))).toBe('550 5.7.1 a / 550 5.7.1 b');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName, encodeName, foldCase, MessageError, NameError } from '../../src/dns/name.ts';
import { labels } from '../support/dns-bytes.ts';

const label = fc
  .uint8Array({ minLength: 1, maxLength: 63 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const name = fc
  .array(label, { maxLength: 8 })
  .filter((parts) => parts.reduce((sum, part) => sum + part.length + 1, 1) <= 255);

describe('on the wire and back', () => {
  it.each([
    ['mail.example.org', labels('mail', 'example', 'org')],
    ['mail.example.org.', labels('mail', 'example', 'org')],
    ['', labels()],
    ['.', labels()],
    ['a\\.b.example', labels('a.b', 'example')],
    ['a.b.example', labels('a', 'b', 'example')],
    ['a\\\\b', labels('a\\b')],
    ['\\000\\255', labels('\0\xff')],
    ['a\\@b', labels('a@b')],
    ['user+tag/x.-edge-.example', labels('user+tag/x', '-edge-', 'example')],
    ['xn--a.example.org', labels('xn--a', 'example', 'org')],
    ['x'.repeat(63), labels('x'.repeat(63))],
  ])('%j', (text, wire) => {
    expect(encodeName(text)).toEqual(wire);
  });

  it('keeps every octet of every name', () => {
    fc.assert(
      fc.property(name, (parts) => {
        const wire = labels(...parts);
        const { name: text, end } = decodeName(wire, 0);
        expect(end).toBe(wire.length);
        expect(encodeName(text)).toEqual(wire);
        expect(text).toMatch(/^[!-~]*$/);
      }),
    );
  });

  it('never writes two names alike', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const same = labels(...one).equals(labels(...other));
        expect(decodeName(labels(...one), 0).name === decodeName(labels(...other), 0).name).toBe(same);
      }),
    );
  });
});

describe('is no name', () => {
  it.each([
    ['an empty label', 'a..b'],
    ['a dot at the start', '.a'],
    ['two dots at the end', 'a..'],
    ['a label of 64 octets', 'x'.repeat(64)],
    ['256 octets', `${'x'.repeat(63)}.${'x'.repeat(63)}.${'x'.repeat(63)}.${'x'.repeat(62)}`],
    ['a backslash at the end', 'a\\'],
    ['an escape of no octet', '\\256'],
    ['a character that is no octet', 'b\u0101cher'],
  ])('%s', (_, text) => {
    expect(() => encodeName(text)).toThrow(NameError);
  });

  it('takes the longest there is', () => {
    const longest = `${'x'.repeat(63)}.${'x'.repeat(63)}.${'x'.repeat(63)}.${'x'.repeat(61)}`;
    expect(encodeName(longest)).toHaveLength(255);
  });
});

describe('a hostile message', () => {
  it.each([
    ['a name over the end', Buffer.from([5, 0x61])],
    ['no name at all', Buffer.alloc(0)],
    ['a pointer to itself', Buffer.from([0xc0, 0])],
    ['a pointer forward', Buffer.from([0xc0, 2, 0])],
    ['half a pointer', Buffer.from([0xc0])],
    ['a label of unknown kind', Buffer.from([0x40, 0])],
  ])('%s', (_, bytes) => {
    expect(() => decodeName(bytes, 0)).toThrow(MessageError);
  });

  it('with two pointers at each other ends', () => {
    expect(() => decodeName(Buffer.from([0xc0, 2, 0xc0, 0]), 2)).toThrow('points forward');
  });

  it('with a chain of pointers that adds up to too long a name ends', () => {
    // Each name is a label of 63 octets and a pointer to the one before.
    const parts: Buffer[] = [labels('x'.repeat(63))];
    let at = 0;
    for (let i = 0; i < 6; i++) {
      const next = parts.reduce((sum, part) => sum + part.length, 0);
      parts.push(
        Buffer.concat([labels('x'.repeat(63)).subarray(0, 64), Buffer.from([0xc0 | (at >> 8), at & 255])]),
      );
      at = next;
    }
    expect(() => decodeName(Buffer.concat(parts), at)).toThrow('longer than 255');
  });

  it('of any bytes ends in a name or a MessageError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, at) => {
        try {
          decodeName(Buffer.from(bytes), at);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError);
        }
      }),
    );
  });
});

it('folds the case of ASCII alone', () => {
  expect(foldCase('MAIL.Example.\xC4')).toBe('mail.example.\xC4');
});

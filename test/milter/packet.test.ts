import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DATA } from '../../src/milter/constants.ts';
import {
  encodePacket,
  encodeString,
  encodeStrings,
  PacketDecoder,
  ProtocolError,
} from '../../src/milter/packet.ts';

function decodeAll(chunks: readonly Buffer[]): string[] {
  const decoder = new PacketDecoder();
  const seen: string[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let next = decoder.next(); next !== null; next = decoder.next()) {
      seen.push(String.fromCharCode(next.command) + next.data.toString('latin1'));
    }
  }
  return seen;
}

const length = (value: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(value, 0);
  return bytes;
};

describe('PacketDecoder', () => {
  const stream = Buffer.concat([
    encodePacket(0x43, Buffer.from('host')),
    encodePacket(0x41),
    encodePacket(0x48, Buffer.from('name\0')),
  ]);
  const wanted = ['Chost', 'A', 'Hname\0'];

  it('reads several packets from one chunk', () => {
    expect(decodeAll([stream])).toEqual(wanted);
  });

  it.each(Array.from({ length: stream.length - 1 }, (_, i) => i + 1))(
    'reads packets split at byte %i',
    (at) => {
      expect(decodeAll([stream.subarray(0, at), stream.subarray(at)])).toEqual(wanted);
    },
  );

  it('reads a stream in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 30 }),
        (datas, sizes) => {
          const bytes = Buffer.concat(datas.map((data) => encodePacket(0x42, data)));
          const chunks: Buffer[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(decodeAll(chunks)).toEqual(datas.map((data) => `B${Buffer.from(data).toString('latin1')}`));
        },
      ),
    );
  });

  it('leaves data given out alone when more arrives', () => {
    const decoder = new PacketDecoder();
    const bytes = Buffer.concat([
      encodePacket(0x42, Buffer.from('first')),
      encodePacket(0x42, Buffer.from('second')),
    ]);
    decoder.push(bytes.subarray(0, 12));
    const first = decoder.next();
    decoder.push(bytes.subarray(12));
    decoder.next();
    decoder.push(encodePacket(0x42, Buffer.from('third')));
    expect(first?.data.toString()).toBe('first');
  });

  it.each([
    ['zero', 0],
    ['one above the limit', MAX_DATA + 2],
    ['the largest there is', 0xffffffff],
  ])('refuses a length of %s', (_, value) => {
    const decoder = new PacketDecoder();
    decoder.push(length(value));
    expect(() => decoder.next()).toThrow(ProtocolError);
  });

  it('takes the largest packet that any negotiation allows, and promises no memory ahead', () => {
    const decoder = new PacketDecoder();
    decoder.push(length(MAX_DATA + 1));
    expect(decoder.next()).toBeNull();
    expect(decoder.pending).toBe(5);
    decoder.push(Buffer.alloc(MAX_DATA));
    expect(decoder.next()?.data.length).toBe(MAX_DATA);
    expect(decoder.pending).toBe(0);
  });
});

describe('encodeString', () => {
  it('is the packet of one string', () => {
    expect(encodeString(0x79, 'a\xe9')).toEqual(encodePacket(0x79, encodeStrings('a\xe9')));
    expect(encodeString(0x79, '')).toEqual(encodePacket(0x79, encodeStrings('')));
  });

  it('refuses NUL', () => {
    expect(() => encodeString(0x79, 'a\0b')).toThrow(RangeError);
  });
});

describe('encodeStrings', () => {
  it('writes one byte a character and one NUL a string', () => {
    expect(encodeStrings('a', '\xe9').toString('hex')).toBe('6100e900');
  });

  it('refuses a NUL inside', () => {
    expect(() => encodeStrings('a\0b')).toThrow(RangeError);
  });
});

/**
 * Framing: `uint32` length in network order, one command byte, data. The length counts the command byte.
 * Packets come split anywhere and several at a time.
 */
import { MAX_DATA } from './constants.ts';

/** The peer broke the protocol; the connection is of no further use. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code = 'milter-protocol';
}

export interface Packet {
  /** The command or reply byte. */
  readonly command: number;
  /** A view of the bytes received; valid for as long as it is held. */
  readonly data: Buffer;
}

const EMPTY = Buffer.alloc(0);

/**
 * Takes chunks of a byte stream and gives packets. Reads in place; only the bytes of an incomplete packet are
 * copied, into a buffer that grows with what really arrives, never with what a length field promises.
 */
export class PacketDecoder {
  #bytes: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** Whether `#bytes` is ours to append to. */
  #owned = false;

  /** Bytes received and not yet returned. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /** Bytes of memory that this takes: the buffer with an incomplete packet. */
  get held(): number {
    return this.#bytes.length;
  }

  /** Forgets what has not been returned. */
  clear(): void {
    this.#bytes = EMPTY;
    this.#start = this.#end = 0;
  }

  push(chunk: Buffer): void {
    if (this.pending === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    const needed = this.pending + chunk.length;
    if (!this.#owned || this.#end + chunk.length > this.#bytes.length) {
      // A fresh buffer, so that views returned earlier do not change; doubling keeps many small chunks cheap.
      const grown = Buffer.allocUnsafe(Math.max(256, needed * 2));
      this.#bytes.copy(grown, 0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
      this.#bytes = grown;
      this.#owned = true;
    }
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /**
   * The next complete packet, or null until more bytes come. Throws ProtocolError on an impossible length.
   */
  next(): Packet | null {
    if (this.pending < 4) return null;
    const length = this.#bytes.readUInt32BE(this.#start);
    if (length < 1 || length > MAX_DATA + 1) throw new ProtocolError(`packet length ${length}`);
    if (this.pending < 4 + length) return null;
    const begin = this.#start + 4;
    this.#start = begin + length;
    const packet = {
      command: this.#bytes[begin] ?? 0,
      data: this.#bytes.subarray(begin + 1, this.#start),
    };
    if (this.#start === this.#end) this.clear();
    return packet;
  }
}

/** One packet as bytes. */
export function encodePacket(command: number, data: Uint8Array = EMPTY): Buffer {
  const packet = Buffer.allocUnsafe(5 + data.length);
  packet.writeUInt32BE(1 + data.length, 0);
  packet[4] = command;
  packet.set(data, 5);
  return packet;
}

/** A packet of one string, see `encodeStrings`. */
export function encodeString(command: number, text: string): Buffer {
  refuseNul(text);
  const packet = Buffer.allocUnsafe(6 + text.length);
  packet.writeUInt32BE(2 + text.length, 0);
  packet[4] = command;
  packet.write(text, 5, 'latin1');
  packet[5 + text.length] = 0;
  return packet;
}

/**
 * Strings, each ended by NUL. One character is one byte (latin1); a NUL inside would end it early and is
 * refused.
 */
export function encodeStrings(...strings: readonly string[]): Buffer {
  strings.forEach(refuseNul);
  return Buffer.from(strings.map((each) => `${each}\0`).join(''), 'latin1');
}

/** The strings of a packet, as `encodeStrings` writes them; the last NUL may be missing. */
export function decodeStrings(data: Buffer): string[] {
  const list = data.toString('latin1').split('\0');
  if (list.at(-1) === '') list.pop();
  return list;
}

function refuseNul(text: string): void {
  if (text.includes('\0')) throw new RangeError('a string in a milter packet must not hold NUL');
}

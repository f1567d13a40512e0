/** The MTA's side of the milter protocol, for tests: makes packets, and turns replies into words. */
import { encodePacket } from '../../src/milter/packet.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Any packet by its command letter. */
export function packet(letter: string, data: string | Buffer = ''): Buffer {
  return encodePacket(letter.charCodeAt(0), typeof data === 'string' ? latin1(data) : data);
}

/** OPTNEG; by default it offers what both MTAs offer today. */
export function optneg(version = 6, actions = 0x1ff, protocol = 0x1fffff): Buffer {
  const data = Buffer.alloc(12);
  data.writeUInt32BE(version, 0);
  data.writeUInt32BE(actions, 4);
  data.writeUInt32BE(protocol, 8);
  return packet('O', data);
}

export function macros(stage: string, values: Readonly<Record<string, string>> = {}): Buffer {
  return packet(
    'D',
    stage +
      Object.entries(values)
        .flat()
        .map((text) => `${text}\0`)
        .join(''),
  );
}

/** CONNECT as Postfix sends it. */
export function connect(address: string, hostname = `[${address}]`, port = 4711): Buffer {
  const family = address.includes(':') ? '6' : '4';
  return packet('C', `${hostname}\0${family}${String.fromCharCode(port >> 8, port & 255)}${address}\0`);
}

export const helo = (name: string): Buffer => packet('H', `${name}\0`);
export const mail = (address: string, ...args: string[]): Buffer =>
  packet('M', [`<${address}>`, ...args].map((text) => `${text}\0`).join(''));
export const rcpt = (address: string): Buffer => packet('R', `<${address}>\0`);
export const header = (name: string, value: string): Buffer => packet('L', `${name}\0${value}\0`);
export const data = packet('T');
export const endOfHeaders = packet('N');
export const body = (text: string): Buffer => packet('B', text);
export const endOfMessage = packet('E');
export const abort = packet('A');
export const quit = packet('Q');

/** Splits a stream of replies into one string each: the letter, then its data with NUL as `|`. */
export function replies(stream: Buffer): string[] {
  const words: string[] = [];
  for (let at = 0; at < stream.length;) {
    const length = stream.readUInt32BE(at);
    const reply = stream.toString('latin1', at + 4, at + 4 + length);
    words.push(reply.replaceAll('\0', '|'));
    at += 4 + length;
  }
  return words;
}

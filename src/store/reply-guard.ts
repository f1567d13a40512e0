/**
 * Stands before the library where replies of the server come in. The library keeps a reply in memory until it
 * is whole, however long it gets, and fails outside of any call on messages of RESP3 that nobody asked for.
 * So only the five types of RESP2 come through, each reply within bounds; anything else ends the connection.
 * What is a line here is one for the library too: a CR stands nowhere but before its LF.
 */
import type { Duplex } from 'node:stream';

/** Octets of a reply: an assessment, and room for the rest. */
const MAX_REPLY = 65_536;
/** Octets of a line, such as an error. */
const MAX_LINE = 4096;
/** Members of a list, and lists within lists. */
const MAX_MEMBERS = 4096;
const MAX_DEPTH = 8;

/** A line, or its beginning. */
const LINE = /^[-+:$*][^\r\n]*(\r\n?)?$/;
const NUMBER = /^:-?\d{1,19}\r\n$/;
const LENGTH = /^[$*](-1|\d{1,9})\r\n$/;
const LF = 10;

/** Follows the replies of one connection. */
class ReplyBounds {
  #line = '';
  /** Octets of a string that are still to come, with its line end. */
  #missing = 0;
  /** Of the reply so far. */
  #octets = 0;
  /** Members that are still to come, of each list that is open. */
  readonly #lists: number[] = [];
  #fault: string | null = null;

  /** What is wrong, with these octets or before; null while nothing is. */
  take(octets: Uint8Array): string | null {
    const chunk = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    let at = 0;
    while (this.#fault === null && at < chunk.length) {
      const lf = this.#missing > 0 ? -1 : chunk.indexOf(LF, at);
      const most = this.#missing > 0 ? at + this.#missing : lf < 0 ? chunk.length : lf + 1;
      const end = Math.min(most, chunk.length);
      this.#octets += end - at;
      if (this.#octets > MAX_REPLY) this.#fault = 'the server sent too long a reply';
      else if (this.#missing > 0) this.#skip(end - at);
      else this.#read(chunk.toString('latin1', at, end));
      at = end;
    }
    return this.#fault;
  }

  #skip(octets: number): void {
    this.#missing -= octets;
    if (this.#missing === 0) this.#end();
  }

  #read(text: string): void {
    this.#line += text;
    const line = this.#line;
    if (line.length > MAX_LINE) this.#fault = 'the server sent too long a line';
    else if (!LINE.test(line)) this.#fault = 'the server sent what is not RESP2';
    else if (line.endsWith('\n')) {
      this.#line = '';
      this.#take(line);
    }
  }

  #take(line: string): void {
    const type = line.charAt(0);
    if (type === '+' || type === '-' || NUMBER.test(line)) {
      this.#end();
      return;
    }
    const length = Number(LENGTH.exec(line)?.[1] ?? NaN);
    const isList = type === '*';
    if (Number.isNaN(length)) this.#fault = 'the server sent what is not RESP2';
    else if (length > (isList ? MAX_MEMBERS : MAX_REPLY) || this.#lists.length >= MAX_DEPTH)
      this.#fault = 'the server sent too long a reply';
    else if (length < 0 || (isList && length === 0)) this.#end();
    else if (isList) this.#lists.push(length);
    else this.#missing = length + 2;
  }

  /** A value is whole, and perhaps lists with it. */
  #end(): void {
    for (let left = this.#lists.pop(); left !== undefined; left = this.#lists.pop()) {
      if (left > 1) {
        this.#lists.push(left - 1);
        return;
      }
    }
    this.#octets = 0;
  }
}

/** The stream, which ends with an error before anybody reads what should not be there. */
export function guarded<T extends Duplex>(stream: T): T {
  const bounds = new ReplyBounds();
  const push = stream.push.bind(stream);
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    const fault = chunk instanceof Uint8Array ? bounds.take(chunk) : null;
    if (fault === null) return push(chunk, encoding);
    stream.destroy(new Error(fault));
    return false;
  };
  return stream;
}

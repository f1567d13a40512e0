/**
 * Questions over TCP to one server, for answers that do not fit into UDP: one connection that many questions
 * share, closed when it has been idle for a while (RFC 7766 §6.2).
 */
import { connect, type Socket } from 'node:net';
import { idOf, setId } from './message.ts';
import { type Cancel, errorWord, type Listener } from './udp.ts';
import type { Endpoint } from './server-address.ts';

/** RFC 7766 §6.2.3 asks for a few seconds; busy servers close sooner. */
const IDLE_MS = 5_000;

export class TcpConnection {
  readonly #endpoint: Endpoint;
  #link: Link | null = null;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Sends a copy of the query, with an id of its own. */
  ask(query: Buffer, listener: Listener): Cancel {
    const used = this.#link?.open === true && this.#link.heard;
    let cancel = this.#ask(query, {
      answered: (bytes) => listener.answered(bytes),
      failed: (detail) => {
        // The server may have closed an idle connection while the question was on its way (RFC 7766 §6.2.4).
        if (used && detail === 'closed') cancel = this.#ask(query, listener);
        else listener.failed(detail);
      },
    });
    return () => {
      cancel();
    };
  }

  close(): void {
    this.#link?.end('cancelled');
  }

  #ask(query: Buffer, listener: Listener): Cancel {
    if (this.#link?.open !== true) this.#link = new Link(this.#endpoint);
    return this.#link.ask(query, listener);
  }
}

class Link {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Listener>();
  #nextId = 0;
  /** The length of the next message, then the message: as far as they have come. */
  #frame = Buffer.alloc(2);
  #filled = 0;
  #inMessage = false;
  open = true;
  /** A message has come. */
  heard = false;

  constructor({ address, port }: Endpoint) {
    this.#socket = connect({ host: address, port });
    this.#socket.setNoDelay(true);
    this.#socket.setTimeout(IDLE_MS, () => {
      this.end('timeout');
    });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      // A reset is one way to close.
      this.end(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'closed' : errorWord(error));
    });
    this.#socket.on('end', () => {
      this.end('closed');
    });
    this.#socket.on('close', () => {
      this.end('closed');
    });
    // Whoever waits for an answer keeps a timer.
    this.#socket.unref();
  }

  ask(query: Buffer, listener: Listener): Cancel {
    // Nobody else can write into this connection: the ids need only differ.
    do this.#nextId = (this.#nextId + 1) & 0xffff;
    while (this.#waiting.has(this.#nextId));
    const id = this.#nextId;
    this.#waiting.set(id, listener);
    const framed = Buffer.allocUnsafe(query.length + 2);
    framed.writeUInt16BE(query.length, 0);
    query.copy(framed, 2);
    setId(framed.subarray(2), id);
    this.#socket.write(framed);
    return () => {
      if (this.#waiting.get(id) === listener) this.#waiting.delete(id);
    };
  }

  end(detail: string): void {
    if (!this.open) return;
    this.open = false;
    this.#socket.destroy();
    const listeners = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const listener of listeners) listener.failed(detail);
  }

  #receive(chunk: Buffer): void {
    for (let at = 0; this.open && at < chunk.length;) {
      const copied = chunk.copy(this.#frame, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled < this.#frame.length) return;
      this.#filled = 0;
      if (this.#inMessage) this.#take(this.#frame);
      this.#inMessage = !this.#inMessage;
      this.#frame = this.#inMessage ? Buffer.allocUnsafe(this.#frame.readUInt16BE(0)) : Buffer.alloc(2);
      // A length of 0 is a lie or the end: either way there is nothing to wait for.
      if (this.#frame.length === 0) this.end('badresp');
    }
  }

  #take(message: Buffer): void {
    this.heard = true;
    const id = idOf(message);
    if (this.#waiting.get(id)?.answered(message) === true) this.#waiting.delete(id);
  }
}

/**
 * Questions over UDP to one server: random ids on sockets with random ports, a few at a time and each only
 * for a while, so that an answer cannot be guessed (RFC 5452 §9.2). Each socket is connected: the kernel
 * drops what comes from another address, and tells when nobody listens.
 */
import { randomFillSync } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Endpoint } from './server-address.ts';
import { idOf, setId } from './message.ts';

/** Told what happens to one question. */
export interface Listener {
  /**
   * A message with the id of the question; false if it is not the answer, so that the question stays open.
   */
  answered(bytes: Buffer): boolean;
  /** The question cannot be sent, or nobody listens there. `detail` is one word for the log. */
  failed(detail: string): void;
}

/** Takes a question back. */
export type Cancel = () => void;

/** Sockets in use at a time: a forger would have to guess which of them a question left from. */
const SOCKETS = 4;
/** A port is given up after so many questions or milliseconds, whichever comes first. */
const USES = 500;
const LIFE_MS = 30_000;

export class UdpPool {
  readonly #endpoint: Endpoint;
  readonly #ports: (Port | undefined)[] = [];
  #turn = 0;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Sends a query, writing an id of its own into it. */
  ask(query: Buffer, listener: Listener): Cancel {
    this.#turn = (this.#turn + 1) % SOCKETS;
    let port = this.#ports[this.#turn];
    if (port === undefined || port.worn) {
      port?.retire();
      port = new Port(this.#endpoint);
      this.#ports[this.#turn] = port;
    }
    return port.ask(query, listener);
  }

  /** Sends nothing more; what was sent may still be answered. */
  close(): void {
    for (const port of this.#ports.splice(0)) port?.retire();
  }
}

class Port {
  readonly #socket: Socket;
  /**
   * The ids of the questions that wait, and who waits. Two arrays, since there are few at a time and they
   * come and go fast: a Map would make and discard tables all the while.
   */
  readonly #ids: number[] = [];
  readonly #listeners: Listener[] = [];
  readonly #life: NodeJS.Timeout;
  /** One buffer for everything that is sent. */
  readonly #sent = (error: NodeJS.ErrnoException | null): void => {
    if (error !== null) this.#fail(errorWord(error));
  };
  #uses = 0;
  #retired = false;
  /** Why the socket was closed; null while it is open. */
  #dead: string | null = null;
  /** Queries that are sent once the socket is connected; null from then on. */
  #unsent: Buffer[] | null = [];

  constructor({ address, port }: Endpoint) {
    this.#socket = createSocket({
      type: isIP(address) === 6 ? 'udp6' : 'udp4',
      // Addresses only: there is nothing to look up.
      lookup: (host, _options, done) => {
        done(null, host, isIP(host));
      },
    });
    this.#socket.on('message', (bytes) => {
      this.#hear(bytes);
    });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#fail(errorWord(error));
    });
    this.#socket.on('connect', () => {
      for (const query of this.#unsent ?? []) this.#send(query);
      this.#unsent = null;
    });
    // Without a callback: one would be told of failures such as a missing route in place of 'error'.
    this.#socket.connect(port, address);
    // Whoever waits for an answer keeps a timer.
    this.#socket.unref();
    this.#life = setTimeout(() => {
      this.retire();
    }, LIFE_MS).unref();
  }

  get worn(): boolean {
    return this.#dead !== null || this.#retired || this.#uses >= USES;
  }

  ask(query: Buffer, listener: Listener): Cancel {
    this.#uses++;
    let id = randomId();
    while (this.#ids.includes(id)) id = randomId();
    this.#ids.push(id);
    this.#listeners.push(listener);
    setId(query, id);
    // A socket may fail while it is made, as when there are too many open files. Whoever asks hears of it
    // later.
    if (this.#dead !== null) {
      const why = this.#dead;
      queueMicrotask(() => {
        this.#fail(why);
      });
    } else if (this.#unsent === null) this.#send(query);
    else this.#unsent.push(query);
    return () => {
      const at = this.#ids.indexOf(id);
      if (at !== -1 && this.#listeners[at] === listener) this.#forget(at);
    };
  }

  /** Takes no more questions, and closes when the last one is answered or taken back. */
  retire(): void {
    this.#retired = true;
    if (this.#ids.length === 0) this.#close('closed');
  }

  #hear(bytes: Buffer): void {
    const id = idOf(bytes);
    const listener = this.#listeners[this.#ids.indexOf(id)];
    if (listener?.answered(bytes) !== true) return;
    // Whoever has the answer may have asked something else meanwhile.
    const at = this.#ids.indexOf(id);
    if (at !== -1) this.#forget(at);
  }

  #send(query: Buffer): void {
    if (this.#dead !== null) return;
    this.#socket.send(query, this.#sent);
  }

  /** A socket fails for all its questions alike: nobody listens there, or there is no route. */
  #fail(detail: string): void {
    const listeners = this.#listeners.splice(0);
    this.#ids.length = 0;
    this.#close(detail);
    for (const listener of listeners) listener.failed(detail);
  }

  /** The last takes its place. */
  #forget(at: number): void {
    const id = this.#ids.pop();
    const listener = this.#listeners.pop();
    if (id !== undefined && listener !== undefined && at < this.#ids.length) {
      this.#ids[at] = id;
      this.#listeners[at] = listener;
    }
    if (this.#retired && this.#ids.length === 0) this.#close('closed');
  }

  #close(why: string): void {
    if (this.#dead !== null) return;
    this.#dead = why;
    clearTimeout(this.#life);
    this.#socket.close();
  }
}

/** The code of a system error as one word: `connrefused`. */
export function errorWord({ code }: NodeJS.ErrnoException): string {
  return (code ?? 'EUNKNOWN').replace(/^E/, '').toLowerCase();
}

/** Random numbers are drawn by the hundred: each draw costs a system call. */
const pool = new Uint16Array(256);
let drawn = pool.length;

function randomId(): number {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  return pool[drawn++] ?? 0;
}

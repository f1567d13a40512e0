/** A socket and its conversation. */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Conversation, type ConversationOptions } from './conversation.ts';
import type { Peer } from './flow.ts';
import type { Holder } from './holdings.ts';
import type { Placed } from './open-links.ts';
import type { Turns, Worker } from './turns.ts';

/** What the links of a server share. */
export interface Keeper {
  readonly turns: Turns;
  /** What a link holds in memory may have changed. */
  changed(link: Link): void;
  closed(link: Link): void;
  /** A link has to give up everything that it holds. */
  shed(link: Link): void;
}

const LINK = Symbol('link');
type LinkedSocket = Socket & { [LINK]: Link | null };

const ignore = (): void => undefined;

/** The listeners are shared: with closures each of ten thousand links would have its own. */
export class Link implements Peer, Holder, Worker, Placed {
  readonly conversation: Conversation;
  readonly #socket: LinkedSocket;
  readonly #keeper: Keeper;
  /**
   * When its peer last said something, on the scale of `performance.now()`, which setting the clock does not
   * change.
   */
  heardAt = performance.now();
  /** Since when the peer has not read what was written, on the same scale. */
  stuckAt: number | null = null;
  held = 0;
  swollenAt: number | null = null;
  place = 0;

  constructor(socket: Socket, options: ConversationOptions, keeper: Keeper) {
    this.#socket = Object.assign(socket, { [LINK]: this });
    this.#keeper = keeper;
    this.conversation = new Conversation(options, this);
    socket.on('data', Link.#heard);
    socket.on('drain', Link.#drained);
    // ECONNRESET and EPIPE are ends like any other.
    socket.on('error', ignore);
    socket.on('close', Link.#ended);
    // A paused connection does not start to flow by itself.
    socket.resume();
  }

  static #heard(this: LinkedSocket, chunk: Buffer): void {
    const link = this[LINK];
    if (link === null) return;
    link.heardAt = performance.now();
    link.conversation.receive(chunk);
    link.#keeper.changed(link);
  }

  static #drained(this: LinkedSocket): void {
    const link = this[LINK];
    if (link === null) return;
    link.stuckAt = null;
    link.conversation.drained();
    link.#keeper.changed(link);
  }

  static #ended(this: LinkedSocket): void {
    const link = this[LINK];
    if (link === null) return;
    link.conversation.end();
    link.#keeper.closed(link);
    // The socket outlives its end until V8 collects its old generation; the session need not.
    this[LINK] = null;
  }

  /** Bytes of memory that this connection takes now. */
  get holds(): number {
    return this.conversation.held + this.#socket.writableLength;
  }

  proceed(): void {
    this.conversation.proceed();
    this.#keeper.changed(this);
  }

  write(bytes: Buffer): boolean {
    const taken = this.#socket.write(bytes);
    if (!taken) this.stuckAt ??= performance.now();
    return taken;
  }

  destroy(): void {
    // destroy() alone would drop a last reply that the kernel has not taken yet.
    if (this.#socket.writableLength === 0) this.#socket.destroy();
    else {
      this.stuckAt ??= performance.now();
      this.#socket.destroySoon();
    }
  }

  /** Ends at once, whether or not the peer has read everything. */
  cut(): void {
    this.conversation.end();
    this.#socket.destroy();
  }

  turnAway(): void {
    this.#keeper.shed(this);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  yield(): void {
    this.#keeper.turns.ask(this);
  }
}

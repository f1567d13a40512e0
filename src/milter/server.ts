/** The listening side: sockets, limits and the way to stop without losing a message. */
import { createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { parseSocketAddress, type SocketAddress } from './address.ts';
import { bind, removeStale, type SocketOwner } from './bind.ts';
import type { ConversationOptions } from './conversation.ts';
import {
  areUsedUp,
  descriptorLimit,
  descriptorOf,
  firstReserved,
  isUsedUp,
  limitText,
} from './descriptors.ts';
import { Holdings } from './holdings.ts';
import { type Keeper, Link } from './link.ts';
import type { Wishes } from './negotiation.ts';
import { OpenLinks } from './open-links.ts';
import {
  checkOptions,
  type Limits,
  limitsOf,
  type MilterServerOptions,
  sessionOptions,
} from './server-options.ts';
import { Refusals, type TurnedAwayReason } from './turned-away.ts';
import { Turns } from './turns.ts';

/** What holds for one socket. */
export interface ListenOptions {
  /** Permissions of a unix socket; 0o660 by default. */
  readonly mode?: number;
  /**
   * Owner and group of a unix socket, each the process's own by default; nobody else may connect before they
   * are set.
   */
  readonly owner?: SocketOwner;
  /**
   * Other wishes for connections at this socket: what saves time over a unix socket may cost time over TCP.
   */
  readonly wishes?: Partial<Wishes>;
}

interface Listener {
  readonly server: Server;
  readonly wishes: Partial<Wishes>;
  /** The options for future connections. */
  options: ConversationOptions;
}

function withWishes(options: ConversationOptions, wishes: Partial<Wishes>): ConversationOptions {
  return { ...options, wishes: { ...options.wishes, ...wishes } };
}

interface Waiting {
  readonly socket: Socket;
  readonly options: ConversationOptions;
}

const ignore = (): void => undefined;

/** How often, at least, we look for idle connections. */
const SWEEP_MS = 10_000;
/** At the very end, peers have this long to read the last replies. */
const LAST_WORDS_MS = 1000;

/**
 * A milter server. Listens on any number of sockets.
 *
 * @example
 * ```ts
 * const newSession = (): MilterSession => ({ helo: () => 'continue' });
 * const server = new MilterServer({ newSession, onError: console.error });
 * await server.listen('inet:127.0.0.1:8892');
 * ```
 */
export class MilterServer {
  #options: ConversationOptions;
  readonly #limits: Limits;
  readonly #listeners: Listener[] = [];
  readonly #links = new OpenLinks<Link>();
  readonly #holdings: Holdings;
  readonly #refusals = new Refusals(() => this.#options.onError);
  #descriptorLimit = Infinity;
  readonly #keeper: Keeper = {
    turns: new Turns(),
    changed: (link) => {
      this.#holdings.note(link, link.holds);
    },
    closed: (link) => {
      this.#holdings.forget(link);
      this.#links.delete(link);
      if (this.#links.size === 0) this.#drained?.();
    },
    shed: (link) => {
      link.cut();
      this.#refusals.note('buffers', 'a connection was closed: all together kept too much in memory');
    },
  };
  /** Connections that nothing is read from yet; null once they are admitted. */
  #waiting: Waiting[] | null;
  #sweep: NodeJS.Timeout | null = null;
  #drained: (() => void) | null = null;

  /** Throws RangeError for an invalid option. */
  constructor(options: MilterServerOptions) {
    this.#options = sessionOptions(options);
    checkOptions(this.#options);
    this.#limits = limitsOf(options);
    this.#holdings = new Holdings(this.#limits.bufferedBytes, this.#links, () => performance.now());
    this.#waiting = options.hold === true ? [] : null;
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#links.size;
  }

  /** How many connections were turned away, by reason. */
  get turnedAway(): Readonly<Record<TurnedAwayReason, number>> {
    return this.#refusals.counts;
  }

  /** Bytes that all connections keep in memory; see `maxBufferedBytes`. */
  get bufferedBytes(): number {
    return this.#holdings.total;
  }

  /**
   * Listens on a socket, given as a text for `parseSocketAddress` or as its result, and resolves to the
   * actual address, including a port that the system chose. A unix socket that nobody serves any more is
   * replaced. Rejects with AddressError, or with the system's error.
   */
  async listen(
    where: string | SocketAddress,
    { mode = 0o660, owner = {}, wishes = {} }: ListenOptions = {},
  ): Promise<SocketAddress> {
    const address = typeof where === 'string' ? parseSocketAddress(where) : where;
    if (address.kind === 'unix') await removeStale(address.path);
    // allowHalfOpen is off: an end of stream without QUIT is a normal end; Postfix does so after a verdict.
    const server = createServer({ noDelay: true, pauseOnConnect: this.#waiting !== null }, (socket) => {
      this.#accept(socket, listener.options);
    });
    server.on('error', (error) => {
      // A failing accept is not the end of the service; a failure to listen is told by `bind`.
      if (server.listening && isUsedUp(error)) this.#outOfDescriptors();
    });
    const listener = { server, wishes, options: withWishes(this.#options, wishes) };
    await bind(server, address, mode, owner);
    this.#listeners.push(listener);
    this.#descriptorLimit = descriptorLimit();
    this.#sweep ??= setInterval(
      () => {
        this.#lookAround();
      },
      Math.min(SWEEP_MS, this.#limits.idleMs / 4, this.#limits.unreadMs / 4),
    ).unref();
    const bound = server.address();
    if (address.kind === 'unix' || bound === null || typeof bound !== 'object') return address;
    return { kind: 'inet', host: address.kind === 'inet' ? address.host : bound.address, port: bound.port };
  }

  /** Begins to read, if it was told to hold. */
  admit(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const { socket, options } of waiting) this.#accept(socket, options);
  }

  /**
   * Changes the options for future connections; open ones go on as agreed. Throws RangeError for an invalid
   * option, and then changes nothing.
   */
  change({
    newSession,
    replyOnError,
    ...wishes
  }: Partial<Pick<MilterServerOptions, 'newSession' | 'replyOnError' | keyof Wishes>>): void {
    const changed = {
      ...this.#options,
      newSession: newSession ?? this.#options.newSession,
      replyOnError: replyOnError ?? this.#options.replyOnError,
      wishes: { ...this.#options.wishes, ...wishes },
    };
    checkOptions(changed);
    this.#options = changed;
    for (const listener of this.#listeners) listener.options = withWishes(this.#options, listener.wishes);
  }

  /**
   * Stops listening, lets open connections finish for `graceMs`, then answers what is still asked with
   * `continue` and closes the rest. The MTA defers mail while nobody listens; it loses none. A second call
   * may cut the time short.
   */
  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
    const closed = this.#listeners.splice(0).map(
      ({ server }) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    );
    if (this.#links.size > 0 && graceMs > 0) await this.#drain(graceMs);
    for (const { socket } of this.#waiting?.splice(0) ?? []) socket.destroy();
    for (const link of this.#links) link.conversation.release();
    // A peer that does not read even now would keep us here for ever.
    const cut = setTimeout(() => {
      for (const link of this.#links) link.cut();
    }, LAST_WORDS_MS);
    await Promise.all(closed);
    clearTimeout(cut);
  }

  async #drain(graceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      timer = setTimeout(resolve, graceMs);
    });
    clearTimeout(timer);
    this.#drained = null;
  }

  #accept(socket: Socket, options: ConversationOptions): void {
    if (this.#links.size + (this.#waiting?.length ?? 0) >= this.#limits.connections) {
      socket.destroy();
      const message = `a connection was closed at once: ${this.#limits.connections} are open already`;
      this.#refusals.note('connections', message);
      return;
    }
    if (descriptorOf(socket) >= firstReserved(this.#descriptorLimit)) {
      socket.destroy();
      this.#outOfDescriptors();
      return;
    }
    if (this.#waiting !== null) {
      socket.on('error', ignore);
      this.#waiting.push({ socket, options });
      return;
    }
    this.#links.add(new Link(socket, options, this.#keeper));
  }

  #outOfDescriptors(): void {
    const cause = 'the process may hardly open more files';
    const message = `a connection was closed at once: ${cause}; ${limitText(this.#descriptorLimit)}`;
    this.#refusals.note('descriptors', message);
  }

  /** One timer for all sockets: one for each costs more than the whole parser. */
  #lookAround(): void {
    // Other code in this process has used up even the descriptors that we leave: then connections fail
    // silently.
    if (areUsedUp()) this.#outOfDescriptors();
    const now = performance.now();
    for (const link of this.#links) {
      if (link.stuckAt !== null && now - link.stuckAt > this.#limits.unreadMs) {
        link.cut();
        this.#refusals.note('unread', 'a connection was closed: its peer does not read the replies');
      } else if (now - link.heardAt > this.#limits.idleMs) link.conversation.end();
    }
  }
}

/** The listening side: sockets, limits and the way to stop without losing a message. */
import { createServer, type Server, type Socket } from 'node:net';
import { parseSocketAddress, type SocketAddress } from './address.ts';
import { bind, removeStale, type SocketOwner } from './bind.ts';
import { Conversation, type ConversationOptions, type Peer } from './conversation.ts';
import type { ActionName, Wishes } from './negotiation.ts';
import type { MilterSession } from './session.ts';

export interface MilterServerOptions extends Partial<Wishes> {
  /** Called for each connection of the MTA, which is one SMTP connection. */
  readonly newSession: () => MilterSession;
  /** Hears of failing callbacks and broken peers; the connection of a failing callback goes on. */
  readonly onError: ConversationOptions['onError'];
  /** What is answered for a callback that fails; `tempfail` unless told. */
  readonly replyOnError?: ConversationOptions['replyOnError'];
  /** See `ConversationOptions`; nobody listens unless told. */
  readonly observe?: ConversationOptions['observe'];
  readonly actions?: readonly ActionName[];
  /** More connections than this are closed at once, which is the MTA's default action; 20,000 unless told. */
  readonly maxConnections?: number;
  /**
   * A connection that says nothing for so long is closed; two hours unless told, as in libmilter, since an SMTP
   * client may pause for an hour in Sendmail.
   */
  readonly idleTimeoutMs?: number;
  /** Read nothing from connections before `admit()`: for what must happen between the first socket and the first byte. */
  readonly hold?: boolean;
}

export interface ListenOptions {
  /** Permissions of a unix socket; 0o660 unless told. */
  readonly mode?: number;
  /** Owner and group of a unix socket, each the process's own unless told; nobody else may connect before they are set. */
  readonly owner?: SocketOwner;
  /** What connections of this socket are asked for instead: what saves time over a unix socket may cost it over TCP. */
  readonly wishes?: Partial<Wishes>;
}

interface Listener {
  readonly server: Server;
  readonly wishes: Partial<Wishes>;
  /** For connections to come. */
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

const IDLE_TIMEOUT_MS = 2 * 3_600_000;
const MAX_CONNECTIONS = 20_000;

/**
 * A milter server. Listens on any number of sockets.
 *
 * @example
 * ```ts
 * const server = new MilterServer({ newSession: () => ({ helo: () => 'continue' }), onError: console.error });
 * await server.listen('inet:127.0.0.1:8892');
 * ```
 */
export class MilterServer {
  #options: ConversationOptions;
  readonly #maxConnections: number;
  readonly #idleTimeoutMs: number;
  readonly #listeners: Listener[] = [];
  readonly #links = new Set<Link>();
  readonly #closed = (link: Link): void => {
    this.#links.delete(link);
    if (this.#links.size === 0) this.#drained?.();
  };
  /** Connections that nothing is read from yet; null once they are admitted. */
  #waiting: Waiting[] | null;
  #sweep: NodeJS.Timeout | null = null;
  #drained: (() => void) | null = null;

  constructor(options: MilterServerOptions) {
    const { keep = [], noReply = [], actions = [], macros = {} } = options;
    const { rejectedRecipients = false, leadingSpace = false } = options;
    this.#options = {
      newSession: options.newSession,
      onError: options.onError,
      replyOnError: options.replyOnError ?? 'tempfail',
      observe: options.observe,
      wishes: { keep, noReply, actions, macros, rejectedRecipients, leadingSpace },
    };
    this.#maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
    this.#waiting = options.hold === true ? [] : null;
  }

  /** Connections open now. */
  get connections(): number {
    return this.#links.size;
  }

  /**
   * Listens on a socket (`parseSocketAddress`) and resolves to what is really listened on, the port chosen included.
   * A unix socket that nobody serves any more is replaced. Rejects with AddressError, or the error of the system.
   */
  async listen(
    text: string,
    { mode = 0o660, owner = {}, wishes = {} }: ListenOptions = {},
  ): Promise<SocketAddress> {
    const address = parseSocketAddress(text);
    if (address.kind === 'unix') await removeStale(address.path);
    // allowHalfOpen is off: an end of stream without QUIT is a normal end, Postfix does so after a verdict.
    const server = createServer({ noDelay: true, pauseOnConnect: this.#waiting !== null }, (socket) => {
      this.#accept(socket, listener.options);
    });
    const listener = { server, wishes, options: withWishes(this.#options, wishes) };
    await bind(server, address, mode, owner);
    this.#listeners.push(listener);
    this.#sweep ??= setInterval(() => {
      this.#closeIdle();
    }, this.#idleTimeoutMs / 4).unref();
    const bound = server.address();
    if (address.kind === 'unix' || bound === null || typeof bound !== 'object') return address;
    return { kind: 'inet', host: address.kind === 'inet' ? address.host : bound.address, port: bound.port };
  }

  /** Begins to read, where it was told to hold. */
  admit(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const { socket, options } of waiting) this.#accept(socket, options);
  }

  /** Changes what holds for connections to come; those that are open go on as they were agreed. */
  change({
    newSession,
    replyOnError,
    ...wishes
  }: Partial<Pick<MilterServerOptions, 'newSession' | 'replyOnError' | keyof Wishes>>): void {
    this.#options = {
      ...this.#options,
      newSession: newSession ?? this.#options.newSession,
      replyOnError: replyOnError ?? this.#options.replyOnError,
      wishes: { ...this.#options.wishes, ...wishes },
    };
    for (const listener of this.#listeners) listener.options = withWishes(this.#options, listener.wishes);
  }

  /**
   * Stops listening, lets open connections finish for `graceMs`, then answers what is still asked with `continue` and
   * closes the rest. The MTA defers mail while nobody listens; it loses none. Called again meanwhile it may cut the time short.
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
    await Promise.all(closed);
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
    if (this.#links.size + (this.#waiting?.length ?? 0) >= this.#maxConnections) {
      socket.destroy();
      return;
    }
    if (this.#waiting !== null) {
      socket.on('error', ignore);
      this.#waiting.push({ socket, options });
      return;
    }
    this.#links.add(new Link(socket, options, this.#closed));
  }

  /** One sweep for all: a timer for each socket costs more than the whole parser. */
  #closeIdle(): void {
    const oldest = Date.now() - this.#idleTimeoutMs;
    for (const link of this.#links) if (link.heardAt < oldest) link.conversation.end();
  }
}

const LINK = Symbol('link');
type LinkedSocket = Socket & { [LINK]: Link };

/** A socket and its conversation. The listeners are shared: with closures each of ten thousand would have its own. */
class Link implements Peer {
  readonly conversation: Conversation;
  readonly #socket: LinkedSocket;
  readonly #onClose: (link: Link) => void;
  heardAt = Date.now();

  constructor(socket: Socket, options: ConversationOptions, onClose: (link: Link) => void) {
    this.#socket = Object.assign(socket, { [LINK]: this });
    this.#onClose = onClose;
    this.conversation = new Conversation(options, this);
    socket.on('data', Link.#heard);
    // ECONNRESET and EPIPE are ends like any other.
    socket.on('error', ignore);
    socket.on('close', Link.#ended);
    // A connection that was held does not flow by itself.
    socket.resume();
  }

  static #heard(this: LinkedSocket, chunk: Buffer): void {
    const link = this[LINK];
    link.heardAt = Date.now();
    link.conversation.receive(chunk);
  }

  static #ended(this: LinkedSocket): void {
    const link = this[LINK];
    link.conversation.end();
    link.#onClose(link);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  destroy(): void {
    // destroy() alone would drop a last reply that the kernel has not taken yet.
    if (this.#socket.writableLength > 0) this.#socket.destroySoon();
    else this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

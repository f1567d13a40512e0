/** The options of a server: how to talk with an MTA, and what connections may cost. */
import type { ConversationOptions } from './conversation.ts';
import type { Observe } from './observation.ts';
import type { OnError, ReplyOnError } from './guard.ts';
import { checkWishes, type Wishes } from './negotiation.ts';
import type { MilterSession } from './session.ts';

const IDLE_TIMEOUT_MS = 2 * 3_600_000;
/** Postfix gives a milter this long for a message (`milter_content_timeout`), and would be gone by then. */
const UNREAD_TIMEOUT_MS = 300_000;
export const MAX_CONNECTIONS = 20_000;
const MAX_BUFFERED_BYTES = 128 * 1024 * 1024;

/** What a server is made of, and its bounds. */
export interface MilterServerOptions extends Partial<Wishes> {
  /**
   * Called for each connection of the MTA, which is one SMTP connection. If it fails, or returns no session,
   * the connection gets the answer `replyOnError`.
   */
  readonly newSession: () => MilterSession;
  /**
   * Told of failing callbacks, whose connections go on; of peers that break the protocol; and, by
   * TurnedAwayError, of connections turned away.
   */
  readonly onError: OnError;
  /** The answer of a callback that fails; `tempfail` by default. */
  readonly replyOnError?: ReplyOnError;
  /** Asked at CONNECT for an observer of this session's dialogue; by default there is none. */
  readonly observe?: Observe | undefined;
  /**
   * More connections than this are closed at once, which is the MTA's default action; 20,000 by default. So
   * are those that would take one of the process's last 64 descriptors (if it has few, one of the last
   * quarter).
   */
  readonly maxConnections?: number;
  /**
   * Bytes that all connections together may keep in memory: packets that are not complete, macros, the
   * arguments of CONNECT, HELO and MAIL, replies that were not read. Beyond it the connection that has kept
   * the most for the longest is closed. 128 MiB by default.
   */
  readonly maxBufferedBytes?: number;
  /**
   * A connection that leaves replies unread for this long is closed, once the kernel takes no more; five
   * minutes by default.
   */
  readonly unreadTimeoutMs?: number;
  /**
   * A connection that says nothing for this long is closed; two hours by default, as in libmilter, since
   * Sendmail lets an SMTP client pause for an hour.
   */
  readonly idleTimeoutMs?: number;
  /**
   * Read nothing from connections before `admit()` is called: for work that must be done between the first
   * socket and the first byte.
   */
  readonly hold?: boolean;
}

/** The options that apply to one connection. */
export function sessionOptions(options: MilterServerOptions): ConversationOptions {
  const { keep = [], noReply = [], actions = [], macros = {} } = options;
  const { rejectedRecipients = false, leadingSpace = false } = options;
  return {
    newSession: options.newSession,
    onError: options.onError,
    replyOnError: options.replyOnError ?? 'tempfail',
    observe: options.observe,
    wishes: { keep, noReply, actions, macros, rejectedRecipients, leadingSpace },
  };
}

/** The limits for all connections together, and how long one may do nothing. */
export interface Limits {
  readonly connections: number;
  readonly bufferedBytes: number;
  readonly idleMs: number;
  readonly unreadMs: number;
}

export function limitsOf(options: MilterServerOptions): Limits {
  return {
    connections: options.maxConnections ?? MAX_CONNECTIONS,
    bufferedBytes: options.maxBufferedBytes ?? MAX_BUFFERED_BYTES,
    idleMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    unreadMs: options.unreadTimeoutMs ?? UNREAD_TIMEOUT_MS,
  };
}

/** Throws RangeError for mistakes that would otherwise only show when an MTA connects. */
export function checkOptions({ replyOnError, wishes }: ConversationOptions): void {
  if (!['continue', 'tempfail'].includes(replyOnError)) {
    throw new RangeError(`replyOnError is continue or tempfail, not ${JSON.stringify(replyOnError)}`);
  }
  checkWishes(wishes);
}

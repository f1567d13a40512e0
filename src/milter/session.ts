/**
 * What a filter implements: one object for each SMTP connection, with a callback for each event that it
 * wants. An event without a callback is declined at negotiation, so that the MTA does not send it; if the MTA
 * cannot leave it out, it is answered `continue`.
 */
import type { ActionName } from './actions.ts';
import type { ConnectInfo, Envelope } from './command.ts';
import type { Message } from './message.ts';
import type { BodyReply, CommandReply, ConnectReply, HeloReply } from './reply.ts';

/** What a callback can learn about its connection. */
export interface MilterContext {
  /** The protocol version agreed upon. */
  readonly version: number;
  /** A macro of the MTA, such as `{auth_authen}` or `i`; with or without braces. Latin1, unchecked. */
  macro(name: string): string | undefined;
  /**
   * Whether the MTA lets the message be changed in this way; never true for a change that `actions` did not
   * ask for.
   */
  granted(action: ActionName): boolean;
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Callbacks run one at a time, in the order of the MTA's commands; the next command waits for a returned
 * promise. Strings are latin1, one character for each byte, exactly as the SMTP client sent them.
 *
 * HELO may come again at any time, or never. `abort` ends the message and nothing else: it may come after a
 * HELO that must survive it (Postfix), so it must not clear what HELO said.
 */
export interface MilterSession {
  /** The name of this session in a log. */
  readonly id?: string;
  connect?(info: ConnectInfo, context: MilterContext): Awaitable<ConnectReply>;
  /** For HELO and EHLO alike; the protocol does not tell them apart. */
  helo?(name: string, context: MilterContext): Awaitable<HeloReply>;
  mail?(sender: Envelope, context: MilterContext): Awaitable<CommandReply>;
  rcpt?(recipient: Envelope, context: MilterContext): Awaitable<CommandReply>;
  data?(context: MilterContext): Awaitable<CommandReply>;
  /** An SMTP command that the MTA does not know. Postfix 3.7 sends its first word only. */
  unknown?(line: string, context: MilterContext): Awaitable<CommandReply>;
  /** Folded values keep their LF; the MTA has taken off one leading space unless it was asked not to. */
  header?(name: string, value: string, context: MilterContext): Awaitable<CommandReply>;
  endOfHeaders?(context: MilterContext): Awaitable<CommandReply>;
  body?(chunk: Buffer, context: MilterContext): Awaitable<BodyReply>;
  /** The only place where a message can be changed. */
  endOfMessage?(message: Message, context: MilterContext): Awaitable<CommandReply>;
  /** The message under way will not be finished. */
  abort?(): void;
  /** The connection is over, however it ended. Called once. */
  close?(): void;
}

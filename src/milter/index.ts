/**
 * A milter server for Node: protocol versions 2, 3, 4 and 6, as Sendmail and Postfix speak it. Knows nothing
 * of what a filter is for and depends on nothing.
 *
 * @example
 * ```ts
 * import { type Envelope, MilterServer, type MilterSession, replyCode } from 'helo-milter/milter';
 *
 * class Session implements MilterSession {
 *   rcpt({ address }: Envelope) {
 *     return address.startsWith('spam@') ? replyCode(550, '5.7.1', 'not here') : 'continue';
 *   }
 * }
 * const server = new MilterServer({ newSession: () => new Session(), onError: console.error });
 * await server.listen('inet:127.0.0.1:8892');
 * ```
 * @module
 */

// The server and what it listens on.
export { type ListenOptions, MilterServer } from './server.ts';
export type { MilterServerOptions } from './server-options.ts';
export { AddressError, formatSocketAddress, parseSocketAddress, type SocketAddress } from './address.ts';
export type { SocketOwner } from './bind.ts';

// A session, and what its callbacks get.
export type { Awaitable, MilterContext, MilterSession } from './session.ts';
export type { ConnectInfo, Envelope, Offer } from './command.ts';
export { Message, NotGrantedError } from './message.ts';

// What a callback may answer.
export {
  type BodyReply,
  type CommandReply,
  type ConnectReply,
  describeReply,
  type HeloReply,
  type Reply,
  type ReplyCode,
  replyCode,
} from './reply.ts';

// What is agreed with the MTA.
export type { ActionName } from './actions.ts';
export type { CallbackName } from './callbacks.ts';
export type { MacroStage, Wishes } from './negotiation.ts';

// Failures, and looking on.
export type { ErrorSource, OnError, ReplyOnError } from './guard.ts';
export { ProtocolError } from './packet.ts';
export { TURNED_AWAY, TurnedAwayError, type TurnedAwayReason } from './turned-away.ts';
export type { Observe } from './observation.ts';
export type { Observer } from './observer.ts';

// The side of the MTA, for tests.
export { MilterClient, type MilterClientOptions } from './client.ts';
export { deliver, type Delivery, type MessageToSend } from './deliver.ts';
export { probe, type ProbeOptions } from './probe.ts';
export type { Change, ReceivedAgreement, ReceivedCode, ReceivedReply } from './received.ts';

/**
 * The order of commands in a message, which is that of libmilter (`engine.c`): a command out of order ends
 * the message under way and is tried again from there; if it is still out of order, it is ignored without a
 * reply.
 */
import { type Agreement, declined } from './negotiation.ts';
import type { CallbackName } from './callbacks.ts';
import type { Reply } from './reply.ts';

/** How far a message has come: no message, or the rank of its last event. */
export const IDLE = 0;
export const RANK = { mail: 1, rcpt: 2, data: 3, header: 4, endOfHeaders: 5, body: 6 } as const;
export type MessageEvent = keyof typeof RANK;

/** Events that come at most once in a message. */
const ONCE: ReadonlySet<MessageEvent> = new Set(['mail', 'data', 'endOfHeaders']);

/** Whether an event shows that the message under way is not going on. */
export function endsUnfinished(event: MessageEvent, progress: number): boolean {
  const rank = RANK[event];
  return progress > rank || (progress === rank && ONCE.has(event));
}

/** Whether an event may come now: MAIL and RCPT must have come before, unless they were declined. */
export function hasPlace(event: MessageEvent, progress: number, agreement: Agreement | null): boolean {
  if (event === 'mail' || agreement === null) return true;
  if (event !== 'rcpt' && !declined('rcpt', agreement)) return progress >= RANK.rcpt;
  return progress >= (declined('mail', agreement) ? IDLE : RANK.mail);
}

/**
 * After such a reply the MTA shows no more of this message. At RCPT a refusal concerns that recipient only.
 */
export function endsMessage(event: CallbackName, reply: Reply): boolean {
  if (event === 'endOfMessage') return true;
  if (event === 'connect' || event === 'helo' || event === 'unknown') return false;
  if (event === 'rcpt') return reply === 'accept' || reply === 'discard';
  return reply !== 'continue' && reply !== 'skip';
}

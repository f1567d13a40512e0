/**
 * One message through a filter, the way an MTA sends it: for tests of a filter that want an outcome, not
 * packets.
 */
import type { MilterClient } from './client.ts';
import { CHUNK_SIZE } from './constants.ts';
import type { Change, ReceivedReply } from './received.ts';

/** A message for `deliver`. */
export interface MessageToSend {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Lines end with CRLF, as on the wire. */
  readonly body?: string;
}

/** What became of a message. A reply is null if the filter was not asked or does not answer. */
export interface Delivery {
  readonly sender: ReceivedReply | null;
  /** One for each recipient, in order. */
  readonly recipients: readonly (ReceivedReply | null)[];
  /** The reply that settled the message. */
  readonly final: ReceivedReply;
  readonly changes: readonly Change[];
}

/**
 * Sends one message: refused recipients are left out, and a reply that settles the message ends it, so that
 * the filter sees no later event. Call `connect` and `helo` before, as far as the filter wants them.
 */
export async function deliver(
  client: MilterClient,
  { sender, recipients, headers = [], body = '' }: MessageToSend,
): Promise<Delivery> {
  const from = await client.mail(sender);
  const replies: (ReceivedReply | null)[] = [];
  const outcome = (final: ReceivedReply, changes: readonly Change[] = []): Delivery => ({
    sender: from,
    recipients: replies,
    final,
    changes,
  });
  if (settles(from)) return outcome(from);
  for (const recipient of recipients) {
    const reply = await client.rcpt(recipient);
    replies.push(reply);
    if (reply === 'accept' || reply === 'discard') return outcome(reply);
  }
  const last = replies.at(-1) ?? null;
  if (last !== null && replies.every(refuses)) {
    // There is no recipient, so the MTA drops the message.
    client.abort();
    return outcome(last);
  }
  for await (const reply of content(client, headers, body)) if (settles(reply)) return outcome(reply);
  const { changes, reply } = await client.endOfMessage();
  return outcome(reply, changes);
}

async function* content(
  client: MilterClient,
  headers: NonNullable<MessageToSend['headers']>,
  body: string,
): AsyncGenerator<ReceivedReply | null> {
  yield await client.data();
  for (const [name, value] of headers) yield await client.header(name, value);
  yield await client.endOfHeaders();
  const bytes = Buffer.from(body, 'latin1');
  for (let at = 0; at < bytes.length; at += CHUNK_SIZE) {
    const reply = await client.body(bytes.subarray(at, at + CHUNK_SIZE));
    if (reply === 'skip') return;
    yield reply;
  }
}

function refuses(reply: ReceivedReply | null): boolean {
  return reply === 'reject' || reply === 'tempfail' || (typeof reply === 'object' && reply !== null);
}

/** Whether the filter sees nothing more of the message. */
function settles(reply: ReceivedReply | null): reply is ReceivedReply {
  return reply === 'accept' || reply === 'discard' || refuses(reply);
}

/** A message of delivered mail in the shape of a recorded decision, for those who replay records. */
import type { RecordedDecision } from '../decisions/record-reader.ts';
import type { Seen } from './seen.ts';

/**
 * The record of a host that looked on: the message was accepted, as it was, and nothing else is known of its
 * session. `number` tells it from the others.
 */
export function recordOf(seen: Seen, number: number): RecordedDecision {
  const { time, client, helo, sender, recipients, recipientCount, judged } = seen;
  return {
    version: 2,
    time,
    connectedAt: null,
    reference: `received-${number}.1`,
    message: number,
    client,
    helo,
    cache: 'miss',
    stage: 'rcpt',
    sender,
    recipients,
    recipientCount,
    queueId: null,
    limit: null,
    ramp: null,
    streamLimit: null,
    action: 'accept',
    exempt: null,
    exemptText: null,
    end: 'accepted',
    judged: {
      ...judged,
      preset: 'rfc5321',
      own: false,
      verdict: { disposition: 'accept', score: 0, stream: 'unverified', cause: null },
      counted: [],
      shadow: null,
      access: null,
      omitted: false,
    },
  };
}

/**
 * What the stream of a message is held against it for, where the operator wants that: findings of no check,
 * drawn by the policy from everything else. Both streams are of hosts that do not say who they are.
 */
import type { Client } from '../client.ts';
import type { Evidence, Finding, FindingSpec } from '../finding.ts';
import { literalText } from '../ip.ts';

/** The streams of mail whose host is not known to be who it says. */
export const UNPROVED = ['unverified', 'failed'] as const;
export type Unproved = (typeof UNPROVED)[number];

const WAYS =
  'announce a name that has {client} as its address, or publish SPF for your name, or use the mail relay of your provider';
/** To have no name is a way out only where that is not held against a host as well. */
const ALL_WAYS = `${WAYS}; a host without a name may announce {literal}, or publish _auth TXT 'method=none' for its name`;
const REASON = 'a stream is a tag, unless you want it to be more';

export const streamFindings = {
  'stream-unverified': {
    basis: 'local',
    summary: 'the stream of the mail is `unverified`: the host need not, or could not, say who it is',
    reference: 'local policy (--stream-weight)',
    weight: 0,
    reason: REASON,
    why: 'The receiver cannot tell who runs this host, and takes less of such mail.',
    remedies: ['announce', 'give-address', 'permit-by-spf', 'send-by-relay'],
    reply: `HELO {helo}: this host does not say who it is; ${WAYS}`,
  },
  'stream-failed': {
    basis: 'local',
    summary: 'the stream of the mail is `failed`: nothing shows that the host is who it says',
    reference: 'local policy (--stream-weight)',
    weight: 0,
    reason: REASON,
    why: 'The receiver cannot tell who runs this host, and takes less of such mail.',
    remedies: ['announce', 'give-address', 'permit-by-spf', 'send-by-relay'],
    reply: `HELO {helo}: this host does not say who it is; ${WAYS}`,
    replyWith: { literal: `HELO {helo}: this host does not say who it is; ${ALL_WAYS}` },
  },
  'stream-limit': {
    basis: 'local',
    summary: 'the network of the client has sent as many messages in this stream as are taken in this time',
    reference: 'local policy (--stream-limit)',
    weight: 0,
    reason: '--stream-limit delays without any weight, and never refuses for good',
    why: 'The receiver cannot tell who runs this host, and takes only so much of such mail from one network.',
    remedies: ['try-again', 'announce', 'give-address', 'permit-by-spf', 'send-by-relay'],
    reply: `HELO {helo}: this host does not say who it is, and of such hosts in your network no more than {count} messages are taken in {time}; try again later; ${WAYS}`,
    replyWith: {
      literal: `HELO {helo}: this host does not say who it is, and of such hosts in your network no more than {count} messages are taken in {time}; try again later; ${ALL_WAYS}`,
    },
  },
} as const satisfies Record<string, FindingSpec>;

const IDS: Readonly<Record<Unproved, keyof typeof streamFindings>> = {
  unverified: 'stream-unverified',
  failed: 'stream-failed',
};

/** The finding that a stream is. */
export function streamId(stream: Unproved): string {
  return IDS[stream];
}

/** Whether it is drawn from the stream, and so from all others. */
export function isOfStream({ id }: Pick<Finding, 'id'>): boolean {
  return Object.hasOwn(streamFindings, id);
}

/** `mayOptOut`: a host without a name would be let in. */
export function streamFinding(stream: Unproved, client: Client, mayOptOut: boolean): Finding {
  return { id: IDS[stream], evidence: evidenceOf(client, mayOptOut) };
}

/** Of a message beyond a limit of `count` messages in `time` (`1h`). */
export function streamLimitFinding(
  client: Client,
  limit: { readonly count: number; readonly time: string },
  mayOptOut: boolean,
): Finding<keyof typeof streamFindings> {
  const { count, time } = limit;
  return { id: 'stream-limit', evidence: { ...evidenceOf(client, mayOptOut), count: String(count), time } };
}

function evidenceOf({ helo, ip }: Client, mayOptOut: boolean): Evidence {
  const literal = ip === null || !mayOptOut ? {} : { literal: literalText(ip) };
  return { helo: helo.text, ...literal };
}

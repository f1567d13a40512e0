/**
 * What the stream of a message is held against it for, where the operator wants that: findings of no check,
 * drawn by the policy from everything else. Both streams are of hosts that do not say who they are.
 */
import type { Client } from '../client.ts';
import type { Finding, FindingSpec } from '../finding.ts';
import { literalText } from '../ip.ts';

/** The streams of mail whose host is not known to be who it says. */
export const UNPROVED = ['unverified', 'failed'] as const;
export type Unproved = (typeof UNPROVED)[number];

/** For a client without an address; to any other the ways themselves are told. */
const FIX =
  "announce a public host name that leads to your address, or permits it by SPF, or use your provider's mail relay";
const REASON = 'a stream is a tag, unless you want it to be more';

export const streamFindings = {
  'stream-unverified': {
    basis: 'local',
    summary: 'the stream of the mail is `unverified`: the host need not, or could not, say who it is',
    reference: 'local policy (--stream-weight)',
    weight: 0,
    reason: REASON,
    why: 'The receiver cannot tell who runs this host, and takes less of such mail.',
    remedies: ['permit-by-spf', 'announce', 'send-by-relay', 'opt-out'],
    reply: 'HELO {helo}: this host does not say who it is',
    fix: FIX,
    cure: 'give-address',
  },
  'stream-failed': {
    basis: 'local',
    summary: 'the stream of the mail is `failed`: nothing shows that the host is who it says',
    reference: 'local policy (--stream-weight)',
    weight: 0,
    reason: REASON,
    why: 'The receiver cannot tell who runs this host, and takes less of such mail.',
    remedies: ['permit-by-spf', 'announce', 'send-by-relay', 'opt-out'],
    reply: 'HELO {helo}: this host does not say who it is',
    fix: FIX,
    cure: 'give-address',
  },
  'stream-limit': {
    basis: 'local',
    summary: 'the network of the client has sent as many messages in this stream as are taken in this time',
    reference: 'local policy (--stream-limit)',
    weight: 0,
    reason: '--stream-limit delays without any weight, and never refuses for good',
    why: 'The receiver cannot tell who runs this host, and takes only so much of such mail from one network.',
    remedies: ['try-again', 'permit-by-spf', 'announce', 'send-by-relay', 'opt-out'],
    reply:
      'HELO {helo}: this host does not say who it is, and of such hosts in your network no more than {count} messages are taken in {time}; try again later',
    fix: FIX,
    cure: 'give-address',
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

export function streamFinding(stream: Unproved, { helo }: Client): Finding {
  return { id: IDS[stream], evidence: { helo: helo.text } };
}

/**
 * Of a message beyond a limit of `count` messages in `time` (`1h`). `mayOptOut`: a host without a name would
 * be let in.
 */
export function streamLimitFinding(
  client: Client,
  limit: { readonly count: number; readonly time: string },
  mayOptOut: boolean,
): Finding<keyof typeof streamFindings> {
  const { count, time } = limit;
  const { helo, ip } = client;
  const literal = ip === null || !mayOptOut ? {} : { literal: literalText(ip) };
  return { id: 'stream-limit', evidence: { helo: helo.text, ...literal, count: String(count), time } };
}

/** Whether it is of a message beyond a limit. */
export function isStreamLimit({ id }: Pick<Finding, 'id'>): boolean {
  return id === ('stream-limit' satisfies keyof typeof streamFindings);
}

/** Of a message beyond a limit: whether a host that opts out of naming itself would be let in. */
export function limitSparesOptOut({ evidence }: Pick<Finding, 'evidence'>): boolean {
  return evidence['literal'] !== undefined;
}

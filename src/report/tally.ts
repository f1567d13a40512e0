/**
 * Counts decisions as they were and as they would be: in all, and by whatever an administrator asks for.
 * Memory grows with the number of different groups, not with the number of decisions.
 */
import { networkOf } from '../core/client-networks.ts';
import { identityOf } from '../policy/identity.ts';
import { parseIp } from '../core/ip.ts';
import { parseMailbox, withoutBrackets } from '../policy/mailbox.ts';
import { type Tallied, countIn, emptyGroup, strictness } from './group.ts';
import { GroupTable } from './group-table.ts';
import { messageOf, type Part, type Replayed, type Unknown } from './replayed.ts';

export const DIMENSIONS = ['finding', 'stream', 'sender', 'network', 'recipient'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** What all decisions have in common, and which of them are not certain. */
export class Totals {
  readonly all = emptyGroup('all');
  readonly unknown: Record<Unknown, number> = { 'not-looked-up': 0, settled: 0, 'earlier-mail': 0 };
  /** Decisions on clients or recipients that are exempt, now as then. */
  exempt = 0;
  readonly #messages = new MessageNumbers();

  /** Takes the decisions in the order of the log; returns what it counted, and the part that decided it. */
  add(replayed: Replayed): { readonly change: Tallied; readonly part: Part } {
    const { record, parts, unknown } = replayed;
    const part = strictestOf(parts);
    const change = talliedOf(replayed, this.#messages.of(record), part);
    countIn(this.all, change);
    if (unknown !== null) this.unknown[unknown]++;
    if (part.exempt !== null && record.exempt !== null) this.exempt++;
    return { change, part };
  }
}

/** The same, and by whatever an administrator asks for. */
export class DecisionTally extends Totals {
  readonly findings = new GroupTable();
  readonly streams = new GroupTable();
  readonly senders = new GroupTable();
  readonly networks = new GroupTable();
  readonly recipients = new GroupTable();

  of(dimension: Dimension): GroupTable {
    return {
      finding: this.findings,
      stream: this.streams,
      sender: this.senders,
      network: this.networks,
      recipient: this.recipients,
    }[dimension];
  }

  override add(replayed: Replayed): { readonly change: Tallied; readonly part: Part } {
    const counted = super.add(replayed);
    const { record, parts } = replayed;
    const { change } = counted;
    const { judged } = counted.part;
    if (judged !== null) {
      for (const { finding, weight } of judged.verdict.counted) {
        if (weight > 0) this.findings.count(finding.id, change);
      }
      this.streams.count(judged.verdict.stream, change);
    }
    const network = networkName(record.client);
    this.networks.count(network, change);
    this.senders.count(senderName(record, network), change);
    for (const part of parts) {
      const domains = new Set(part.recipients.map(domainOf));
      for (const domain of domains) {
        this.recipients.count(domain, { ...change, now: part.action });
      }
    }
    return counted;
  }
}

/** The decision as one to be counted, with what would be done to these recipients. */
function talliedOf({ record, unknown }: Replayed, message: number, { action }: Part): Tallied {
  return { time: record.time, message, then: record.action, now: action, unknown: unknown !== null };
}

/** Numbers messages from 1; decisions on one message follow each other. */
class MessageNumbers {
  #message = '';
  #number = 0;

  of(record: Replayed['record']): number {
    const message = messageOf(record);
    if (message !== this.#message || this.#number === 0) this.#number++;
    this.#message = message;
    return this.#number;
  }
}

/** The part of a decision with the strictest action. */
export function strictestOf(parts: readonly Part[]): Part {
  const [first, ...others] = parts;
  if (first === undefined) throw new Error('a decision has at least one part');
  return others.reduce(
    (worst, part) => (strictness(part.action) > strictness(worst.action) ? part : worst),
    first,
  );
}

/** The network of a client, or `unknown`. */
export function networkName(client: string | null): string {
  const ip = client === null ? null : parseIp(client);
  return ip === null ? 'unknown' : networkOf(ip, 'network');
}

/**
 * The sender: the registrable domain of the HELO name; if it has none, that of the verified reverse name;
 * else the network. A HELO name may be forged, so the domain is only a claim.
 */
function senderName({ judged }: Replayed['record'], network: string): string {
  if (judged === null) return network;
  const { domain, reverseDomain } = identityOf(judged.assessment);
  return domain ?? reverseDomain ?? network;
}

function domainOf(recipient: string): string {
  return parseMailbox(withoutBrackets(recipient)).domain || '-';
}

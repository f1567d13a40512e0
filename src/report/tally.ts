/**
 * Counts decisions as they were and as they would be: in all, and by whatever an administrator asks for.
 * Memory grows with the number of different groups, not with the number of decisions.
 */
import { networkOf } from '../core/client-networks.ts';
import { identityOf } from '../policy/identity.ts';
import { parseIp } from '../core/ip.ts';
import { type Disposition, DISPOSITIONS } from '../policy/policy.ts';
import { parseMailbox, withoutBrackets } from '../policy/mailbox.ts';
import { DAY_MS } from './figures.ts';
import { messageOf, type Part, type Replayed, type Unknown } from './replayed.ts';

export type Counts = Record<Disposition, number>;

/** One group of decisions that are counted together. */
export interface Group {
  readonly name: string;
  /** Number of decisions; a message may have several, where its recipients are treated differently. */
  decisions: number;
  /** A client that was refused at HELO counts as one. */
  messages: number;
  /** Number of the latest. */
  message: number;
  /** As they were. */
  readonly then: Counts;
  /** As they would be. If recipients would be treated differently, the strictest counts. */
  readonly now: Counts;
  /** Decisions that would be stricter, and those that would be milder. */
  stricter: number;
  milder: number;
  /** How many of those counted as stricter or milder are not certain: see `Unknown`. */
  unknown: number;
  /** Unix times in milliseconds. */
  first: number;
  last: number;
  /** Days (UTC, since 1970) on which there was one, and how many they are; most groups only have one. */
  seenOn: Set<number> | number | null;
  days: number;
}

export const DIMENSIONS = ['finding', 'stream', 'sender', 'network', 'recipient'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export class DecisionTally {
  readonly all = emptyGroup('all');
  readonly unknown: Record<Unknown, number> = { 'not-looked-up': 0, settled: 0, 'earlier-mail': 0 };
  /** Decisions on clients or recipients that are exempt, now as then. */
  exempt = 0;
  readonly findings = new Map<string, Group>();
  readonly streams = new Map<string, Group>();
  readonly senders = new Map<string, Group>();
  readonly networks = new Map<string, Group>();
  readonly recipients = new Map<string, Group>();
  readonly #messages = new MessageNumbers();

  of(dimension: Dimension): ReadonlyMap<string, Group> {
    return {
      finding: this.findings,
      stream: this.streams,
      sender: this.senders,
      network: this.networks,
      recipient: this.recipients,
    }[dimension];
  }

  add(replayed: Replayed): void {
    const { record, parts, unknown } = replayed;
    const strictest = strictestOf(parts);
    const message = this.#messages.of(record);
    const change = { replayed, message, then: record.action, now: strictest.action };
    countIn(this.all, change);
    if (unknown !== null) this.unknown[unknown]++;
    if (strictest.exempt !== null && record.exempt !== null) this.exempt++;
    const judged = strictest.judged;
    if (judged !== null) {
      for (const { finding, weight } of judged.verdict.counted) {
        if (weight > 0) countIn(named(this.findings, finding.id), change);
      }
      countIn(named(this.streams, judged.verdict.stream), change);
    }
    const network = networkName(record.client);
    countIn(named(this.networks, network), change);
    countIn(named(this.senders, senderName(record, network)), change);
    for (const part of parts) {
      const domains = new Set(part.recipients.map(domainOf));
      for (const domain of domains) {
        countIn(named(this.recipients, domain), { ...change, now: part.action });
      }
    }
  }
}

/** Numbers messages from 1; decisions on one message follow each other. */
export class MessageNumbers {
  #message = '';
  #number = 0;

  of(record: Replayed['record']): number {
    const message = messageOf(record);
    if (message !== this.#message || this.#number === 0) this.#number++;
    this.#message = message;
    return this.#number;
  }
}

/** What was done, and what would be: the strictest of what different recipients would see. */
interface Change {
  readonly replayed: Replayed;
  /** Number of its message. */
  readonly message: number;
  readonly then: Disposition;
  readonly now: Disposition;
}

/** For comparing: the more, the stricter. */
export function strictness(disposition: Disposition): number {
  return DISPOSITIONS.indexOf(disposition);
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

export function emptyGroup(name: string): Group {
  return {
    name,
    decisions: 0,
    messages: 0,
    message: 0,
    then: { accept: 0, tempfail: 0, reject: 0 },
    now: { accept: 0, tempfail: 0, reject: 0 },
    stricter: 0,
    milder: 0,
    unknown: 0,
    first: Infinity,
    last: -Infinity,
    seenOn: null,
    days: 0,
  };
}

function named(groups: Map<string, Group>, name: string): Group {
  let found = groups.get(name);
  if (found === undefined) {
    found = emptyGroup(name);
    groups.set(name, found);
  }
  return found;
}

export function countIn(into: Group, { replayed, message, then, now }: Change): void {
  const { time } = replayed.record;
  into.decisions++;
  if (into.message !== message) into.messages++;
  into.message = message;
  into.then[then]++;
  into.now[now]++;
  if (strictness(now) > strictness(then)) into.stricter++;
  if (strictness(now) < strictness(then)) into.milder++;
  if (replayed.unknown !== null) into.unknown++;
  seeOn(into, Math.floor(time / DAY_MS));
  into.first = Math.min(into.first, time);
  into.last = Math.max(into.last, time);
}

function seeOn(group: Group, day: number): void {
  const { seenOn } = group;
  if (seenOn === day) return;
  if (seenOn === null) group.seenOn = day;
  else if (typeof seenOn === 'number') group.seenOn = new Set([seenOn, day]);
  else seenOn.add(day);
  group.days = group.seenOn instanceof Set ? group.seenOn.size : 1;
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

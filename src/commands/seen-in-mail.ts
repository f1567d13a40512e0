/**
 * What came in, learned from delivered mail before there is a decision log: the client and its HELO stand in
 * the Received field that the MTA wrote, and DNS is asked now. Each message is as `replay` takes it from a
 * record.
 */
import type { Config } from '../config/config.ts';
import { clientAddress } from '../core/embedded.ts';
import type { IpAddress } from '../core/ip.ts';
import { parseHelo } from '../core/helo.ts';
import type { OnCheckError } from '../core/assess.ts';
import type { Assessment } from '../core/assessment.ts';
import { headsIn, NOT_READ, type NotRead } from '../mailboxes/mailboxes.ts';
import { count, dayText } from '../report/figures.ts';
import { type Arrival, arrivalOf, NOT_TAKEN, type NotTaken, type OurHosts } from '../report/received.ts';
import type { Seen } from '../report/seen.ts';
import { PacedAssessments } from '../service/paced-assessments.ts';
import { registryOf } from '../service/registry.ts';
import { resolverOf } from '../service/resolver.ts';
import type { Progress } from './progress.ts';

/**
 * Names looked up a second where nothing else is asked for: some hundred questions, as a mail server with
 * little to do asks.
 */
export const DEFAULT_RATE = 10;

/** Look-ups under way at a time: a resolver that no longer answers is not pressed at the full rate. */
const MAX_IN_FLIGHT = 32;

/** Memory for assessments: some 20,000 pairs. One that was dropped is looked up again. */
const MAX_BYTES = 128 * 1024 * 1024;

/** Messages read ahead of one whose look-up is under way. */
const MAX_WAITING = 256;

/** Messages after which the progress is told again. */
const PROGRESS_EVERY = 256;

export interface MailOptions {
  /** What our own MTA calls itself behind `by`; see `OurHosts`. */
  readonly by: readonly string[];
  /** Names looked up a second, above 0. */
  readonly rate: number;
}

/** What was read so far. */
export interface MailCounts {
  messages: number;
  /** Messages of which the client and its HELO could be told. */
  taken: number;
  /** Pairs of client and HELO that were looked up. */
  lookups: number;
  /** The earliest and the latest arrival, Unix times in milliseconds; null before the first. */
  first: number | null;
  last: number | null;
  readonly notTaken: Record<NotTaken, number>;
  readonly notRead: Record<NotRead, number>;
}

/** To be walked once; `counts` grow while that is done. */
export interface SeenInMail extends AsyncIterable<Seen> {
  readonly counts: MailCounts;
}

/**
 * Reads mailboxes (see `headsIn`). Messages come in the order in which they are found, which is not that of
 * their times. Walking it throws UsageError for a path that is not there, and for options that name no
 * resolver.
 */
export function seenInMail(
  paths: readonly string[],
  config: Config,
  options: MailOptions,
  progress: Progress,
  onCheckError: OnCheckError,
): SeenInMail {
  const counts: MailCounts = {
    messages: 0,
    taken: 0,
    lookups: 0,
    first: null,
    last: null,
    notTaken: noneOf(NOT_TAKEN),
    notRead: noneOf(NOT_READ),
  };
  return {
    counts,
    [Symbol.asyncIterator]: () => walk(paths, config, options, { progress, onCheckError, counts }),
  };
}

interface Ears {
  readonly progress: Progress;
  readonly onCheckError: OnCheckError;
  readonly counts: MailCounts;
}

async function* walk(
  paths: readonly string[],
  config: Config,
  { by, rate }: MailOptions,
  { progress, onCheckError, counts }: Ears,
): AsyncGenerator<Seen, void> {
  const { checks } = await registryOf(config);
  const paced = new PacedAssessments({
    perSecond: rate,
    maxInFlight: MAX_IN_FLIGHT,
    maxBytes: MAX_BYTES,
    resolver: await resolverOf(config),
    checks,
    deadlineMs: config.deadline,
    onCheckError,
    now: () => performance.now(),
  });
  const ours = oursOf(by, config);
  const waiting: Promise<Seen>[] = [];
  const tell = (): void => {
    progress.show(`${counts.messages} messages, ${counts.lookups} names looked up`);
  };
  try {
    for await (const head of headsIn(paths, (why) => counts.notRead[why]++)) {
      if (++counts.messages % PROGRESS_EVERY === 0) tell();
      const arrival = arrivalOf(head.text, ours, head.cut);
      if (typeof arrival === 'string') {
        counts.notTaken[arrival]++;
        continue;
      }
      note(counts, arrival);
      const ip = clientAddress(arrival.client, config.nat64Prefix);
      const result = await paced.want({ ip, helo: parseHelo(arrival.helo) });
      if (paced.lookups > counts.lookups) {
        counts.lookups = paced.lookups;
        tell();
      }
      waiting.push(result().then((assessment) => seenOf(arrival, ip, assessment)));
      const first = waiting.length > MAX_WAITING ? waiting.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (const each of waiting) yield await each;
  } finally {
    paced.close();
    progress.done();
  }
}

function noneOf<Why extends string>(whys: Readonly<Record<Why, string>>): Record<Why, number> {
  return Object.fromEntries(Object.keys(whys).map((why) => [why, 0])) as Record<Why, number>;
}

/**
 * Addresses of ours and trusted networks are as good as inside: the milter would not judge what comes from
 * there.
 */
function oursOf(by: readonly string[], { ourAddress, trust }: Config): OurHosts {
  return {
    names: by,
    networks: [...trust, ...ourAddress.map((address) => ({ address, length: address.bytes.length * 8 }))],
  };
}

function note(counts: MailCounts, { time }: Arrival): void {
  counts.taken++;
  counts.first = Math.min(counts.first ?? time, time);
  counts.last = Math.max(counts.last ?? time, time);
}

/** Of the session nothing else is known; the name of our host is, which nobody else may give. */
function seenOf(
  { time, helo, sender, recipients, by }: Arrival,
  client: IpAddress,
  assessment: Assessment,
): Seen {
  return {
    time,
    client: client.text,
    helo,
    sender,
    recipients,
    recipientCount: recipients.length,
    judged: {
      assessment,
      session: { previousHelo: null, namesSeen: 1, regular: false, mta: { name: by, address: null } },
      message: null,
      dnsIll: false,
      elapsedMs: 0,
    },
  };
}

/**
 * What must be said beside every result, a sentence each. `now` and all times are Unix times in milliseconds.
 */
export function mailNotes(counts: MailCounts, now: number): string[] {
  const { messages, taken, lookups, first, last, notTaken, notRead } = counts;
  const span = first === null || last === null ? '' : `, received from ${dayText(first)} to ${dayText(last)}`;
  const leftOut = (number: number, what: string, why: string): string[] =>
    number === 0 ? [] : [`Left out: ${count(number, what)} (${why}).`];
  return [
    `Messages taken: ${taken} of ${messages}${span}; pairs of client and HELO looked up on ${dayText(now)}: ${lookups}. ` +
      "Today's DNS is not that of the sessions.",
    'Delivered mail shows nothing of what was refused, or deleted since.',
    ...(Object.keys(NOT_TAKEN) as NotTaken[]).flatMap((why) =>
      leftOut(notTaken[why], 'message', NOT_TAKEN[why]),
    ),
    ...(Object.keys(NOT_READ) as NotRead[]).flatMap((why) => leftOut(notRead[why], 'file', NOT_READ[why])),
  ];
}

/** Senders that would be treated otherwise, the one that looks most like a legitimate one first. */
import type { HitCollector } from '../src/report/hits.ts';
import { pointsOf, signsOf } from '../src/report/likeness.ts';
import type { Counts } from '../src/report/group.ts';
import { inert } from './inert.ts';

/** Rows that are told; whoever wants more searches. */
const MOST_ROWS = 500;

export interface ChangedSender {
  /** Both are printable ASCII. */
  readonly name: string;
  readonly origin: string;
  readonly points: number;
  readonly signs: readonly { readonly points: number; readonly text: string }[];
  readonly messages: number;
  readonly decisions: number;
  /** What they would be; for those let in, what they were. */
  readonly now: Counts;
  readonly days: number;
  /** Unix time in milliseconds. */
  readonly last: number;
}

export interface Changed {
  readonly senders: readonly ChangedSender[];
  /** Of all, also of those that are not told. */
  readonly count: number;
  readonly messages: number;
}

export function changedOf(collector: HitCollector): Changed {
  return {
    count: collector.size,
    messages: collector.messages,
    senders: collector.senders(MOST_ROWS).map((sender) => ({
      name: inert(sender.name),
      origin: inert(sender.origin),
      points: pointsOf(sender),
      signs: signsOf(sender).map(({ points, text }) => ({ points, text })),
      messages: sender.hits.messages,
      decisions: sender.hits.decisions,
      now: sender.hits.now,
      days: sender.hits.days,
      last: sender.hits.last,
    })),
  };
}

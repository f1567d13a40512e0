/** Counts of decisions that have something in common, as they were and as they would be. */
import { type Disposition, DISPOSITIONS } from '../policy/policy.ts';
import { DAY_MS } from './figures.ts';

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

/** For comparing: the more, the stricter. */
export function strictness(disposition: Disposition): number {
  return DISPOSITIONS.indexOf(disposition);
}

/** One decision: what was done, and what would be. */
export interface Tallied {
  /** Unix time in milliseconds. */
  readonly time: number;
  /** Number of its message, from 1. */
  readonly message: number;
  readonly then: Disposition;
  /** The strictest of what different recipients would see. */
  readonly now: Disposition;
  /** The record does not say enough for it to be certain. */
  readonly unknown: boolean;
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

/** Returns whether it is the first decision on its message in this group. */
export function countIn(into: Group, { time, message, then, now, unknown }: Tallied): boolean {
  const isFirst = into.message !== message;
  into.decisions++;
  if (isFirst) into.messages++;
  into.message = message;
  into.then[then]++;
  into.now[now]++;
  if (strictness(now) > strictness(then)) into.stricter++;
  if (strictness(now) < strictness(then)) into.milder++;
  if (unknown) into.unknown++;
  seeOn(into, Math.floor(time / DAY_MS));
  into.first = Math.min(into.first, time);
  into.last = Math.max(into.last, time);
  return isFirst;
}

function seeOn(group: Group, day: number): void {
  const { seenOn } = group;
  if (seenOn === day) return;
  if (seenOn === null) group.seenOn = day;
  else if (typeof seenOn === 'number') group.seenOn = new Set([seenOn, day]);
  else seenOn.add(day);
  group.days = group.seenOn instanceof Set ? group.seenOn.size : 1;
}

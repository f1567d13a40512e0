/** Counts all decisions under other options, of which as few as possible are judged one by one. */
import type { RecordedDecision } from '../src/decisions/record-reader.ts';
import type { RepeatablePast } from '../src/report/earlier-mail.ts';
import type { PageRules } from '../src/report/page-data.ts';
import { Replayer } from '../src/report/replayer.ts';
import type { Sorter } from './alike.ts';
import { outcomeOf, type Overview, OverviewCounter } from './overview.ts';
import type { Reach } from './reach.ts';
import { type WayEnd, learn, Ways } from './ways.ts';

export interface Counting {
  readonly records: readonly RecordedDecision[];
  readonly sorter: Sorter;
  readonly reach: Reach;
  readonly rules: PageRules;
  /** What was in it is forgotten. */
  readonly past: RepeatablePast;
}

/**
 * How a decision is judged in the order of the log: in one of these ways, by the replayer, or not at all,
 * since it is known where it ends, and only noted for those who come after it.
 */
type Open = Ways | Replayer | WayEnd;

export function overviewOf(counting: Counting): Overview {
  const { records, sorter, reach, rules, past } = counting;
  const { scale, ordered } = sorter;
  const { followsRegulars } = past;
  const sliceOf = (place: number): number => scale.sliceOf(records[place]?.time ?? 0);
  const counter = new OverviewCounter(scale);
  /** By place; nothing where it matters to nobody. */
  const open = new Array<Open | undefined>(records.length);
  const learned: { readonly end: WayEnd; readonly members: readonly number[] }[] = [];
  const taken: { readonly ways: Ways; readonly waiting: readonly number[] }[] = [];
  for (const { sample, members, slices } of sorter.groups) {
    const ways = new Ways(sample, { rules, followsRegulars });
    const { asked, usual } = ways;
    const waiting = asked.length === 0 ? [] : members.filter((place) => reach.mayMatter(place, asked));
    if (waiting.length > 0) taken.push({ ways, waiting });
    if (usual.learned.length > 0) learned.push({ end: usual, members });
    counter.add(usual.outcome, without(slices, waiting.map(sliceOf)));
  }
  const all = [ordered, ...learned.map(({ members }) => members), ...taken.map(({ waiting }) => waiting)];
  if (reach.mustLearn(all)) {
    for (const { end, members } of learned) for (const place of members) open[place] = end;
  }
  for (const { ways, waiting } of taken) for (const place of waiting) open[place] = ways;
  if (ordered.length === 0 && taken.length === 0) return counter.result();
  past.forget();
  const replayer = new Replayer({ rules, past });
  for (const place of ordered) open[place] = replayer;
  for (const [place, how] of open.entries()) {
    const record = records[place];
    if (how === undefined || record === undefined) continue;
    past.goTo(reach.timeOf(place));
    if (how instanceof Replayer) {
      counter.add(outcomeOf(how.replay(record)), new Map([[sliceOf(place), 1]]));
    } else if (how instanceof Ways) {
      const candidate = reach.candidateOf(place, record);
      if (candidate !== null) countIn(how.follow(candidate, past).slices, sliceOf(place));
    } else {
      const regular = reach.regularOf(place);
      if (regular !== null) learn(how, regular, past);
    }
  }
  for (const { ways } of taken) for (const { outcome, slices } of ways.ends) counter.add(outcome, slices);
  return counter.result();
}

function countIn(slices: Map<number, number>, slice: number): void {
  slices.set(slice, (slices.get(slice) ?? 0) + 1);
}

/** Counts by slice, less one for each of these slices. */
function without(slices: ReadonlyMap<number, number>, taken: readonly number[]): ReadonlyMap<number, number> {
  if (taken.length === 0) return slices;
  const left = new Map(slices);
  for (const slice of taken) left.set(slice, (left.get(slice) ?? 0) - 1);
  return left;
}

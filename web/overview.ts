/** What the page counts at once, whenever something is tried: over time, by score, by finding. */
import { isExemption } from '../src/policy/exemption.ts';
import { type Disposition, type Stream, STREAMS } from '../src/policy/policy.ts';
import type { Replayed } from '../src/report/replayed.ts';
import { type Counts, strictness } from '../src/report/group.ts';
import { strictestOf } from '../src/report/tally.ts';
import type { TimeScale } from './time-scale.ts';

export const OUTCOMES: readonly Disposition[] = ['accept', 'tempfail', 'reject'];

/** What one decision would be. */
export interface WouldBe {
  readonly then: Disposition;
  readonly now: Disposition;
  /** Null if nothing was judged. */
  readonly score: number | null;
  readonly stream: Stream | null;
  /** Ids of findings with a weight. */
  readonly weighed: readonly string[];
  readonly cause: string | null;
  readonly uncertain: boolean;
  readonly exempt: boolean;
}

export function outcomeOf({ record, parts, unknown }: Replayed): WouldBe {
  const { action, judged, exempt } = strictestOf(parts);
  const { verdict } = judged ?? { verdict: null };
  return {
    then: record.action,
    now: action,
    score: verdict?.score ?? null,
    stream: verdict?.stream ?? null,
    weighed: verdict?.counted.flatMap(({ finding, weight }) => (weight > 0 ? [finding.id] : [])) ?? [],
    cause: verdict?.cause?.id ?? null,
    uncertain: unknown !== null,
    exempt: exempt !== null && isExemption(record.exempt),
  };
}

/** Number of decisions by what was done then, and by what would be done now. */
interface Sum {
  decisions: number;
  readonly then: Counts;
  readonly now: Counts;
  stricter: number;
  milder: number;
}

export interface ScoreCount {
  readonly score: number;
  readonly now: Counts;
}

export interface Slice {
  /** Unix time in milliseconds at which it begins. */
  readonly from: number;
  readonly now: Counts;
  readonly then: Counts;
  readonly streams: Record<Stream, number>;
}

export interface Overview {
  readonly all: Sum;
  readonly exempt: number;
  readonly uncertain: number;
  readonly streams: readonly (Sum & { readonly name: Stream })[];
  /** The one that weighs on most decisions first. */
  readonly findings: readonly (Sum & { readonly name: string })[];
  /** Ascending. */
  readonly scores: readonly ScoreCount[];
  /** Milliseconds of each. */
  readonly sliceMs: number;
  readonly slices: readonly Slice[];
}

const zero = (): Counts => ({ accept: 0, tempfail: 0, reject: 0 });
const sum = (): Sum => ({ decisions: 0, then: zero(), now: zero(), stricter: 0, milder: 0 });

export class OverviewCounter {
  readonly #scale: TimeScale;
  readonly #all = sum();
  #exempt = 0;
  #uncertain = 0;
  readonly #streams = new Map<Stream, Sum>(STREAMS.map((name) => [name, sum()]));
  readonly #findings = new Map<string, Sum>();
  readonly #scores = new Map<number, Counts>();
  readonly #slices: Slice[];

  constructor(scale: TimeScale) {
    this.#scale = scale;
    this.#slices = Array.from({ length: scale.count }, (_, i) => ({
      from: scale.from + i * scale.sliceMs,
      now: zero(),
      then: zero(),
      streams: { verified: 0, unverified: 0, failed: 0 },
    }));
  }

  /** `slices` says how many of these decisions are in each slice of time. */
  add(outcome: WouldBe, slices: ReadonlyMap<number, number>): void {
    const { now, then, score, stream } = outcome;
    let many = 0;
    for (const [i, n] of slices) {
      many += n;
      const slice = this.#slices[i];
      if (slice === undefined) continue;
      slice.now[now] += n;
      slice.then[then] += n;
      if (stream !== null) slice.streams[stream] += n;
    }
    // Ways that nobody took have no row of their own.
    if (many === 0) return;
    count(this.#all, outcome, many);
    if (outcome.exempt) this.#exempt += many;
    if (outcome.uncertain) this.#uncertain += many;
    if (stream !== null) count(into(this.#streams, stream, sum), outcome, many);
    for (const id of outcome.weighed) count(into(this.#findings, id, sum), outcome, many);
    if (score !== null) into(this.#scores, score, zero)[now] += many;
  }

  result(): Overview {
    return {
      all: this.#all,
      exempt: this.#exempt,
      uncertain: this.#uncertain,
      streams: Array.from(this.#streams, ([name, each]) => ({ name, ...each })),
      findings: Array.from(this.#findings, ([name, each]) => ({ name, ...each })).sort(
        (a, b) => b.decisions - a.decisions || (a.name < b.name ? -1 : 1),
      ),
      scores: Array.from(this.#scores, ([score, now]) => ({ score, now })).sort((a, b) => a.score - b.score),
      sliceMs: this.#scale.sliceMs,
      slices: this.#slices,
    };
  }
}

function into<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}

function count(to: Sum, { then, now }: WouldBe, many: number): void {
  to.decisions += many;
  to.then[then] += many;
  to.now[now] += many;
  if (strictness(now) > strictness(then)) to.stricter += many;
  if (strictness(now) < strictness(then)) to.milder += many;
}

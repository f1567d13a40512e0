/**
 * Everything that the page computes, without a browser: `replay` in the place where the administrator tries
 * options. It judges with the program's own replayer, and knows no rule of its own.
 */
import type { RecordedDecision } from '../src/decisions/record-reader.ts';
import { readRecord, RecordError } from '../src/decisions/record-reader.ts';
import { HitCollector } from '../src/report/hits.ts';
import {
  type PageData,
  pageRegistry,
  type PageRegistry,
  type PageRules,
  pageRules,
} from '../src/report/page-data.ts';
import { pastOf } from '../src/report/earlier-mail.ts';
import { NO_PAST } from '../src/report/replay-past.ts';
import { Replayer } from '../src/report/replayer.ts';
import { DecisionTally, strictestOf } from '../src/report/tally.ts';
import { type Alike, sortAlike, type Sorted } from './alike.ts';
import type { Choice } from './choice.ts';
import { RecordKeeper } from './kept-record.ts';
import { shareByNetwork } from './network-share.ts';
import { type Opened, openedOf } from './opened.ts';
import { type WouldBe, outcomeOf, type Overview, OverviewCounter, TimeScale } from './overview.ts';
import { type FoundRows, type Query, search, searchable } from './search.ts';
import { type Changed, changedOf } from './changed.ts';

/** Who would be treated otherwise, and how each decision would end. */
export interface Detail {
  readonly refused: Changed;
  readonly letIn: Changed;
  readonly tally: DecisionTally;
}

/** Decisions that are judged in one go, before somebody else may do something. */
const AT_ONCE = 1000;

export class PageEngine {
  readonly data: PageData;
  readonly #registry: PageRegistry;
  readonly #shareOf = shareByNetwork();
  readonly #keeper = new RecordKeeper();
  #lines: string[] = [];
  #records: RecordedDecision[] = [];
  #texts: string[] = [];
  /** What the last full judgement said of each. */
  #outcomes: readonly WouldBe[] = [];
  #sorted = new Map<boolean, SortedInTime>();

  constructor(data: PageData) {
    this.data = data;
    this.#registry = pageRegistry(data.foreign);
  }

  get size(): number {
    return this.#records.length;
  }

  /** Takes a line of a decision log; false if it is none. */
  add(line: string): boolean {
    try {
      const record = this.#keeper.keep(readRecord(line, this.#registry.checks));
      this.#lines.push(line);
      this.#records.push(record);
      this.#texts.push(searchable(record));
      this.#sorted.clear();
      return true;
    } catch (error) {
      if (error instanceof RecordError) return false;
      throw error;
    }
  }

  /** Forgets the oldest. */
  drop(count: number): void {
    this.#lines = this.#lines.slice(count);
    this.#records = this.#records.slice(count);
    this.#texts = this.#texts.slice(count);
    this.#outcomes = this.#outcomes.slice(count);
    this.#sorted.clear();
  }

  /** The weights that count with these options, by finding. */
  weights(choice: Choice): ReadonlyMap<string, number> {
    return this.#rules(choice).policy.weights;
  }

  /** The counts alone. */
  overview(choice: Choice): Overview {
    const rules = this.#rules(choice);
    const { sorted, scale, slices } = this.#sort(rules, choice.enforcePercent < 100);
    const counter = new OverviewCounter(scale);
    const open = new Set(sorted.ordered);
    const judge = new Replayer({ rules, past: NO_PAST });
    for (const [i, group] of sorted.groups.entries()) {
      const replayed = judge.replay(group.sample);
      // How often somebody has been delayed depends on what came before.
      if (replayed.parts.some(({ limit }) => limit !== null))
        for (const each of group.members) open.add(each);
      else counter.add(outcomeOf(replayed), slices[i] ?? new Map<number, number>());
    }
    const replayer = this.#replayer(rules);
    for (const i of [...open].sort((a, b) => a - b)) {
      const record = this.#records[i];
      if (record === undefined) continue;
      counter.add(outcomeOf(replayer.replay(record)), new Map([[scale.sliceOf(record.time), 1]]));
    }
    return counter.result();
  }

  /** Everything, decision by decision; null as soon as `goOn` says so, which may take its time. */
  async detail(choice: Choice, goOn: () => Promise<boolean> | boolean): Promise<Detail | null> {
    const replayer = this.#replayer(this.#rules(choice));
    const tally = new DecisionTally();
    const [refused, letIn] = [new HitCollector(), new HitCollector()];
    const outcomes: WouldBe[] = [];
    const records = this.#records;
    for (const [i, record] of records.entries()) {
      if (i % AT_ONCE === 0 && !(await goOn())) return null;
      const replayed = replayer.replay(record);
      tally.add(replayed);
      outcomes.push(outcomeOf(replayed));
      refused.add(replayed);
      // The other way round, whoever is let in is hit by what was.
      const part = strictestOf(replayed.parts);
      const back = { ...part, action: record.action };
      letIn.add({ ...replayed, record: { ...record, action: part.action }, parts: [back] });
    }
    if (records === this.#records) this.#outcomes = outcomes;
    return { refused: changedOf(refused), letIn: changedOf(letIn), tally };
  }

  find(query: Query): FoundRows {
    return search(query, { records: this.#records, texts: this.#texts, outcomes: this.#outcomes });
  }

  /** Null if there is no such decision. */
  open(index: number, choice: Choice): Opened | null {
    const line = this.#lines[index];
    if (line === undefined) return null;
    const record = readRecord(line, this.#registry.checks);
    const rules = this.#rules(choice);
    return openedOf(record, {
      rules,
      outcome: this.#outcomes[index] ?? outcomeOf(this.#replayer(rules).replay(record)),
      registry: this.#registry,
      data: this.data,
    });
  }

  #rules(choice: Choice): PageRules {
    return pageRules(this.data, { ...this.data.options, ...choice }, this.#registry, this.#shareOf);
  }

  #replayer(rules: PageRules): Replayer {
    return new Replayer({ rules, past: pastOf(this.data.options) });
  }

  #sort(rules: PageRules, byShare: boolean): SortedInTime {
    const known = this.#sorted.get(byShare);
    if (known !== undefined) return known;
    const followsRegulars = this.data.options.regulars !== null;
    const sorted = sortAlike(this.#records, rules, { followsRegulars, byShare });
    // Not in the order of the log: several processes may have written it.
    let [first, last] = [Infinity, -Infinity];
    for (const { time } of this.#records) [first, last] = [Math.min(first, time), Math.max(last, time)];
    const scale = new TimeScale(first === Infinity ? 0 : first, last === -Infinity ? 0 : last);
    const made = { sorted, scale, slices: sorted.groups.map((group) => this.#slicesOf(group, scale)) };
    this.#sorted.set(byShare, made);
    return made;
  }

  #slicesOf({ members }: Alike, scale: TimeScale): ReadonlyMap<number, number> {
    const slices = new Map<number, number>();
    for (const member of members) {
      const slice = scale.sliceOf(this.#records[member]?.time ?? 0);
      slices.set(slice, (slices.get(slice) ?? 0) + 1);
    }
    return slices;
  }
}

/** Decisions that are judged alike, and how many of each kind are in each slice of time. */
interface SortedInTime {
  readonly sorted: Sorted;
  readonly scale: TimeScale;
  readonly slices: readonly ReadonlyMap<number, number>[];
}

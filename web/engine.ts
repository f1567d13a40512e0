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
import { pastOf, type RepeatablePast } from '../src/report/earlier-mail.ts';
import { Replayer } from '../src/report/replayer.ts';
import { strictestOf } from '../src/report/tally.ts';
import { Sorter } from './alike.ts';
import { withoutAnswers } from './brief-record.ts';
import { type Changed, changedOf } from './changed.ts';
import { type Choice, choiceOf } from './choice.ts';
import { overviewOf } from './counting.ts';
import { shareByNetwork } from './network-share.ts';
import { type Opened, openedOf } from './opened.ts';
import { type WouldBe, outcomeOf, type Overview } from './overview.ts';
import { Reach } from './reach.ts';
import { type FoundRows, type Query, search, searchable } from './search.ts';

/** Who would be treated otherwise, and how each decision would end. */
export interface Detail {
  readonly refused: Changed;
  readonly letIn: Changed;
  /** By place. */
  readonly outcomes: readonly WouldBe[];
}

/** Decisions that are judged in one go, before somebody else may do something. */
const AT_ONCE = 1000;

/** A full judgement, which goes on where decisions are added. */
interface Running {
  /** The choice, as a text. */
  readonly key: string;
  readonly replayer: Replayer;
  readonly refused: HitCollector;
  readonly letIn: HitCollector;
  readonly outcomes: WouldBe[];
}

export class PageEngine {
  readonly data: PageData;
  readonly #registry: PageRegistry;
  readonly #shareOf = shareByNetwork();
  #lines: string[] = [];
  #records: RecordedDecision[] = [];
  /** What is searched of each, made for the first who searches. */
  #texts: string[] = [];
  /** Decisions that were here before the first one. */
  #dropped = 0;
  #running: Running | null = null;
  /** What the last full judgement said of each. */
  #outcomes: readonly WouldBe[] = [];
  #sorters = new Map<boolean, Sorter>();
  #reach: Reach;
  /** For one count after the other. */
  readonly #past: RepeatablePast;

  constructor(data: PageData) {
    this.data = data;
    this.#registry = pageRegistry(data.foreign);
    this.#reach = new Reach(data.options);
    this.#past = pastOf(data.options);
  }

  get size(): number {
    return this.#records.length;
  }

  /** Takes a line of a decision log; false if it is none. */
  add(line: string): boolean {
    try {
      const record = readRecord(withoutAnswers(line), this.#registry.checks);
      this.#lines.push(line);
      this.#records.push(record);
      return true;
    } catch (error) {
      if (error instanceof RecordError) return false;
      throw error;
    }
  }

  /** Sorts what has been taken, so that the first judgement need not. */
  sort(): void {
    const given = choiceOf(this.data.options);
    this.#sort(this.#rules(given), given.enforcePercent < 100);
  }

  /** Forgets the oldest. */
  drop(count: number): void {
    this.#lines = this.#lines.slice(count);
    this.#records = this.#records.slice(count);
    this.#texts = this.#texts.slice(count);
    this.#outcomes = this.#outcomes.slice(count);
    this.#dropped += count;
    this.#sorters.clear();
    this.#reach = new Reach(this.data.options);
    this.#running = null;
  }

  /** The weights that count with these options, by finding. */
  weights(choice: Choice): ReadonlyMap<string, number> {
    return this.#rules(choice).policy.weights;
  }

  /** The counts alone. */
  overview(choice: Choice): Overview {
    const rules = this.#rules(choice);
    const sorter = this.#sort(rules, choice.enforcePercent < 100);
    return overviewOf({ records: this.#records, sorter, reach: this.#reach, rules, past: this.#past });
  }

  /**
   * Everything, decision by decision; null as soon as `goOn` says so, which may take its time, or if
   * something else is judged meanwhile. With the same choice again it goes on with what is new.
   */
  async detail(choice: Choice, goOn: () => Promise<boolean> | boolean): Promise<Detail | null> {
    const running = this.#run(choice);
    const { replayer, refused, letIn, outcomes } = running;
    for (let done = 0; outcomes.length < this.#records.length; done++) {
      if (done % AT_ONCE === 0 && !(await goOn())) return null;
      if (running !== this.#running) return null;
      const record = this.#records[outcomes.length];
      if (record === undefined) break;
      const replayed = replayer.replay(record);
      outcomes.push(outcomeOf(replayed));
      refused.add(replayed);
      // The other way round, whoever is let in is hit by what was.
      const part = strictestOf(replayed.parts);
      const back = { ...part, action: record.action };
      letIn.add({ ...replayed, record: { ...record, action: part.action }, parts: [back] });
    }
    this.#outcomes = outcomes;
    return { refused: changedOf(refused), letIn: changedOf(letIn), outcomes };
  }

  #run(choice: Choice): Running {
    const key = JSON.stringify(choice);
    if (this.#running?.key === key) return this.#running;
    return (this.#running = {
      key,
      replayer: this.#replayer(this.#rules(choice)),
      refused: new HitCollector(),
      letIn: new HitCollector(),
      outcomes: [],
    });
  }

  find(query: Query): FoundRows {
    for (const record of this.#records.slice(this.#texts.length)) this.#texts.push(searchable(record));
    const found = search(query, { records: this.#records, texts: this.#texts, outcomes: this.#outcomes });
    return { ...found, rows: found.rows.map((row) => ({ ...row, index: row.index + this.#dropped })) };
  }

  /** `number` is that of a row that was found; null if the decision is gone. */
  open(number: number, choice: Choice): Opened | null {
    const index = number - this.#dropped;
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

  #sort(rules: PageRules, byShare: boolean): Sorter {
    let sorter = this.#sorters.get(byShare);
    if (sorter === undefined) {
      const followsRegulars = this.data.options.regulars !== null;
      sorter = new Sorter({ rules, followsRegulars, byShare });
      this.#sorters.set(byShare, sorter);
    }
    sorter.take(this.#records);
    this.#reach.take(this.#records);
    return sorter;
  }
}

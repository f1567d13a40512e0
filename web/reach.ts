/**
 * Which decisions earlier mail could change, whatever is tried: only of those does it matter what came
 * before. Of all others the answers are known without asking.
 */
import type { RecordedDecision } from '../src/decisions/record-reader.ts';
import type { PageOptions } from '../src/report/page-data.ts';
import { type BudgetKey, budgetKey } from '../src/state/budget-key.ts';
import { RampTable } from '../src/state/ramp-table.ts';
import type { RegularSender } from '../src/state/regulars.ts';
import { TempfailBudget } from '../src/state/tempfail-budget.ts';
import { BusyNetworks } from './busy-networks.ts';
import { Pools } from './pools.ts';
import { PossibleRegulars } from './possible-regulars.ts';
import type { Candidate, PastQuestion } from './ways.ts';

export type ReachOptions = Pick<
  PageOptions,
  'tempfailLimit' | 'ramp' | 'streamLimit' | 'regulars' | 'regularsNetwork'
>;

export class Reach {
  readonly #options: ReachOptions;
  readonly #pools: Pools;
  readonly #streams: ReadonlyMap<string, BusyNetworks>;
  readonly #regulars: PossibleRegulars | null;
  /** By place. */
  readonly #poolOf: number[] = [];
  readonly #senders: (BudgetKey | null)[] = [];
  readonly #times: number[] = [];
  /** Each sender once. */
  readonly #known = new Map<string, BudgetKey>();

  constructor(options: ReachOptions) {
    this.#options = options;
    const { ramp, streamLimit, regulars, regularsNetwork } = options;
    // A finding has tries that were answered, and some that were only watched.
    const places = Math.max(1, 2 * new Map(ramp).size);
    this.#pools = new Pools(places, Math.min(RampTable.rows, TempfailBudget.rows));
    this.#streams = new Map(
      Array.from(new Map(streamLimit), ([stream, limit]) => [stream, new BusyNetworks(limit)]),
    );
    this.#regulars = regulars === null ? null : new PossibleRegulars(regulars, regularsNetwork);
  }

  /** Takes those of the records that it does not have yet. */
  take(records: readonly RecordedDecision[]): void {
    for (const record of records.slice(this.#times.length)) this.#add(record);
  }

  /** When it came, by the clock of a replay. */
  timeOf(place: number): number {
    return this.#times[place] ?? 0;
  }

  /** The sender that its mail may make regular; null where nobody can be. */
  regularOf(place: number): RegularSender | null {
    return this.#regulars?.senderOf(place) ?? null;
  }

  /** What is asked about it. */
  candidateOf(place: number, { judged, helo, reference }: RecordedDecision): Candidate | null {
    const sender = this.#senders[place] ?? null;
    if (sender === null) return null;
    return {
      ip: judged?.assessment.client.ip ?? null,
      helo,
      reference,
      sender,
      regular: this.regularOf(place),
    };
  }

  /** Whether the answer to one of these questions may be another than the usual one. */
  mayMatter(place: number, questions: readonly PastQuestion[]): boolean {
    return questions.some((question) => this.#mayDiffer(place, question));
  }

  /**
   * Whether it matters that those at these places are learned, even if they cannot become known themselves.
   */
  mustLearn(places: readonly (readonly number[])[]): boolean {
    return this.#regulars?.overflows(places) ?? false;
  }

  #mayDiffer(place: number, question: PastQuestion): boolean {
    switch (question.kind) {
      case 'tempfail':
        return this.#pools.mayUseUp(this.#poolOf[place] ?? -1, this.#options.tempfailLimit);
      case 'ramp':
        return this.#pools.mayUseUp(this.#poolOf[place] ?? -1, question.ramp);
      case 'stream':
        return this.#streams.get(question.stream)?.isBusy(place) ?? false;
      case 'regular':
        return this.#regulars?.mayBeRegular(place) ?? false;
    }
  }

  #add({ judged, helo, time }: RecordedDecision): void {
    const now = Math.max(time, this.#times.at(-1) ?? 0);
    this.#times.push(now);
    const sender = judged === null ? null : this.#senderOf(budgetKey(judged.assessment));
    const ip = judged?.assessment.client.ip ?? null;
    this.#senders.push(sender);
    this.#poolOf.push(sender === null ? -1 : this.#pools.add(sender, now));
    for (const each of this.#streams.values()) each.add(ip === null ? null : sender, now);
    this.#regulars?.add(ip, helo, now);
  }

  #senderOf(key: BudgetKey): BudgetKey {
    const text = `${key.network} ${key.name} ${key.organisation ?? ''}`;
    const known = this.#known.get(text);
    if (known === undefined) this.#known.set(text, key);
    return known ?? key;
  }
}

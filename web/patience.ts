/**
 * Which senders could use up their tempfail limit, whatever is tried: only of those does it matter in which
 * order their messages came. A sender is counted under the names of its organisation and of its network
 * (`state/accounts.ts`), so whoever shares a name with another is taken for the same.
 */
import type { RecordedDecision } from '../src/decisions/record-reader.ts';
import { budgetKey } from '../src/state/budget-key.ts';
import type { TempfailLimit } from '../src/state/tempfail-budget.ts';

const NOBODY = -1;

/** Senders that share a name; they are joined as decisions come. */
interface Pool {
  decisions: number;
  /** Unix time in milliseconds. */
  first: number;
  last: number;
}

export class Patience {
  readonly #limit: TempfailLimit;
  readonly #byName = new Map<string, number>();
  /** The pool that a pool has been joined to, or itself. */
  readonly #joined: number[] = [];
  readonly #pools: Pool[] = [];
  /** The pool of each decision. */
  readonly #of: number[] = [];

  constructor(limit: TempfailLimit) {
    this.#limit = limit;
  }

  /** Takes those of the records that it does not have yet. */
  take(records: readonly RecordedDecision[]): void {
    while (this.#of.length < records.length) {
      const record = records[this.#of.length];
      this.#of.push(record === undefined ? NOBODY : this.#add(record));
    }
  }

  /** Whether the sender of this decision might be let in for having been delayed often enough. */
  mayEnd(place: number): boolean {
    const pool = this.#pools[this.#root(this.#of[place] ?? NOBODY)];
    // Lengths of time are counted in whole seconds.
    return (
      pool !== undefined &&
      pool.decisions > this.#limit.count &&
      pool.last - pool.first > this.#limit.ageMs - 1000
    );
  }

  #add({ judged, time }: RecordedDecision): number {
    if (judged === null) return NOBODY;
    const { name, organisation, network } = budgetKey(judged.assessment);
    let pool = this.#poolOf(`${network} ${name}`);
    if (organisation !== null) pool = this.#join(pool, this.#poolOf(`${organisation} ${name}`));
    const counted = this.#pools[pool];
    if (counted === undefined) return NOBODY;
    counted.decisions++;
    counted.first = Math.min(counted.first, time);
    counted.last = Math.max(counted.last, time);
    return pool;
  }

  #poolOf(name: string): number {
    let pool = this.#byName.get(name);
    if (pool === undefined) {
      pool = this.#pools.length;
      this.#byName.set(name, pool);
      this.#joined.push(pool);
      this.#pools.push({ decisions: 0, first: Infinity, last: -Infinity });
    }
    return this.#root(pool);
  }

  #join(one: number, other: number): number {
    const [into, from] = [this.#pools[one], this.#pools[other]];
    if (one === other || into === undefined || from === undefined) return one;
    this.#joined[other] = one;
    into.decisions += from.decisions;
    into.first = Math.min(into.first, from.first);
    into.last = Math.max(into.last, from.last);
    return one;
  }

  #root(pool: number): number {
    let root = pool;
    for (let next = this.#joined[root]; next !== undefined && next !== root; next = this.#joined[root]) {
      // Half of the way is spared the next one who comes along.
      this.#joined[root] = this.#joined[next] ?? next;
      root = next;
    }
    return root;
  }
}

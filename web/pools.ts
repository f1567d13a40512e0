/**
 * Senders that are counted together for the tempfail limit and on ramps. A sender is counted under the
 * names of its organisation and of its network (`state/accounts.ts`), so whoever shares a name with another
 * is taken for the same; so are those who compete for one row of a table, once there may be too many of
 * them for it.
 */
import type { BudgetKey } from '../src/state/budget-key.ts';
import { ROW_PLACES } from '../src/state/fair-table.ts';

/** What a sender has to use up before it is treated otherwise. */
export interface Stretch {
  readonly count: number;
  readonly ageMs: number;
}

/** Senders that share a name; they are joined as decisions come. */
interface Pool {
  decisions: number;
  /** Unix time in milliseconds. */
  first: number;
  last: number;
}

/** The pools whose names compete for room; one pool, once there are too many. */
interface Row {
  names: number;
  readonly pools: number[];
}

export class Pools {
  readonly #byName = new Map<string, number>();
  readonly #rows = new Map<string, Row>();
  /** The pool that a pool has been joined to, or itself. */
  readonly #joined: number[] = [];
  readonly #pools: Pool[] = [];
  readonly #mostInRow: number;
  readonly #mostInBlock: number;

  /** `places`: how many records a table may have of each name. */
  constructor(places: number, rows: number) {
    this.#mostInRow = Math.floor(ROW_PLACES / places);
    this.#mostInBlock = Math.floor(rows / places);
  }

  /** Counts a decision at this Unix time in milliseconds; returns the number of its pool. */
  add({ name, organisation, network, site, block }: BudgetKey, time: number): number {
    const competing = { site, block };
    let pool = this.#poolOf(`${network} ${name}`, competing);
    if (organisation !== null) {
      const organised = this.#poolOf(`${organisation} ${name}`, competing);
      // The new name may have been one too many, so that the pool of the first has been joined to another.
      pool = this.#join(this.#root(pool), organised);
    }
    const counted = this.#pools[pool];
    if (counted === undefined) throw new Error('a pool has been forgotten');
    counted.decisions++;
    counted.first = Math.min(counted.first, time);
    counted.last = Math.max(counted.last, time);
    return pool;
  }

  /** Whether somebody of this pool might get so far. */
  mayUseUp(pool: number, { count, ageMs }: Stretch): boolean {
    const found = this.#pools[this.#root(pool)];
    // Both times and their distance are taken in whole seconds: the distance may seem a second longer.
    const least = Math.floor(ageMs / 1000) - 1;
    return found !== undefined && found.decisions > count && found.last - found.first > least * 1000;
  }

  #poolOf(name: string, { site, block }: Pick<BudgetKey, 'site' | 'block'>): number {
    const known = this.#byName.get(name);
    if (known !== undefined) return this.#root(known);
    const pool = this.#pools.length;
    this.#byName.set(name, pool);
    this.#joined.push(pool);
    this.#pools.push({ decisions: 0, first: Infinity, last: -Infinity });
    this.#compete(site, pool, this.#mostInRow);
    this.#compete(block, pool, this.#mostInBlock);
    return this.#root(pool);
  }

  /** One more name, in this pool, that competes in a row with others. */
  #compete(owner: string, pool: number, most: number): void {
    let row = this.#rows.get(owner);
    if (row === undefined) this.#rows.set(owner, (row = { names: 0, pools: [] }));
    row.names++;
    row.pools.push(pool);
    if (row.names <= most) return;
    const all = row.pools.splice(0);
    row.pools.push(all.reduce((into, each) => this.#join(this.#root(into), this.#root(each))));
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

/**
 * How often a sender is told to try again later. A tempfail delays mail, and a sender that gets it for days
 * gives up and bounces: after a number of tempfails over a length of time the answer becomes accept, and
 * stays so for weeks.
 */
import { accountsOf, newAccount } from './accounts.ts';
import type { BudgetKey } from './budget-key.ts';
import { FairTable, tableBytes, type Tries } from './fair-table.ts';

export interface TempfailLimit {
  /** Tempfails given before the answer changes. */
  readonly count: number;
  /** Milliseconds since the first of them, to the second. */
  readonly ageMs: number;
}

/** How far a sender is. */
export interface BudgetState {
  /** It is used up: its messages are accepted. */
  readonly spent: boolean;
  /** Null where it was never tempfailed, or the budget is used up. */
  readonly tries: Tries | null;
}

/** RFC 6647 §5 asks for at least a week; a sender that comes less often than that is as good as new. */
export const TRIES_LIFE = 7 * 86_400;
/** As in postgrey: longer than a month, so that what is sent monthly is delayed once. */
export const SPENT_LIFE = 35 * 86_400;
/**
 * 21 MB of address space, touched as it fills: a million tries are seventeen hours of a flood of 60,000 an
 * hour.
 */
const TRIES_ROWS = 16_384;
/** 5 MB: a quarter of a million senders whose budget is used up. */
const SPENT_ROWS = 4096;

export class TempfailBudget {
  /** The most octets that it takes. */
  static readonly bytes = tableBytes(TRIES_ROWS) + tableBytes(SPENT_ROWS);
  readonly #limit: () => TempfailLimit;
  readonly #now: () => number;
  readonly #tries = new FairTable(TRIES_ROWS);
  /** Kept apart from first tries, which cost a stranger nothing. */
  readonly #spent = new FairTable(SPENT_ROWS);

  /** `limit` gives the present limit; `now` gives milliseconds on a steady scale. */
  constructor(limit: () => TempfailLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * Notes that a message is about to be tempfailed. False once the budget is used up: then it must be
   * accepted.
   */
  spend(key: BudgetKey): boolean {
    const now = Math.floor(this.#now() / 1000);
    const accounts = accountsOf(key);
    for (const each of accounts) {
      const spent = this.#spent.find(each, now - SPENT_LIFE);
      if (spent === null) continue;
      spent.see(now);
      return false;
    }
    const { count, ageMs } = this.#limit();
    const used = accounts.find((each) => this.#tries.find(each, now - TRIES_LIFE) !== null);
    const chosen = used ?? newAccount(accounts, this.#tries);
    const record =
      this.#tries.find(chosen, now - TRIES_LIFE) ?? this.#tries.add(chosen, now, now - TRIES_LIFE);
    if (record.count < count || now - record.first < Math.floor(ageMs / 1000)) {
      record.see(now);
      return true;
    }
    this.#tries.delete(chosen);
    this.#spent.add(newAccount(accounts, this.#spent), now, now - SPENT_LIFE);
    return false;
  }

  get limit(): TempfailLimit {
    return this.#limit();
  }

  /** How far the sender is, as far as it is known here. */
  known(key: BudgetKey): BudgetState {
    const now = Math.floor(this.#now() / 1000);
    const accounts = accountsOf(key);
    if (accounts.some((each) => this.#spent.find(each, now - SPENT_LIFE) !== null)) {
      return { spent: true, tries: null };
    }
    for (const each of accounts) {
      const record = this.#tries.find(each, now - TRIES_LIFE);
      if (record !== null) return { spent: false, tries: record.tries(now) };
    }
    return { spent: false, tries: null };
  }

  /** How far it is now, with the message at hand, as all know who count together with us. */
  learn(key: BudgetKey, { spent, tries }: BudgetState): void {
    const now = Math.floor(this.#now() / 1000);
    const accounts = accountsOf(key);
    if (spent) {
      for (const each of accounts) this.#tries.delete(each);
      const kept = accounts.find((each) => this.#spent.find(each, now - SPENT_LIFE) !== null);
      if (kept === undefined) this.#spent.add(newAccount(accounts, this.#spent), now, now - SPENT_LIFE);
      else this.#spent.find(kept, 0)?.see(now);
    } else if (tries !== null) {
      const used = accounts.find((each) => this.#tries.find(each, now - TRIES_LIFE) !== null);
      const chosen = used ?? newAccount(accounts, this.#tries);
      const record =
        this.#tries.find(chosen, now - TRIES_LIFE) ?? this.#tries.add(chosen, now, now - TRIES_LIFE);
      record.raise(tries, now);
    }
  }
}

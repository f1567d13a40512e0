/**
 * How often a sender is told to try again later. A tempfail delays mail, and a sender that gets it for days
 * gives up and bounces: after a number of tempfails over a length of time the answer becomes accept, and
 * stays so for weeks.
 */
import { accountsOf, newAccount } from './accounts.ts';
import type { BudgetKey } from './budget-key.ts';
import { FairTable, tableBytes } from './fair-table.ts';

export interface TempfailLimit {
  /** Tempfails given before the answer changes. */
  readonly count: number;
  /** Milliseconds since the first of them, to the second. */
  readonly ageMs: number;
}

/** RFC 6647 §5 asks for at least a week; a sender that comes less often than that is as good as new. */
const TRIES_LIFE = 7 * 86_400;
/** As in postgrey: longer than a month, so that what is sent monthly is delayed once. */
const SPENT_LIFE = 35 * 86_400;
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
}

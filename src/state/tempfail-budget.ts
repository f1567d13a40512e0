/**
 * How often a sender is told to try again later. A tempfail delays mail, and a sender that gets it for days
 * gives up and bounces: after a number of tempfails over a length of time the answer becomes accept, and
 * stays so for weeks.
 */
import {
  type AccountName,
  accountsOf,
  namesOf,
  newAccount,
  newPlace,
  raiseName,
  triesByName,
} from './accounts.ts';
import type { BudgetKey } from './budget-key.ts';
import { FairTable, tableBytes, type Tries } from './fair-table.ts';

export interface TempfailLimit {
  /** Tempfails given before the answer changes. */
  readonly count: number;
  /** Milliseconds since the first of them, to the second. */
  readonly ageMs: number;
}

/** How far a sender is under one of its names. */
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
  /** Of the smaller of its tables. */
  static readonly rows = SPENT_ROWS;
  readonly #limit: () => TempfailLimit;
  readonly #now: () => number;
  readonly #tries: FairTable;
  /** Kept apart from first tries, which cost a stranger nothing. */
  readonly #spent: FairTable;

  /**
   * `limit` gives the present limit; `now` gives milliseconds on a steady scale. With a `part` of the rows,
   * it holds that part of the senders, for as long: what a flood does to the whole, that part does to it.
   */
  constructor(limit: () => TempfailLimit, now: () => number, part = 1) {
    this.#limit = limit;
    this.#now = now;
    this.#tries = new FairTable(TRIES_ROWS * part);
    this.#spent = new FairTable(SPENT_ROWS * part);
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
    // Under the name that was counted too, so that nobody whom it counted for begins anew.
    const first = newAccount(accounts, this.#spent);
    for (const name of namesOf(accounts)) {
      if (name.some(({ text }) => text === chosen.text || text === first.text)) this.#use(name, now);
    }
    return false;
  }

  /** Everybody is new. */
  forget(): void {
    this.#tries.forget();
    this.#spent.forget();
  }

  get limit(): TempfailLimit {
    return this.#limit();
  }

  /** How far the sender is under each of its names (`namesOf`), as far as it is known here. */
  known(key: BudgetKey): readonly BudgetState[] {
    const now = Math.floor(this.#now() / 1000);
    const accounts = accountsOf(key);
    const tries = triesByName(accounts, this.#tries, now, now - TRIES_LIFE);
    return namesOf(accounts).map((name, i) => {
      const spent = name.some((each) => this.#spent.find(each, now - SPENT_LIFE) !== null);
      return { spent, tries: spent ? null : (tries[i] ?? null) };
    });
  }

  /** How far it is now under one of them, with the message at hand, as all know who count with us. */
  learn(key: BudgetKey, under: number, { spent, tries }: BudgetState): void {
    const now = Math.floor(this.#now() / 1000);
    const name = namesOf(accountsOf(key))[under];
    if (name === undefined) return;
    if (spent) this.#use(name, now);
    else if (tries !== null) raiseName({ name, tries }, this.#tries, now, now - TRIES_LIFE);
  }

  /** Notes that it is used up under this name. */
  #use(name: AccountName, now: number): void {
    for (const each of name) this.#tries.delete(each);
    const since = now - SPENT_LIFE;
    const used = name.find((each) => this.#spent.find(each, since) !== null) ?? newPlace(name, this.#spent);
    if (used !== null) (this.#spent.find(used, since) ?? this.#spent.add(used, now, since)).see(now);
  }
}

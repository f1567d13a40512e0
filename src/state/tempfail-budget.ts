/**
 * How often a sender is told to try again later. A tempfail delays mail, and a sender that gets it for days
 * gives up and bounces: after a number of tempfails over a length of time the answer becomes accept, and
 * stays so for weeks.
 */
import type { BudgetKey } from './budget-key.ts';
import { FairTable, tableBytes, type TableKey } from './fair-table.ts';

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
/**
 * The most places that one site has under the names of organisations; anything more is counted in its own
 * row.
 */
const MAX_ORGANISED = 256;

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
    const chosen = used ?? open(accounts, this.#tries);
    const record =
      this.#tries.find(chosen, now - TRIES_LIFE) ?? this.#tries.add(chosen, now, now - TRIES_LIFE);
    if (record.count < count || now - record.first < Math.floor(ageMs / 1000)) {
      record.see(now);
      return true;
    }
    this.#tries.delete(chosen);
    this.#spent.add(open(accounts, this.#spent), now, now - SPENT_LIFE);
    return false;
  }
}

/**
 * The places of the organisation, if known, and of the network, in the row of its site or that of its block:
 * whichever has been seen before is used again. All networks of a site, or block, compete for one row.
 */
function accountsOf({ name, organisation, network, site, block }: BudgetKey): Accounts {
  const owners = { network, site, block };
  // Neither a domain name nor a network has a space in it.
  const text = `${network} ${name}`;
  const own = { text, row: site, ...owners };
  const last = { text, row: block, ...owners };
  if (organisation === null) return [own, last];
  const organised = `${organisation} ${name}`;
  return [{ text: organised, row: organised, ...owners }, own, last];
}

type Accounts =
  readonly [own: TableKey, last: TableKey] | readonly [organised: TableKey, own: TableKey, last: TableKey];

/**
 * Where a new record goes: to the organisation, unless the site has shown too many of them, or to the site; a
 * block that has one place in each row, on average, gets no more but in its own.
 */
function open(accounts: Accounts, table: FairTable): TableKey {
  const [first, second, last] = accounts;
  if (table.held(first.block) >= table.rows) return last ?? second;
  return last === undefined || table.held(first.site) < MAX_ORGANISED ? first : second;
}

/**
 * Counts for a message with all hosts of the farm: makes the steps for the store from what is known here, and
 * takes over what comes back, so that this host can go on alone from there.
 */
import { accountsOf, type Accounts } from '../state/accounts.ts';
import type { BudgetKey } from '../state/budget-key.ts';
import type { Tries } from '../state/fair-table.ts';
import type { IpAddress } from '../core/ip.ts';
import { type CountLimit, networkKey, type NetworkLimit } from '../state/network-limit.ts';
import { rampAccounts, type RampTable, type RampTry } from '../state/ramp-table.ts';
import type { TempfailBudget } from '../state/tempfail-budget.ts';
import type { Counted, CountStep, SharedStore } from './shared-store.ts';

/** What is shared with other hosts. */
export interface SharedTables {
  readonly budgets: boolean;
  readonly ramps: boolean;
  readonly streams: boolean;
}

export interface SharedCountsOptions {
  readonly store: SharedStore;
  readonly shared: SharedTables;
  readonly budget: TempfailBudget;
  /** See `LimitOptions`. */
  readonly rehearsedBudget: TempfailBudget;
  readonly ramps: RampTable;
  readonly streams: NetworkLimit;
}

/** All that is to be counted for a message. */
export interface ToCount {
  readonly budget: { readonly sender: BudgetKey; readonly rehearsed: boolean } | null;
  readonly ramps: readonly RampTry[];
  readonly stream: {
    readonly ip: IpAddress;
    readonly name: string;
    readonly limit: CountLimit;
    /** Only if the budget is used up. */
    readonly ifSpent: boolean;
  } | null;
}

/** What the farm says; null, or absent, where it was not asked. */
export interface FarmCounts {
  readonly spent: boolean | null;
  /** By finding. */
  readonly withinRamps: ReadonlyMap<string, boolean>;
  readonly withinStream: boolean | null;
}

/** A step, and what becomes of its answer. */
interface Asked {
  readonly step: CountStep;
  readonly learn: (counted: NonNullable<Counted>) => void;
}

export class SharedCounts {
  readonly #options: SharedCountsOptions;

  constructor(options: SharedCountsOptions) {
    this.#options = options;
  }

  /** Null at once where nobody else is asked. Never rejects; null if there was no answer in time. */
  ask({ budget, ramps, stream }: ToCount): Promise<FarmCounts | null> | null {
    const { shared, store } = this.#options;
    const asked: Asked[] = [];
    let spent: boolean | null = null;
    const withinRamps = new Map<string, boolean>();
    let withinStream: boolean | null = null;
    if (budget !== null && shared.budgets) {
      const told = (value: boolean): void => void (spent = value);
      asked.push(this.#budget(budget, told));
    }
    if (shared.ramps) {
      for (const each of ramps) {
        const step = this.#ramp(each, (within) => withinRamps.set(each.finding, within));
        asked.push(step);
      }
    }
    // Without the budget's answer it is not known here whether to count.
    if (stream !== null && shared.streams && (shared.budgets || !stream.ifSpent)) {
      const told = (value: boolean): void => void (withinStream = value);
      asked.push(this.#stream(stream, told));
    }
    if (asked.length === 0) return null;
    const pending = store.count(asked.map(({ step }) => step));
    if (pending === null) return null;
    return pending.then((answers) => {
      if (answers === null) return null;
      for (const [i, { learn }] of asked.entries()) {
        const counted = answers[i] ?? null;
        if (counted !== null) learn(counted);
      }
      return { spent, withinRamps, withinStream };
    });
  }

  #budget({ sender, rehearsed }: NonNullable<ToCount['budget']>, told: (spent: boolean) => void): Asked {
    const table = rehearsed ? this.#options.rehearsedBudget : this.#options.budget;
    return {
      step: {
        table: rehearsed ? 'rehearsed' : 'tempfails',
        ...placesOf(accountsOf(sender)),
        ...secondsOf(table.limit),
        known: table.known(sender),
        ifSpent: false,
      },
      learn: (counted) => {
        table.learn(sender, counted.under, counted);
        told(!counted.within);
      },
    };
  }

  #ramp(each: RampTry, told: (within: boolean) => void): Asked {
    const { ramps } = this.#options;
    return {
      step: stepOf('ramps', rampAccounts(each), each.ramp, ramps.known(each)),
      learn: ({ within, under, tries }) => {
        ramps.learn(each, under, tries);
        told(within);
      },
    };
  }

  #stream(
    { ip, name, limit, ifSpent }: NonNullable<ToCount['stream']>,
    told: (within: boolean) => void,
  ): Asked {
    const { streams } = this.#options;
    const known = streams.known(ip, name, limit);
    return {
      step: { ...stepOf('streams', [networkKey(ip, name)], limit, [known]), ifSpent },
      learn: ({ within, tries }) => {
        streams.learn(ip, name, limit, tries);
        told(within);
      },
    };
  }
}

type Places = Accounts | readonly [Accounts[0]];

function stepOf(
  table: CountStep['table'],
  accounts: Places,
  limit: CountLimit,
  known: readonly (Tries | null)[],
): CountStep {
  const byName = known.map((tries) => ({ tries, spent: false }));
  return { table, ...placesOf(accounts), ...secondsOf(limit), known: byName, ifSpent: false };
}

/** In the store there are no rows: the places of one text are one. */
function placesOf(accounts: Places): Pick<CountStep, 'names' | 'block'> {
  return { names: [...new Set(accounts.map(({ text }) => text))], block: accounts[0].block };
}

function secondsOf({ count, ageMs }: CountLimit): Pick<CountStep, 'count' | 'age'> {
  return { count, age: Math.floor(ageMs / 1000) };
}

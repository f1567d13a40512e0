/**
 * How often a sender was refused for a finding with a ramp: at first it is told to come again, and refused
 * for good only once it has done so a number of times over a length of time and nothing has changed. A sender
 * is who it is for the tempfail limit (`budget-key.ts`). What is forgotten here costs no mail: the sender is
 * told to come again once more.
 */
import { type Accounts, accountsOf, namesOf, newAccount, raiseName, triesByName } from './accounts.ts';
import type { BudgetKey } from './budget-key.ts';
import { FairTable, type TableKey, tableBytes, type Tries } from './fair-table.ts';

interface Ramp {
  /** Tries that are answered 4yz at least. */
  readonly count: number;
  /** Milliseconds since the first of them, to the second. */
  readonly ageMs: number;
}

/** A try of a message. */
export interface RampTry {
  readonly sender: BudgetKey;
  /** The finding, by its id. */
  readonly finding: string;
  readonly ramp: Ramp;
  /** Nothing is refused, we only watch: such tries bring nobody closer to a refusal. */
  readonly watched: boolean;
}

/**
 * Whoever does not come for so long, in seconds, begins anew: longer than any MTA keeps trying (RFC 5321
 * §4.5.4.1).
 */
export const RAMP_LIFE = 14 * 86_400;
/** 5 MB: a quarter of a million senders and findings. */
const ROWS = 4096;

export class RampTable {
  /** The most octets that it takes. */
  static readonly bytes = tableBytes(ROWS);
  static readonly rows = ROWS;
  readonly #now: () => number;
  readonly #tries = new FairTable(ROWS);

  /** `now` gives milliseconds on a steady scale. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Everybody is new. */
  forget(): void {
    this.#tries.forget();
  }

  /** Counts a try. Whether it is still answered 4yz. */
  isWithin(each: RampTry): boolean {
    const { ramp } = each;
    const now = Math.floor(this.#now() / 1000);
    const record = this.#record(each, now);
    const within = record.count < ramp.count || now - record.first < Math.floor(ramp.ageMs / 1000);
    record.see(now);
    return within;
  }

  /** The tries so far under each name (`namesOf`), as far as they are known here; null if there were none. */
  known(each: RampTry): readonly (Tries | null)[] {
    const now = Math.floor(this.#now() / 1000);
    return triesByName(rampAccounts(each), this.#tries, now, now - RAMP_LIFE);
  }

  /** The tries under one of them with the one at hand, as all know who count together with us. */
  learn(each: RampTry, under: number, tries: Tries): void {
    const now = Math.floor(this.#now() / 1000);
    const name = namesOf(rampAccounts(each))[under];
    if (name !== undefined) raiseName({ name, tries }, this.#tries, now, now - RAMP_LIFE);
  }

  #record(each: RampTry, now: number): NonNullable<ReturnType<FairTable['find']>> {
    const accounts = rampAccounts(each);
    const chosen = this.#used(accounts, now) ?? newAccount(accounts, this.#tries);
    const since = now - RAMP_LIFE;
    return this.#tries.find(chosen, since) ?? this.#tries.add(chosen, now, since);
  }

  #used(accounts: Accounts, now: number): TableKey | undefined {
    return accounts.find((each) => this.#tries.find(each, now - RAMP_LIFE) !== null);
  }
}

/** Where the tries of a sender are counted. */
export function rampAccounts({ sender, finding, watched }: RampTry): Accounts {
  return accountsOf(sender, ` ${finding}${watched ? ' watched' : ''}`);
}

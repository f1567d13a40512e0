/**
 * How often a sender was refused for a finding with a ramp: at first it is told to come again, and refused
 * for good only once it has done so a number of times over a length of time and nothing has changed. A sender
 * is who it is for the tempfail limit (`budget-key.ts`). What is forgotten here costs no mail: the sender is
 * told to come again once more.
 */
import { accountsOf, newAccount } from './accounts.ts';
import type { BudgetKey } from './budget-key.ts';
import { FairTable, tableBytes } from './fair-table.ts';

interface Ramp {
  /** Tries that are answered 4yz at least. */
  readonly count: number;
  /** Milliseconds since the first of them, to the second. */
  readonly ageMs: number;
}

/** A try of a message. */
interface Try {
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
const LIFE = 14 * 86_400;
/** 5 MB: a quarter of a million senders and findings. */
const ROWS = 4096;

export class RampTable {
  /** The most octets that it takes. */
  static readonly bytes = tableBytes(ROWS);
  readonly #now: () => number;
  readonly #tries = new FairTable(ROWS);

  /** `now` gives milliseconds on a steady scale. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts a try. Whether it is still answered 4yz. */
  isWithin({ sender, finding, ramp, watched }: Try): boolean {
    const now = Math.floor(this.#now() / 1000);
    const since = now - LIFE;
    const accounts = accountsOf(sender, ` ${finding}${watched ? ' watched' : ''}`);
    const used = accounts.find((each) => this.#tries.find(each, since) !== null);
    const chosen = used ?? newAccount(accounts, this.#tries);
    const record = this.#tries.find(chosen, since) ?? this.#tries.add(chosen, now, since);
    const within = record.count < ramp.count || now - record.first < Math.floor(ramp.ageMs / 1000);
    record.see(now);
    return within;
  }
}

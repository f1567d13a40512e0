/**
 * How often one client is told to come again for one name. A tempfail delays mail, and a sender that is told so for days
 * gives up and bounces: after a number of refusals over a length of time the answer becomes accept.
 */
import { type IpAddress, networkText } from './core/ip.ts';

export interface TempfailLimit {
  /** Tempfails given before the answer changes. */
  readonly count: number;
  /** Milliseconds since the first of them. */
  readonly ageMs: number;
}

interface Record {
  readonly firstAt: number;
  count: number;
}

/** Names kept at a time; when full the older half is forgotten, which begins their count anew. */
const MAX_RECORDS = 50_000;

export class TempfailBudget {
  readonly #limit: () => TempfailLimit;
  readonly #now: () => number;
  #current = new Map<string, Record>();
  #previous = new Map<string, Record>();
  #turnsAt: number;

  /** `limit` is the limit as it is now; `now` gives milliseconds on a steady scale. */
  constructor(limit: () => TempfailLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#turnsAt = now() + this.#lifeMs;
  }

  /**
   * Notes that a message is to be tempfailed. False once the budget is spent: it is to be accepted. Neighbours in one
   * /24 or /64 share a budget, since a pool tries again from another host.
   */
  spend(client: IpAddress | null, helo: string): boolean {
    this.#turn();
    const network = client === null ? 'unknown' : networkText(client, client.family === 4 ? 24 : 64);
    const key = `${network} ${helo.slice(0, 255).toLowerCase()}`;
    const record = this.#current.get(key) ?? this.#previous.get(key) ?? { firstAt: this.#now(), count: 0 };
    this.#current.set(key, record);
    const { count, ageMs } = this.#limit();
    if (record.count >= count && this.#now() - record.firstAt >= ageMs) return false;
    record.count++;
    return true;
  }

  /** Long enough that a sender who tries every few hours is still known. */
  get #lifeMs(): number {
    return Math.max(24 * 3_600_000, 4 * this.#limit().ageMs);
  }

  #turn(): void {
    if (this.#now() < this.#turnsAt && this.#current.size < MAX_RECORDS) return;
    this.#previous = this.#current;
    this.#current = new Map();
    this.#turnsAt = this.#now() + this.#lifeMs;
  }
}

/**
 * How many times a client network (/24, /64) may do something in a length of time, which begins with the
 * first of them. What is beyond that is not counted, so that it is free again when the time is over.
 */
import { networksOf } from '../core/client-networks.ts';
import type { IpAddress } from '../core/ip.ts';
import { FairTable, tableBytes } from './fair-table.ts';

interface Limit {
  readonly count: number;
  /** Milliseconds, to the second. */
  readonly ageMs: number;
}

/** 5 MB: a quarter of a million networks. */
const ROWS = 4096;
/** The longest time of any limit, in seconds. */
const LONGEST = 86_400;

export class NetworkLimit {
  /** The most octets that it takes. */
  static readonly bytes = tableBytes(ROWS);
  readonly #now: () => number;
  readonly #table = new FairTable(ROWS);

  /** `now` gives milliseconds on a steady scale. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether it is within the limit; if so, it is counted. `what` has limits of its own for each word. */
  take(ip: IpAddress, what: string, { count, ageMs }: Limit): boolean {
    const now = Math.floor(this.#now() / 1000);
    const networks = networksOf(ip);
    const key = { text: `${networks.network} ${what}`, row: networks.site, ...networks };
    const since = now - LONGEST;
    const known = this.#table.find(key, since);
    if (known !== null && now - known.first >= Math.floor(ageMs / 1000)) this.#table.delete(key);
    const record = this.#table.find(key, since) ?? this.#table.add(key, now, since);
    if (record.count >= count) return false;
    record.see(now);
    return true;
  }
}

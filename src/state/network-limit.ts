/**
 * How many times a client network (/24, /64) may do something in a length of time, which begins with the
 * first of them. What is beyond that is not counted, so that it is free again when the time is over.
 */
import { networksOf } from '../core/client-networks.ts';
import type { IpAddress } from '../core/ip.ts';
import { FairTable, type TableKey, tableBytes, type Tries } from './fair-table.ts';

export interface CountLimit {
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

  /** Nothing has been counted. */
  forget(): void {
    this.#table.forget();
  }

  /** Whether it is within the limit; if so, it is counted. `what` has limits of its own for each word. */
  take(ip: IpAddress, what: string, { count, ageMs }: CountLimit): boolean {
    const now = Math.floor(this.#now() / 1000);
    const record = this.#record(networkKey(ip, what), now, ageMs);
    if (record.count >= count) return false;
    record.see(now);
    return true;
  }

  /** How often it was done in the present length of time, as far as it is known here; null if never. */
  known(ip: IpAddress, what: string, { ageMs }: CountLimit): Tries | null {
    const now = Math.floor(this.#now() / 1000);
    const record = this.#table.find(networkKey(ip, what), now - LONGEST);
    if (record === null || now - record.first >= Math.floor(ageMs / 1000)) return null;
    return record.tries(now);
  }

  /** How often with this time, as all know who count together with us. */
  learn(ip: IpAddress, what: string, { ageMs }: CountLimit, tries: Tries): void {
    const now = Math.floor(this.#now() / 1000);
    this.#record(networkKey(ip, what), now, ageMs).raise(tries, now);
  }

  /** What is left from a length of time that is over makes room. */
  #record(key: TableKey, now: number, ageMs: number): NonNullable<ReturnType<FairTable['find']>> {
    const since = now - LONGEST;
    const known = this.#table.find(key, since);
    if (known !== null && now - known.first >= Math.floor(ageMs / 1000)) this.#table.delete(key);
    return this.#table.find(key, since) ?? this.#table.add(key, now, since);
  }
}

/** Where something that a client's network does is counted. */
export function networkKey(ip: IpAddress, what: string): TableKey {
  const networks = networksOf(ip);
  return { text: `${networks.network} ${what}`, row: networks.site, ...networks };
}

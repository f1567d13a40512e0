/**
 * A table of fixed size for what strangers fill: when, and how often, something was seen. It never grows, and
 * nobody can fill it at the expense of others. A row has room for 64 records; when it is full, the block that
 * holds the most of it gives up a place: the record seen longest ago of its site, and in that of its network,
 * that holds the most. The caller bounds what a site and a block may spread over rows, by `held`.
 */
import type { ClientNetworks } from '../core/client-networks.ts';
import { textHash } from './text-hash.ts';

/** Where something is kept, and to which networks it is counted. */
export interface TableKey extends ClientNetworks {
  readonly text: string;
  /** Keys of one row compete for its places. */
  readonly row: string;
}

/** How often something was seen, for those who keep count together. */
export interface Tries {
  readonly count: number;
  /** Seconds since the first time. */
  readonly age: number;
}

/** Records that a row has room for. */
export const ROW_PLACES = 64;
/** Bits of the hash of a block, a site or a network, and of the number of times that a record was seen. */
const HALF = 16;
const LOW = (1 << HALF) - 1;
/**
 * A place: hash of the key (0 if it is free); hashes of site and network; first and last time in seconds;
 * hash of the block, and how often.
 */
const WORDS = 5;
const [TAG, OWNER, FIRST, LAST, BLOCK] = [0, 1, 2, 3, 4] as const;

/** Octets that a table of this many rows takes. */
export function tableBytes(rows: number): number {
  return rows * ROW_PLACES * WORDS * 4 + (1 << HALF) * (4 + 1 + 1 + 1);
}

export class FairTable {
  readonly rows: number;
  readonly #words: Uint32Array;
  /** Places, by hash of the site or the block. */
  readonly #held = new Uint32Array(1 << HALF);
  readonly #tagOf = textHash();
  readonly #rowOf = textHash();
  readonly #ownerOf = textHash();
  /** Places of the row at hand, by block, site and network; all zero between two rows. */
  readonly #byBlock = new Uint8Array(1 << HALF);
  readonly #bySite = new Uint8Array(1 << HALF);
  readonly #byNetwork = new Uint8Array(1 << HALF);

  constructor(rows: number) {
    this.rows = rows;
    this.#words = new Uint32Array(rows * ROW_PLACES * WORDS);
  }

  /** The record of a key that was seen at `since` or later, in seconds; null if there is none. */
  find(key: TableKey, since: number): TableRecord | null {
    const tag = this.#tag(key);
    const start = this.#start(key);
    for (let at = start; at < start + ROW_PLACES * WORDS; at += WORDS) {
      if (this.#word(at, TAG) !== tag) continue;
      return this.#word(at, LAST) < since ? null : new TableRecord(this.#words, at);
    }
    return null;
  }

  /**
   * A new record, seen now and not counted yet, for a key that has none. Records not seen since `since` make
   * room.
   */
  add(key: TableKey, now: number, since: number): TableRecord {
    const at = this.#free(this.#start(key), this.#tag(key), since);
    this.#release(at);
    const [site, block] = [this.#owner(key.site), this.#owner(key.block)];
    const owner = (site << HALF) | this.#owner(key.network);
    this.#words.set([this.#tag(key), owner, now, now, block << HALF], at);
    this.#hold(site, block, 1);
    return new TableRecord(this.#words, at);
  }

  delete(key: TableKey): void {
    const record = this.find(key, 0);
    if (record !== null) this.#release(record.at);
  }

  /** Forgets everything, without taking new memory. */
  forget(): void {
    this.#words.fill(0);
    this.#held.fill(0);
  }

  /** Places that a site or a block holds; a few more if two share a hash. */
  held(owner: string): number {
    return this.#held[this.#owner(owner)] ?? 0;
  }

  #release(at: number): void {
    if (this.#word(at, TAG) === 0) return;
    this.#words[at + TAG] = 0;
    this.#hold(this.#word(at, OWNER) >>> HALF, this.#word(at, BLOCK) >>> HALF, -1);
  }

  #hold(site: number, block: number, by: 1 | -1): void {
    this.#held[site] = (this.#held[site] ?? 0) + by;
    if (block !== site) this.#held[block] = (this.#held[block] ?? 0) + by;
  }

  /**
   * The place to write to: that of the same key, a free one, a forgotten one, or the one that it is fair to
   * take.
   */
  #free(start: number, tag: number, since: number): number {
    const end = start + ROW_PLACES * WORDS;
    let free = -1;
    for (let at = start; at < end; at += WORDS) {
      const found = this.#word(at, TAG);
      if (found === tag) return at;
      if (found === 0 || this.#word(at, LAST) < since) free = at;
    }
    return free === -1 ? this.#victim(start, end) : free;
  }

  #victim(start: number, end: number): number {
    this.#count(start, end, 1);
    let victim = start;
    let most = 0;
    for (let at = start; at < end; at += WORDS) {
      const owner = this.#word(at, OWNER);
      // None of the three is more than 64.
      const share =
        (this.#byBlock[this.#word(at, BLOCK) >>> HALF] ?? 0) * 65_536 +
        (this.#bySite[owner >>> HALF] ?? 0) * 256 +
        (this.#byNetwork[owner & LOW] ?? 0);
      if (share < most || (share === most && this.#word(at, LAST) >= this.#word(victim, LAST))) continue;
      most = share;
      victim = at;
    }
    this.#count(start, end, -1);
    return victim;
  }

  #count(start: number, end: number, by: 1 | -1): void {
    for (let at = start; at < end; at += WORDS) {
      const [owner, block] = [this.#word(at, OWNER), this.#word(at, BLOCK) >>> HALF];
      this.#byBlock[block] = (this.#byBlock[block] ?? 0) + by;
      this.#bySite[owner >>> HALF] = (this.#bySite[owner >>> HALF] ?? 0) + by;
      this.#byNetwork[owner & LOW] = (this.#byNetwork[owner & LOW] ?? 0) + by;
    }
  }

  #word(at: number, word: number): number {
    return this.#words[at + word] ?? 0;
  }

  /** Never 0, which marks a free place. */
  #tag({ text }: TableKey): number {
    return this.#tagOf(text) || 1;
  }

  #start({ row }: TableKey): number {
    return (this.#rowOf(row) % this.rows) * ROW_PLACES * WORDS;
  }

  #owner(text: string): number {
    return this.#ownerOf(text) >>> (32 - HALF);
  }
}

/** One place of a table, good until the next `add`. */
class TableRecord {
  readonly #words: Uint32Array;
  readonly at: number;

  constructor(words: Uint32Array, at: number) {
    this.#words = words;
    this.at = at;
  }

  /** When it was first seen, in seconds. */
  get first(): number {
    return this.#words[this.at + FIRST] ?? 0;
  }

  /** Up to 65,535. */
  get count(): number {
    return (this.#words[this.at + BLOCK] ?? 0) & LOW;
  }

  /** `now` is in seconds. */
  tries(now: number): Tries {
    return { count: this.count, age: now - this.first };
  }

  /** Was seen at least as often as this, and at least as long ago, the last time now. */
  raise({ count, age }: Tries, now: number): void {
    const first = Math.max(0, Math.min(this.first, now - age));
    const most = Math.min(LOW, Math.max(this.count, count));
    this.#words[this.at + FIRST] = first;
    this.#words[this.at + LAST] = now;
    this.#words[this.at + BLOCK] = ((this.#words[this.at + BLOCK] ?? 0) & ~LOW) | most;
  }

  /** Seen again. */
  see(now: number): void {
    this.#words[this.at + LAST] = now;
    if (this.count < LOW) this.#words[this.at + BLOCK] = (this.#words[this.at + BLOCK] ?? 0) + 1;
  }
}

/**
 * A table of fixed size for what strangers fill: when, and how often, something was seen. It never grows, and
 * nobody can fill it at the expense of others. A row has room for 64 records; when it is full, the site that
 * holds the most of it gives up a place: the record seen longest ago in its network that holds the most. The
 * caller bounds what one site may spread over rows, by `held`.
 */
import { textHash } from './text-hash.ts';

/** Where something is kept, and to whom it is counted. */
export interface TableKey {
  readonly text: string;
  /** Keys of one row compete for its places. */
  readonly row: string;
  readonly network: string;
  /** What the network is part of, and what a stranger can cheaply get as a whole. */
  readonly site: string;
}

const PLACES = 64;
/** Sites and networks are told apart by this many bits each. */
const OWNER_BITS = 16;
const NETWORK = (1 << OWNER_BITS) - 1;
/**
 * A place: hashes of the key (0 if it is free), of site and network; first and last time in seconds; how
 * often.
 */
const WORDS = 5;
const [TAG, OWNER, FIRST, LAST, COUNT] = [0, 1, 2, 3, 4] as const;

/** Octets that a table of this many rows takes. */
export function tableBytes(rows: number): number {
  return rows * PLACES * WORDS * 4 + (1 << OWNER_BITS) * (4 + 1 + 1);
}

export class FairTable {
  readonly #rows: number;
  readonly #words: Uint32Array;
  readonly #held = new Uint32Array(1 << OWNER_BITS);
  readonly #tagOf = textHash();
  readonly #rowOf = textHash();
  readonly #ownerOf = textHash();
  /** Places of the row at hand, by site and by network; all zero between two rows. */
  readonly #bySite = new Uint8Array(1 << OWNER_BITS);
  readonly #byNetwork = new Uint8Array(1 << OWNER_BITS);

  constructor(rows: number) {
    this.#rows = rows;
    this.#words = new Uint32Array(rows * PLACES * WORDS);
  }

  /** The record of a key that was seen at `since` or later, in seconds; null if there is none. */
  find(key: TableKey, since: number): TableRecord | null {
    const tag = this.#tag(key);
    const start = this.#start(key);
    for (let at = start; at < start + PLACES * WORDS; at += WORDS) {
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
    const site = this.#owner(key.site);
    const owner = (site << OWNER_BITS) | this.#owner(key.network);
    this.#words.set([this.#tag(key), owner, now, now, 0], at);
    this.#held[site] = (this.#held[site] ?? 0) + 1;
    return new TableRecord(this.#words, at);
  }

  delete(key: TableKey): void {
    const record = this.find(key, 0);
    if (record !== null) this.#release(record.at);
  }

  /** Places that a site holds; a few more if two sites share a hash. */
  held(site: string): number {
    return this.#held[this.#owner(site)] ?? 0;
  }

  #release(at: number): void {
    if (this.#word(at, TAG) === 0) return;
    this.#words[at + TAG] = 0;
    const site = this.#word(at, OWNER) >>> OWNER_BITS;
    this.#held[site] = (this.#held[site] ?? 1) - 1;
  }

  /**
   * The place to write to: that of the same key, a free one, a forgotten one, or the one that it is fair to
   * take.
   */
  #free(start: number, tag: number, since: number): number {
    const end = start + PLACES * WORDS;
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
      // Neither of the two is more than 64.
      const share = (this.#bySite[owner >>> OWNER_BITS] ?? 0) * 256 + (this.#byNetwork[owner & NETWORK] ?? 0);
      if (share < most || (share === most && this.#word(at, LAST) >= this.#word(victim, LAST))) continue;
      most = share;
      victim = at;
    }
    this.#count(start, end, -1);
    return victim;
  }

  #count(start: number, end: number, by: 1 | -1): void {
    for (let at = start; at < end; at += WORDS) {
      const owner = this.#word(at, OWNER);
      this.#bySite[owner >>> OWNER_BITS] = (this.#bySite[owner >>> OWNER_BITS] ?? 0) + by;
      this.#byNetwork[owner & NETWORK] = (this.#byNetwork[owner & NETWORK] ?? 0) + by;
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
    return (this.#rowOf(row) % this.#rows) * PLACES * WORDS;
  }

  #owner(text: string): number {
    return this.#ownerOf(text) >>> (32 - OWNER_BITS);
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

  get count(): number {
    return this.#words[this.at + COUNT] ?? 0;
  }

  /** Seen again. */
  see(now: number): void {
    this.#words[this.at + LAST] = now;
    this.#words[this.at + COUNT] = this.count + 1;
  }
}

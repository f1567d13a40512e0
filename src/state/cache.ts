/**
 * A cache with one entry per client address and, inside it, a few named values. Bounded in addresses and
 * bytes, and a network has a share that it cannot exceed, as have the site and the block around it. Never
 * answers for another address or another name; never throws when full; joins equal look-ups under way.
 *
 * There is no sweep: each value has its expiry, which is checked on reading, and what was not used lately
 * makes room for what is new.
 */
import { HELD_BYTES, type Kept } from './cache-members.ts';
import { CacheTable, NAME_BYTES, type Room, SHARES } from './cache-table.ts';
import type { IpAddress } from '../core/ip.ts';
import { NamedWork } from '../core/named-work.ts';

export interface CacheLimits {
  readonly maxClients: number;
  /** Bytes that all values may take, approximately. */
  readonly maxBytes: number;
}

export interface Packing<T> {
  /**
   * The value packed, and the bytes that this takes, approximately. What packed values have in common takes
   * at most `room` bytes.
   */
  pack(value: T, room: number): { readonly packed: Kept<T>; readonly bytes: number };
  /** What they have in common takes now, approximately. */
  readonly bytes: number;
  /** Everything is dropped. */
  clear(): void;
}

export interface CacheOptions<T> {
  /** The present limits. */
  readonly limits: () => CacheLimits;
  /** Names kept for one address; the least recently used goes first. */
  readonly maxNamesPerClient: number;
  readonly packing: Packing<T>;
  /** Milliseconds for which a value may be used; 0 shares it only with those who asked at the same time. */
  readonly lifeMs: (value: T) => number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** What is kept of an address. */
export interface CacheHit<T> {
  readonly cache: 'hit';
  readonly ip: IpAddress;
  readonly packed: Kept<T>;
}

/**
 * What is kept, at once, for whoever wants it whole; or a promise of a value: `miss` for the caller that
 * started the look-up, `joined` for those that came while it ran.
 */
export type CacheLookup<T> =
  CacheHit<T> | { readonly cache: 'miss' | 'joined'; readonly pending: Promise<T> };

export class AssessmentCache<T> {
  readonly #options: CacheOptions<T>;
  readonly #pending = new NamedWork<Promise<T>>();
  #table = new CacheTable<T>();
  /** A look-up that began before `clear` is not kept. */
  #cleared = 0;

  constructor(options: CacheOptions<T>) {
    this.#options = options;
  }

  /** Addresses held. */
  get size(): number {
    return this.#table.size;
  }

  /** The memory they take, approximately. */
  get bytes(): number {
    return this.#table.bytes + this.#options.packing.bytes;
  }

  /** Forgets everything. What is being loaded goes only to those who are already waiting for it. */
  clear(): void {
    this.#pending.clear();
    this.#cleared++;
    this.#table = new CacheTable();
    this.#options.packing.clear();
  }

  /** Finds the value or starts `load`. A load that rejects is forgotten, and the caller gets its error. */
  lookup(ip: IpAddress, name: string, load: () => Promise<T>): CacheLookup<T> {
    const held = this.#table.get(ip.text);
    const packed = held?.find(name) ?? null;
    if (held !== undefined && packed !== null) {
      if (packed.expiresAt > this.#options.now()) {
        this.#table.touch(held);
        if (held.latest !== packed) {
          held.take(packed);
          held.put(packed);
        }
        return { cache: 'hit', ip, packed };
      }
      this.#table.forget(held, packed);
    }
    // An address has no space in it, so the two parts cannot be confused.
    const key = `${ip.text} ${name}`;
    const joined = this.#pending.get(key);
    if (joined !== undefined) return { cache: 'joined', pending: joined };
    const pending = this.#load(ip, name, load).finally(() => {
      if (this.#pending.get(key) === pending) this.#pending.delete(key);
    });
    this.#pending.set(key, pending);
    return { cache: 'miss', pending };
  }

  async #load(ip: IpAddress, name: string, load: () => Promise<T>): Promise<T> {
    const begun = this.#cleared;
    const value = await load();
    const life = this.#options.lifeMs(value);
    if (life > 0 && begun === this.#cleared) this.#store(ip, name, value, life);
    return value;
  }

  #store(ip: IpAddress, name: string, value: T, lifeMs: number): void {
    const { maxNamesPerClient, packing, limits, now } = this.#options;
    const { maxBytes, maxClients } = limits();
    const { packed, bytes: taken } = packing.pack(value, maxBytes * SHARED);
    const room: Room = { addresses: maxClients, bytes: maxBytes - packing.bytes };
    packed.bytes = NAME_BYTES + taken;
    // What would not be found again is not kept.
    if (HELD_BYTES[ip.family] + packed.bytes > room.bytes * SHARES.network || !packed.isNamed(name)) {
      packed.release();
      return;
    }
    const held = this.#table.get(ip.text) ?? this.#table.add(ip);
    const before = held.find(name);
    if (before !== null) this.#table.forget(held, before);
    const { names } = held;
    const oldest = names.at(-1);
    if (oldest !== undefined && names.length >= maxNamesPerClient) this.#table.forget(held, oldest);
    // Whole milliseconds take no memory of their own.
    packed.expiresAt = Math.floor(now() + lifeMs);
    this.#table.store(held, packed);
    this.#table.trim(held, room);
  }
}

/** The part of the memory that may be taken by what values have in common. */
const SHARED = 1 / 16;

/**
 * A cache with one entry per client address and, inside it, a few named values. Bounded in addresses and
 * bytes, and a network has a share that it cannot exceed, as have the site and the block around it. Never
 * answers for another address or another name; never throws when full; joins equal look-ups under way.
 *
 * There are two generations, each half of the whole: what is asked for moves to the young one; when that is
 * full, the old one is dropped and the young one becomes old. So there is no sweep; each value has its
 * expiry, which is checked on reading.
 */
import { Generation, type Held, HELD_BYTES, NAME_BYTES, type Room, SHARES } from './cache-generation.ts';
import { Generations } from './generations.ts';
import type { IpAddress } from '../core/ip.ts';

export interface CacheLimits {
  readonly maxClients: number;
  /** Bytes that all values may take, as `sizeOf` estimates them. */
  readonly maxBytes: number;
}

export interface CacheOptions<T> {
  /** The present limits. */
  readonly limits: () => CacheLimits;
  /** Names kept for one address; the least recently used goes first. */
  readonly maxNamesPerClient: number;
  /** The bytes that a value takes, approximately. */
  readonly sizeOf: (value: T) => number;
  /** Milliseconds for which a value may be used; 0 shares it only with those who asked at the same time. */
  readonly lifeMs: (value: T) => number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/**
 * A value at once, or a promise of one: `miss` for the caller that started the look-up, `joined` for those
 * that came while it ran.
 */
export type CacheLookup<T> =
  | { readonly cache: 'hit'; readonly value: T }
  | { readonly cache: 'miss' | 'joined'; readonly pending: Promise<T> };

export class AssessmentCache<T> {
  readonly #options: CacheOptions<T>;
  readonly #pending = new Map<string, Promise<T>>();
  readonly #generations = new Generations(() => new Generation<T>());
  /** A look-up that began before `clear` is not kept. */
  #cleared = 0;

  constructor(options: CacheOptions<T>) {
    this.#options = options;
  }

  get #young(): Generation<T> {
    return this.#generations.young;
  }

  get #old(): Generation<T> {
    return this.#generations.old;
  }

  /** Addresses held. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The memory they take, approximately. */
  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  /** Forgets everything. What is being loaded goes only to those who are already waiting for it. */
  clear(): void {
    this.#pending.clear();
    this.#cleared++;
    this.#generations.clear();
  }

  /** Finds the value or starts `load`. A load that rejects is forgotten, and the caller gets its error. */
  lookup(ip: IpAddress, name: string, load: () => Promise<T>): CacheLookup<T> {
    const held = this.#find(ip.text);
    const stored = held?.names.get(name);
    if (held !== undefined && stored !== undefined) {
      if (stored.expiresAt > this.#options.now()) {
        this.#young.touch(held);
        if (held.names.size > 1) {
          // Re-inserting keeps the map in order of use.
          held.names.delete(name);
          held.names.set(name, stored);
        }
        return { cache: 'hit', value: stored.value };
      }
      this.#young.forget(held, name);
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
    const { maxNamesPerClient, sizeOf, now } = this.#options;
    const room = this.#room();
    const bytes = NAME_BYTES + name.length + sizeOf(value);
    if (HELD_BYTES + bytes > room.bytes * SHARES.network) return;
    // There must be room for this and for what the address already has, which moves there too.
    this.#find(ip.text);
    this.#makeRoom(HELD_BYTES + bytes);
    let held = this.#find(ip.text);
    if (held === undefined) {
      held = { ip, names: new Map(), bytes: HELD_BYTES, group: null };
      this.#young.add(held);
    } else this.#young.forget(held, name);
    const [oldest] = held.names.keys();
    if (oldest !== undefined && held.names.size >= maxNamesPerClient) this.#young.forget(held, oldest);
    this.#young.store(held, name, { value, expiresAt: now() + lifeMs, bytes });
    this.#young.trim(held, room);
  }

  /** What is kept for an address; one found in the old generation moves to the young. */
  #find(address: string): Held<T> | undefined {
    const young = this.#young.get(address);
    if (young !== undefined) return young;
    const old = this.#old.get(address);
    if (old === undefined) return undefined;
    this.#old.remove(old);
    this.#makeRoom(old.bytes);
    this.#young.add(old);
    this.#young.trim(old, this.#room());
    return old;
  }

  /**
   * If one more address of this many bytes does not fit into the young generation, that becomes the old one.
   */
  #makeRoom(bytes: number): void {
    const room = this.#room();
    const { size } = this.#young;
    if (size === 0 || (size < room.addresses && this.#young.bytes + bytes <= room.bytes)) return;
    // The bounds may have become tighter since it was filled.
    this.#generations.turn(this.#young.bytes <= room.bytes);
  }

  /** Of each generation. */
  #room(): Room {
    const { maxBytes, maxClients } = this.#options.limits();
    return { addresses: Math.max(1, maxClients >> 1), bytes: maxBytes / 2 };
  }
}

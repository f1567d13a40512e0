/**
 * A bounded cache with one entry per client address and, inside it, a few named values. Never answers for another
 * address or another name; never throws when full; joins equal look-ups under way.
 *
 * Built on node-cache, whose `set` throws when `maxKeys` is reached and whose sweep blocks the event loop: two
 * generations of it bound the size instead, and the expiry is kept with each value and checked on reading.
 */
import NodeCache from 'node-cache';

export interface CacheOptions<T> {
  readonly maxClients: number;
  /** Names kept for one address; the least recently used goes first. */
  readonly maxNamesPerClient: number;
  /** Milliseconds a value may be used; 0 shares it only with those who asked at the same time. */
  readonly lifeMs: (value: T) => number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** A value at once, or a promise of one: `miss` for who caused the look-up, `joined` for who came while it ran. */
export type CacheLookup<T> =
  | { readonly hit: 'hit'; readonly value: T }
  | { readonly hit: 'miss' | 'joined'; readonly pending: Promise<T> };

interface Stored<T> {
  readonly value: T;
  readonly expiresAt: number;
}

export class AssessmentCache<T> {
  readonly #options: CacheOptions<T>;
  readonly #pending = new Map<string, Promise<T>>();
  #young = generation();
  #old = generation();
  #youngSize = 0;
  #oldSize = 0;
  /** What began before `clear` is not kept. */
  #generation = 0;

  constructor(options: CacheOptions<T>) {
    this.#options = options;
  }

  /** Addresses held. */
  get size(): number {
    return this.#youngSize + this.#oldSize;
  }

  /** Forgets all. What is being loaded now still goes to those who wait for it, and to nobody else. */
  clear(): void {
    this.#pending.clear();
    this.#generation++;
    this.#young = generation();
    this.#old = generation();
    this.#youngSize = 0;
    this.#oldSize = 0;
  }

  /** Finds the value or starts `load`. A load that rejects is forgotten, and its error is the caller's. */
  lookup(ip: string, name: string, load: () => Promise<T>): CacheLookup<T> {
    const names = this.#names(ip);
    const stored = names?.get(name);
    if (names !== undefined && stored !== undefined) {
      if (stored.expiresAt > this.#options.now()) {
        if (names.size > 1) {
          // Re-inserting makes the order of the map that of use.
          names.delete(name);
          names.set(name, stored);
        }
        return { hit: 'hit', value: stored.value };
      }
      names.delete(name);
    }
    // A space cannot be in an address, so the two parts cannot be confused.
    const key = `${ip} ${name}`;
    const joined = this.#pending.get(key);
    if (joined !== undefined) return { hit: 'joined', pending: joined };
    const pending = this.#load(ip, name, load).finally(() => {
      if (this.#pending.get(key) === pending) this.#pending.delete(key);
    });
    this.#pending.set(key, pending);
    return { hit: 'miss', pending };
  }

  async #load(ip: string, name: string, load: () => Promise<T>): Promise<T> {
    const begun = this.#generation;
    const value = await load();
    const life = this.#options.lifeMs(value);
    if (life > 0 && begun === this.#generation)
      this.#store(ip, name, { value, expiresAt: this.#options.now() + life });
    return value;
  }

  #store(ip: string, name: string, stored: Stored<T>): void {
    let names = this.#names(ip);
    if (names === undefined) {
      names = new Map();
      this.#insert(ip, names);
    }
    names.delete(name);
    names.set(name, stored);
    if (names.size > this.#options.maxNamesPerClient) {
      const [oldest] = names.keys();
      if (oldest !== undefined) names.delete(oldest);
    }
  }

  /** The names of an address; one found in the old generation moves to the young. */
  #names(ip: string): Map<string, Stored<T>> | undefined {
    const young = this.#young.get<Map<string, Stored<T>>>(keyOf(ip));
    if (young !== undefined) return young;
    const old = this.#old.take<Map<string, Stored<T>>>(keyOf(ip));
    if (old === undefined) return undefined;
    this.#oldSize--;
    this.#insert(ip, old);
    return old;
  }

  #insert(ip: string, names: Map<string, Stored<T>>): void {
    if (this.#youngSize >= Math.max(1, this.#options.maxClients >> 1)) {
      this.#old = this.#young;
      this.#oldSize = this.#youngSize;
      this.#young = generation();
      this.#youngSize = 0;
    }
    this.#young.set(keyOf(ip), names);
    this.#youngSize++;
  }
}

/** node-cache keeps its keys in a plain object: a prefix keeps them clear of `toString` and its kin. */
function keyOf(ip: string): string {
  return `ip:${ip}`;
}

function generation(): NodeCache {
  return new NodeCache({ useClones: false, checkperiod: 0 });
}

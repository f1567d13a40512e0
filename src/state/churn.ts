/** Counts the different HELO names that one client network gives within a window. Bounded in every direction. */
import { type IpAddress, networkText } from '../core/ip.ts';
import { Generations } from './generations.ts';
import { textHash } from './text-hash.ts';

export interface ChurnLimits {
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** The most names told apart per network. */
  readonly maxNames: number;
  /** The most networks counted at a time; when full, the older half is forgotten. */
  readonly maxClients: number;
}

export interface ChurnOptions {
  /** As they are now. */
  readonly limits: () => ChurnLimits;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/**
 * Hashes of a network's names, so that the memory does not depend on the length of a stranger's text; nearly
 * all networks have one name.
 */
type Names = number | number[];

/**
 * /64s of a /48 told apart in a window; the others count as one, since otherwise a single customer could fill
 * the table.
 */
const MAX_OF_SITE = 256;
/** Names expected per network on average; beyond that the window ends early. */
const USUAL_NAMES = 16;

class Generation {
  readonly names = new Map<string, Names>();
  /** Networks of each /48. */
  readonly sites = new Map<string, number>();
  size = 0;
}

/**
 * Names live for one to two windows: there is a current and a previous generation, which move on when the
 * window is over or the current one is full. There is no timer and no sweep.
 */
export class ChurnCounter {
  readonly #options: ChurnOptions;
  readonly #hash = textHash();
  readonly #generations = new Generations(() => new Generation());
  #startedAt: number;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#startedAt = options.now();
  }

  /** Notes a (canonical) name and returns how many different ones this client gave, including this one. */
  note(address: IpAddress, name: string): number {
    this.#turn();
    const network = this.#network(address);
    const names = this.#add(network, this.#hash(name) >>> 1);
    const before = this.#generations.old.names.get(network);
    return before === undefined ? countOf(names) : new Set([names, before].flat()).size;
  }

  /** An IPv6 client owns its /64 and could give each name from another address; many own the /48. */
  #network(address: IpAddress): string {
    if (address.family === 4) return address.text;
    const network = networkText(address, 64);
    const { names, sites } = this.#generations.young;
    if (names.has(network)) return network;
    const site = networkText(address, 48);
    const members = sites.get(site) ?? 0;
    if (members >= MAX_OF_SITE) return site;
    sites.set(site, members + 1);
    return network;
  }

  /** The names of the network after this one. */
  #add(network: string, name: number): Names {
    const { names } = this.#generations.young;
    const known = names.get(network);
    if (known === undefined) {
      this.#generations.young.size++;
      names.set(network, name);
      return name;
    }
    const list = typeof known === 'number' ? [known] : known;
    if (list.includes(name) || list.length >= this.#options.limits().maxNames) return known;
    this.#generations.young.size++;
    list.push(name);
    names.set(network, list);
    return list;
  }

  #turn(): void {
    const { now, limits } = this.#options;
    const { windowMs, maxClients, maxNames } = limits();
    const at = now();
    const overdue = at - this.#startedAt - windowMs;
    const { names, size } = this.#generations.young;
    // A /24 or a /48 has at most a quarter of that, whatever the numbers.
    const maxSize = Math.max(USUAL_NAMES * maxClients, 4 * (MAX_OF_SITE + 1) * maxNames);
    if (overdue < 0 && names.size < maxClients && size < maxSize) return;
    // After a whole window of silence even the current names are old.
    this.#generations.turn(overdue < windowMs);
    this.#startedAt = at;
  }
}

function countOf(names: Names): number {
  return typeof names === 'number' ? 1 : names.length;
}

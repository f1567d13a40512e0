/**
 * Counts the different HELO names that one client network gives within a window. Bounded in every direction.
 */
import { networkOf } from '../core/client-networks.ts';
import type { IpAddress } from '../core/ip.ts';
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
 * all networks have one name. A name that was given only once is as its hash, one that was given again is the
 * complement (negative).
 */
type Names = number | number[];

/**
 * /64s of a /48 told apart in a window; the others count as one, since otherwise a single customer could fill
 * the table.
 */
const MAX_OF_SITE = 256;
/** Names expected per network on average; beyond that the window ends early. */
const USUAL_NAMES = 16;
/** Part of a generation that one block may take; what it would need beyond that is not counted. */
const BLOCK_SHARE = 1 / 8;

class Generation {
  readonly names = new Map<string, Names>();
  /** Networks of each /48. */
  readonly sites = new Map<string, number>();
  readonly blocks = new Map<string, Block>();
  size = 0;
}

/** What one block takes of a generation. */
interface Block {
  networks: number;
  names: number;
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
  #generation = 0;
  /**
   * Of the latest `note`: for `forget`, if it was of a name that was not counted before; null if that name
   * was counted.
   */
  introduced: number | null = null;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#startedAt = options.now();
  }

  /**
   * Notes a (canonical) name and returns how many different ones this client gave, including this one. It can
   * not be taken back any more if it was noted before.
   */
  note(address: IpAddress, name: string): number {
    this.#turn();
    const hash = this.#hash(name) >>> 1;
    const block = this.#block(address);
    const network = this.#network(address, block);
    const { size } = this.#generations.young;
    const names = this.#add(network, hash, block);
    const before = this.#generations.old.names.get(network);
    const isKnown = before !== undefined && [before].flat().some((each) => bare(each) === hash);
    this.introduced = this.#generations.young.size > size && !isKnown ? this.#generation : null;
    return before === undefined ? countOf(names) : new Set([names, before].flat().map(bare)).size;
  }

  /**
   * Takes a name back, as if it had not been noted, and returns whether it did: not if it was noted again
   * since it was `introduced`, or if the window is over.
   */
  forget(address: IpAddress, name: string, introduced: number): boolean {
    if (introduced !== this.#generation) return false;
    const { young } = this.#generations;
    const block = this.#block(address);
    const network = this.#network(address, block);
    const hash = this.#hash(name) >>> 1;
    const known = [young.names.get(network) ?? []].flat();
    const left = known.filter((each) => each !== hash);
    if (left.length === known.length) return false;
    young.size--;
    block.names--;
    if (left.length > 0) young.names.set(network, left);
    else {
      young.names.delete(network);
      block.networks--;
    }
    return true;
  }

  /** An IPv6 client owns its /64 and could give each name from another address; many own the /48. */
  #network(address: IpAddress, block: Block): string {
    if (address.family === 4) return address.text;
    const network = networkOf(address, 'network');
    const { names, sites } = this.#generations.young;
    if (names.has(network) || this.#isFull(block)) return network;
    const site = networkOf(address, 'site');
    const members = sites.get(site) ?? 0;
    if (members >= MAX_OF_SITE) return site;
    sites.set(site, members + 1);
    return network;
  }

  #block(address: IpAddress): Block {
    const { blocks } = this.#generations.young;
    const key = networkOf(address, 'block');
    let block = blocks.get(key);
    if (block === undefined) blocks.set(key, (block = { networks: 0, names: 0 }));
    return block;
  }

  /** The names of the network after this one, which is not kept if the block has its share. */
  #add(network: string, name: number, block: Block): Names {
    const { young } = this.#generations;
    const known = young.names.get(network);
    if (known === undefined) {
      if (this.#isFull(block)) return name;
      block.networks++;
      block.names++;
      young.size++;
      young.names.set(network, name);
      return name;
    }
    const list = typeof known === 'number' ? [known] : known;
    const at = list.findIndex((each) => bare(each) === name);
    if (at !== -1) {
      list[at] = ~name;
      const names = typeof known === 'number' ? ~name : list;
      young.names.set(network, names);
      return names;
    }
    if (list.length >= this.#options.limits().maxNames) return known;
    if (block.names >= this.#most().names * BLOCK_SHARE) return [...list, name];
    block.names++;
    young.size++;
    list.push(name);
    young.names.set(network, list);
    return list;
  }

  /** It gets no more networks. */
  #isFull(block: Block): boolean {
    const most = this.#most();
    return block.networks >= most.networks * BLOCK_SHARE || block.names >= most.names * BLOCK_SHARE;
  }

  /** What a generation may hold. A /24 or a /48 has at most an eighth of it, whatever the numbers. */
  #most(): { networks: number; names: number } {
    const { maxClients, maxNames } = this.#options.limits();
    return {
      networks: maxClients,
      names: Math.max(USUAL_NAMES * maxClients, 8 * (MAX_OF_SITE + 1) * maxNames),
    };
  }

  #turn(): void {
    const { now, limits } = this.#options;
    const { windowMs } = limits();
    const most = this.#most();
    const at = now();
    const overdue = at - this.#startedAt - windowMs;
    const { names, size } = this.#generations.young;
    if (overdue < 0 && names.size < most.networks && size < most.names) return;
    // After a whole window of silence even the current names are old.
    this.#generations.turn(overdue < windowMs);
    this.#generation++;
    this.#startedAt = at;
  }
}

/** The hash of a name, however often it was given. */
function bare(name: number): number {
  return name < 0 ? ~name : name;
}

function countOf(names: Names): number {
  return typeof names === 'number' ? 1 : names.length;
}

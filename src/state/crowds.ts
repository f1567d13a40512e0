/**
 * Entries that strangers make, by the networks that they belong to: so that it is found at once who has the
 * most of them, and gives up a place first.
 */
import type { ClientNetworks } from '../core/client-networks.ts';

interface Block<T> {
  readonly sites: Map<string, T[]>;
  size: number;
}

/** Whether the one is to go before the other. */
type IsBehind<T> = (one: T, other: T) => boolean;

export class Crowds<T extends ClientNetworks> {
  readonly #isBehind: IsBehind<T>;
  readonly #blocks = new Map<string, Block<T>>();
  /** The blocks that have so many entries. */
  readonly #bySize = new Map<number, Set<Block<T>>>();
  #largest = 0;

  constructor(isBehind: IsBehind<T>) {
    this.#isBehind = isBehind;
  }

  /** How many entries there are of a block. */
  sizeOf(block: string): number {
    return this.#blocks.get(block)?.size ?? 0;
  }

  add(entry: T): void {
    let block = this.#blocks.get(entry.block);
    if (block === undefined) this.#blocks.set(entry.block, (block = { sites: new Map(), size: 0 }));
    const site = block.sites.get(entry.site);
    if (site === undefined) block.sites.set(entry.site, [entry]);
    else site.push(entry);
    this.#resize(block, block.size + 1);
  }

  delete(entry: T): void {
    const block = this.#blocks.get(entry.block);
    const site = block?.sites.get(entry.site);
    const at = site?.indexOf(entry) ?? -1;
    if (block === undefined || site === undefined || at === -1) return;
    site.splice(at, 1);
    if (site.length === 0) block.sites.delete(entry.site);
    this.#resize(block, block.size - 1);
    if (block.size === 0) this.#blocks.delete(entry.block);
  }

  clear(): void {
    this.#blocks.clear();
    this.#bySize.clear();
    this.#largest = 0;
  }

  /**
   * The entry that goes first: of the block with the most; in that, of the site with the most, and in that
   * of the network with the most. Where no block has two, it is the one that is behind all others. Null if
   * there is none.
   */
  victim(): T | null {
    const largest = this.#bySize.get(this.#largest) ?? [];
    if (this.#largest > 1) return firstOf(largest, (block) => this.#victimIn(block));
    return this.#last([...largest].flatMap(({ sites }) => [...sites.values()].flat()));
  }

  /** The same in a block. */
  victimOf(block: string): T | null {
    const found = this.#blocks.get(block);
    return found === undefined ? null : this.#victimIn(found);
  }

  #victimIn({ sites }: Block<T>): T | null {
    let most: readonly T[] = [];
    for (const site of sites.values()) if (site.length > most.length) most = site;
    return this.#last(ofGreediest(most));
  }

  #last(entries: readonly T[]): T | null {
    const [first, ...others] = entries;
    if (first === undefined) return null;
    return others.reduce((worst, each) => (this.#isBehind(each, worst) ? each : worst), first);
  }

  #resize(block: Block<T>, size: number): void {
    this.#bySize.get(block.size)?.delete(block);
    block.size = size;
    const alike = this.#bySize.get(size);
    if (alike !== undefined) alike.add(block);
    // An empty one is forgotten.
    else if (size > 0) this.#bySize.set(size, new Set([block]));
    this.#largest = Math.max(this.#largest, size);
    // It was the only one of its size, and has one less now.
    if (this.#bySize.get(this.#largest)?.size === 0) this.#largest = size;
  }
}

function firstOf<V, R>(values: Iterable<V>, make: (value: V) => R): R | null {
  for (const value of values) return make(value);
  return null;
}

/** Those of the network that has the most. */
function ofGreediest<T extends ClientNetworks>(entries: readonly T[]): readonly T[] {
  const counts = new Map<string, number>();
  for (const { network } of entries) counts.set(network, (counts.get(network) ?? 0) + 1);
  if (counts.size < 2) return entries;
  let greediest = '';
  for (const [each, count] of counts) if (count > (counts.get(greediest) ?? 0)) greediest = each;
  return entries.filter(({ network }) => network === greediest);
}

/**
 * Half of the cache: a table of client addresses, counted in addresses and bytes, in total and by network. A
 * network that has used up its share makes room among its own addresses, so that a stranger who owns many
 * pushes nobody else out.
 */
import NodeCache from 'node-cache';
import { type IpAddress, networkText } from '../core/ip.ts';

export interface Stored<T> {
  readonly value: T;
  readonly expiresAt: number;
  /** An estimate, including what it takes to find the value again. */
  readonly bytes: number;
}

/** What is known about one address: values by name, the least recently used first. */
export interface Held<T> {
  readonly address: string;
  readonly network: string;
  readonly names: Map<string, Stored<T>>;
  bytes: number;
}

/** What the addresses of one network take in total, and the addresses, the least recently used first. */
interface Network<T> {
  readonly held: Set<Held<T>>;
  bytes: number;
}

/**
 * An address without names: its row in node-cache, its map and its place in its network. Measured on Node 20
 * and 24.
 */
export const HELD_BYTES = 800;
/** A name of an address, not counting its characters and the value. */
export const NAME_BYTES = 128;
/** The most addresses of one network: all of an IPv4 /24, and as many of an IPv6 /64. */
const MAX_ADDRESSES = 256;

/** IPv4 networks are /24s, IPv6 networks /64s, the least that one customer has. */
export function networkOf(ip: IpAddress): string {
  return networkText(ip, ip.family === 4 ? 24 : 64);
}

export class Generation<T> {
  // node-cache throws when it is full, and sweeps with a timer that blocks: it gets neither a bound nor
  // times.
  readonly #table = new NodeCache({ useClones: false, checkperiod: 0 });
  readonly #networks = new Map<string, Network<T>>();
  size = 0;
  bytes = 0;

  get(address: string): Held<T> | undefined {
    return this.#table.get<Held<T>>(keyOf(address));
  }

  /** `address` is not in it yet. */
  add(held: Held<T>): void {
    this.#table.set(keyOf(held.address), held);
    const network = this.#networks.get(held.network);
    if (network === undefined) this.#networks.set(held.network, { held: new Set([held]), bytes: held.bytes });
    else {
      network.held.add(held);
      network.bytes += held.bytes;
    }
    this.size++;
    this.bytes += held.bytes;
  }

  remove(held: Held<T>): void {
    if (this.#table.del(keyOf(held.address)) === 0) return;
    const network = this.#networks.get(held.network);
    if (network !== undefined) {
      network.held.delete(held);
      network.bytes -= held.bytes;
      if (network.held.size === 0) this.#networks.delete(held.network);
    }
    this.size--;
    this.bytes -= held.bytes;
  }

  /** Keeps a value under a name that the address does not have. */
  store(held: Held<T>, name: string, stored: Stored<T>): void {
    held.names.set(name, stored);
    this.#grow(held, stored.bytes);
  }

  forget(held: Held<T>, name: string): void {
    const stored = held.names.get(name);
    if (stored === undefined) return;
    held.names.delete(name);
    this.#grow(held, -stored.bytes);
  }

  /** The address was asked for, so others of its network are dropped first. */
  touch(held: Held<T>): void {
    const network = this.#networks.get(held.network);
    if (network === undefined || network.held.size === 1) return;
    network.held.delete(held);
    network.held.add(held);
  }

  /**
   * Drops entries of an address's network until it is within its share: other addresses first, then the
   * address's own names.
   */
  trim(held: Held<T>, share: number): void {
    const network = this.#networks.get(held.network);
    if (network === undefined) return;
    while (network.bytes > share || network.held.size > MAX_ADDRESSES) {
      const [oldest] = network.held;
      if (oldest === undefined) return;
      if (oldest !== held) this.remove(oldest);
      else if (network.held.size > 1) this.touch(held);
      else {
        const [name] = held.names.keys();
        if (name === undefined || held.names.size === 1) return;
        this.forget(held, name);
      }
    }
  }

  #grow(held: Held<T>, bytes: number): void {
    held.bytes += bytes;
    this.bytes += bytes;
    const network = this.#networks.get(held.network);
    if (network !== undefined) network.bytes += bytes;
  }
}

/** node-cache keeps its keys in a plain object: a prefix keeps them apart from `toString` and the like. */
function keyOf(address: string): string {
  return `ip:${address}`;
}

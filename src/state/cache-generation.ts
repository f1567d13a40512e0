/**
 * Half of the cache: a table of client addresses, counted in addresses and bytes, in total and by network. A
 * network that has used up its share makes room among its own addresses, and so does the site and the block
 * that it is part of: a stranger who owns many addresses, or many networks, pushes nobody else out. The more
 * blocks want their whole share, the less each gets, so that it takes very many of them to leave others none.
 */
import NodeCache from 'node-cache';
import { type NetworkKind, networkOf } from '../core/client-networks.ts';
import type { IpAddress } from '../core/ip.ts';

export interface Stored<T> {
  readonly value: T;
  readonly expiresAt: number;
  /** An estimate, including what it takes to find the value again. */
  readonly bytes: number;
}

/** What is known about one address: values by name, the least recently used first. */
export interface Held<T> {
  readonly ip: IpAddress;
  readonly names: Map<string, Stored<T>>;
  bytes: number;
  /** The network that it is counted to, in the generation that it is in. */
  group: Group<T> | null;
}

/** What the addresses of a network, site or block take in total. */
interface Group<T> {
  readonly key: string;
  readonly kind: NetworkKind;
  readonly within: Group<T> | null;
  /** Narrower groups, or addresses in a network; the least recently used first. */
  readonly members: Set<Group<T> | Held<T>>;
  /** Addresses in it. */
  size: number;
  bytes: number;
}

/** What a generation may hold. */
export interface Room {
  readonly addresses: number;
  readonly bytes: number;
}

/**
 * An address without names: its row in node-cache, its map and its place in its network, with a part of what
 * the networks around it take. Measured on Node 20; up to 300 more for an IPv6 address with a block of its
 * own.
 */
export const HELD_BYTES = 1200;
/** A name of an address, not counting its characters and the value. */
export const NAME_BYTES = 128;
/** The most addresses of one network: all of an IPv4 /24, and as many of an IPv6 /64. */
const MAX_ADDRESSES = 256;
/**
 * The part of a generation that a group may have while it is empty otherwise. The default of 64 MiB leaves a
 * network 1 MiB: two hundred usual senders. The large providers of mail send from whole blocks.
 */
export const SHARES: Readonly<Record<NetworkKind, number>> = { network: 1 / 32, site: 1 / 16, block: 1 / 8 };
/**
 * A block may have this part of what is free, as with the places for DNS questions: an eighth of all
 * for one alone,
 */
const BLOCK_OF_FREE = SHARES.block / (1 - SHARES.block);
/** and in any case this part of all: a hundred usual senders, with the default. */
const BLOCK_LEAST = 1 / 64;
const KINDS: Readonly<Record<4 | 6, readonly NetworkKind[]>> = {
  4: ['block', 'network'],
  6: ['block', 'site', 'network'],
};
/** Of this many groups that were not used lately, the largest makes room. */
const LOOKS = 8;

export class Generation<T> {
  // node-cache throws when it is full, and sweeps with a timer that blocks: it gets neither a bound nor
  // times.
  readonly #table = new NodeCache({ useClones: false, checkperiod: 0 });
  readonly #groups = new Map<string, Group<T>>();
  size = 0;
  bytes = 0;

  get(address: string): Held<T> | undefined {
    return this.#table.get<Held<T>>(keyOf(address));
  }

  /** `held` is in no generation. */
  add(held: Held<T>): void {
    this.#table.set(keyOf(held.ip.text), held);
    held.group = this.#groupOf(held.ip);
    held.group.members.add(held);
    this.#count(held, 1, held.bytes);
  }

  remove(held: Held<T>): void {
    if (this.#table.del(keyOf(held.ip.text)) === 0) return;
    this.#count(held, -1, -held.bytes);
    let member: Held<T> | Group<T> = held;
    for (let group = held.group; group !== null; member = group, group = group.within) {
      group.members.delete(member);
      if (group.size > 0) break;
      this.#groups.delete(group.key);
    }
    held.group = null;
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
    let member: Held<T> | Group<T> = held;
    for (let group = held.group; group !== null; member = group, group = group.within) {
      if (group.members.size === 1) continue;
      group.members.delete(member);
      group.members.add(member);
    }
  }

  /**
   * Drops entries of an address's network, site and block until each is within its share: other addresses
   * first, then the address's own names.
   */
  trim(held: Held<T>, room: Room): void {
    this.touch(held);
    for (let group = held.group; group !== null; group = group.within) {
      while (this.#hasTooMuch(group, room)) {
        const victim = victimOf(group, held);
        if (victim !== null) this.remove(victim);
        else {
          const [name] = held.names.keys();
          if (name === undefined || held.names.size === 1) return;
          this.forget(held, name);
        }
      }
    }
  }

  #hasTooMuch({ kind, size, bytes }: Group<T>, room: Room): boolean {
    if (kind !== 'block') return bytes > room.bytes * SHARES[kind] || size > addressesOf(kind, room);
    return bytes > blockShare(room.bytes, this.bytes) || size > blockShare(room.addresses, this.size);
  }

  #groupOf(ip: IpAddress): Group<T> {
    let within: Group<T> | null = null;
    for (const kind of KINDS[ip.family]) {
      const key = networkOf(ip, kind);
      let group: Group<T> | undefined = this.#groups.get(key);
      if (group === undefined) {
        group = { key, kind, within, members: new Set(), size: 0, bytes: 0 };
        this.#groups.set(key, group);
        within?.members.add(group);
      }
      within = group;
    }
    if (within === null) throw new Error('an address without a network');
    return within;
  }

  #grow(held: Held<T>, bytes: number): void {
    held.bytes += bytes;
    this.#count(held, 0, bytes);
  }

  #count({ group: own }: Held<T>, addresses: number, bytes: number): void {
    this.size += addresses;
    this.bytes += bytes;
    for (let group = own; group !== null; group = group.within) {
      group.size += addresses;
      group.bytes += bytes;
    }
  }
}

/** What a block may have, of bytes or addresses; at least one. */
function blockShare(all: number, taken: number): number {
  return Math.max(1, (all - taken) * BLOCK_OF_FREE, all * BLOCK_LEAST);
}

function addressesOf(kind: NetworkKind, { addresses }: Room): number {
  const share = Math.max(1, Math.floor(addresses * SHARES[kind]));
  return kind === 'network' ? Math.min(MAX_ADDRESSES, share) : share;
}

/** Whoever makes room in a group, other than the one just asked for; null if there is nobody else. */
function victimOf<T>(group: Group<T>, spared: Held<T>): Held<T> | null {
  let looked = 0;
  let largest: Group<T> | null = null;
  for (const member of group.members) {
    if ('ip' in member) {
      if (member !== spared) return member;
    } else if (member.size > 1 || !contains(member, spared)) {
      if (largest === null || member.bytes > largest.bytes) largest = member;
      if (++looked === LOOKS) break;
    }
  }
  return largest === null ? null : victimOf(largest, spared);
}

function contains<T>(group: Group<T>, held: Held<T>): boolean {
  return held.group === group || held.group?.within === group;
}

/** node-cache keeps its keys in a plain object: a prefix keeps them apart from `toString` and the like. */
function keyOf(address: string): string {
  return `ip:${address}`;
}

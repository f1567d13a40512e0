/**
 * The table of the cache: client addresses, counted in addresses and bytes, in total and by network. When
 * there is too much, what was not used lately makes room. A network that has used up its share makes room
 * among its own addresses, and so does the site and the block that it is part of: a stranger who owns many
 * addresses, or many networks, pushes nobody else out. The more blocks want their whole share, the less each
 * gets, so that it takes very many of them to leave others none.
 */
import NodeCache from 'node-cache';
import { type NetworkKind, networkOf } from '../core/client-networks.ts';
import type { IpAddress } from '../core/ip.ts';
import { CacheGroup, Held, type Kept, keyOf, type Member, networkOfKey } from './cache-members.ts';
import { link, relink, unlink } from './use-order.ts';

/** What the table may hold. */
export interface Room {
  readonly addresses: number;
  readonly bytes: number;
}

/** What is kept under a name, without what `Packing.pack` tells. */
export const NAME_BYTES = 24;
/** The most addresses of one network: all of an IPv4 /24, and as many of an IPv6 /64. */
const MAX_ADDRESSES = 256;
/**
 * The part of the table that a group may have while it is empty otherwise. The large providers of mail send
 * from whole blocks.
 */
export const SHARES: Readonly<Record<NetworkKind, number>> = { network: 1 / 32, site: 1 / 16, block: 1 / 8 };
/**
 * A block may have this part of what is free (as with the places for DNS questions), which is an eighth of
 * all for one alone,
 */
const BLOCK_OF_FREE = SHARES.block / (1 - SHARES.block);
/** and in any case this part of all: three hundred addresses, with the default. */
const BLOCK_LEAST = 1 / 64;
/** What is around a network, the widest first. */
const AROUND: Readonly<Record<4 | 6, readonly NetworkKind[]>> = { 4: ['block'], 6: ['block', 'site'] };
/** Of this many groups that were not used lately, the largest makes room. */
const LOOKS = 8;

export class CacheTable<P> {
  // node-cache throws when it is full, and sweeps with a timer that blocks: it gets neither a bound nor
  // times.
  readonly #table = new NodeCache({ useClones: false, checkperiod: 0 });
  readonly #groups = new Map<string, CacheGroup<P>>();
  /** By network, the address that it has alone. */
  readonly #alone = new Map<string, Held<P>>();
  readonly #all = new CacheGroup<P>('', 'all', null);

  get size(): number {
    return this.#all.size;
  }

  get bytes(): number {
    return this.#all.bytes;
  }

  get(address: string): Held<P> | undefined {
    return this.#table.get<Held<P>>(keyOf(address));
  }

  /** An address that the table does not have. */
  add(ip: IpAddress): Held<P> {
    const held = new Held<P>(ip);
    this.#table.set(held.key, held);
    const group = this.#groupOf(ip, held);
    held.within = group;
    link(group, held);
    count(group, 1, held.bytes);
    return held;
  }

  #remove(held: Held<P>): void {
    this.#table.del(held.key);
    for (const kept of held.names) kept.release();
    if (held.within !== null) count(held.within, -1, -held.bytes);
    if (held.within?.kind !== 'network') this.#alone.delete(networkOfKey(held.key));
    let member: Member<P> = held;
    for (let group = held.within; group !== null; member = group, group = group.within) {
      unlink(group, member);
      if (group.size > 0 || group.kind === 'all') break;
      this.#groups.delete(group.key);
    }
    held.within = null;
  }

  /** Keeps a value under a name that the address does not have. */
  store(held: Held<P>, kept: Kept<P>): void {
    held.put(kept);
    grow(held, kept.bytes);
  }

  forget(held: Held<P>, kept: Kept<P>): void {
    held.take(kept);
    kept.release();
    grow(held, -kept.bytes);
  }

  /** The address was asked for, so others of its networks are dropped first. */
  touch(held: Held<P>): void {
    let member: Member<P> = held;
    for (let group = held.within; group !== null; member = group, group = group.within) relink(group, member);
  }

  /**
   * Drops names of an address that has more than a network may have, then entries of its network, site and
   * block, and of all, until each is within its share: other addresses first, then the address's own names.
   */
  trim(held: Held<P>, room: Room): void {
    this.touch(held);
    while (held.bytes > room.bytes * SHARES.network && this.#forgetOldest(held));
    for (let group = held.within; group !== null; group = group.within) {
      while (this.#hasTooMuch(group, room)) {
        const victim = victimOf(group, held);
        if (victim !== null) this.#remove(victim);
        // Networks around it may still have others to give up.
        else if (!this.#forgetOldest(held)) break;
      }
    }
  }

  /** Whether there was one: the name that it was given last stays. */
  #forgetOldest(held: Held<P>): boolean {
    const oldest = held.names.at(-1);
    if (oldest === undefined || oldest === held.latest) return false;
    this.forget(held, oldest);
    return true;
  }

  #hasTooMuch({ kind, size, bytes }: CacheGroup<P>, room: Room): boolean {
    if (kind === 'all') return bytes > room.bytes || size > Math.max(1, room.addresses);
    if (kind !== 'block') return bytes > room.bytes * SHARES[kind] || size > addressesOf(kind, room);
    return bytes > blockShare(room.bytes, this.bytes) || size > blockShare(room.addresses, this.size);
  }

  /** The narrowest group that there is for a new address. Makes those around the network, or its own. */
  #groupOf(ip: IpAddress, held: Held<P>): CacheGroup<P> {
    let within = this.#all;
    for (const kind of AROUND[ip.family]) {
      const key = networkOf(ip, kind);
      within = this.#groups.get(key) ?? this.#newGroup(key, kind, within);
    }
    const network = networkOf(ip, 'network');
    const group = this.#groups.get(network);
    if (group !== undefined) return group;
    const alone = this.#alone.get(network);
    if (alone === undefined) {
      this.#alone.set(network, held);
      return within;
    }
    this.#alone.delete(network);
    const made = this.#newGroup(network, 'network', within);
    unlink(within, alone);
    link(made, alone);
    [alone.within, made.size, made.bytes] = [made, 1, alone.bytes];
    return made;
  }

  #newGroup(key: string, kind: NetworkKind, within: CacheGroup<P>): CacheGroup<P> {
    const group = new CacheGroup<P>(key, kind, within);
    this.#groups.set(key, group);
    link(within, group);
    return group;
  }
}

function grow<P>(held: Held<P>, bytes: number): void {
  held.bytes += bytes;
  if (held.within !== null) count(held.within, 0, bytes);
}

function count<P>(own: CacheGroup<P>, addresses: number, bytes: number): void {
  for (let group: CacheGroup<P> | null = own; group !== null; group = group.within) {
    group.size += addresses;
    group.bytes += bytes;
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
function victimOf<P>(group: CacheGroup<P>, spared: Held<P>): Held<P> | null {
  let looked = 0;
  let largest: Held<P> | CacheGroup<P> | null = null;
  for (let member = group.first; member !== null; member = member.after) {
    if (member === spared || !(member instanceof Held || member instanceof CacheGroup)) continue;
    if (member instanceof CacheGroup && member.size === 1 && contains(member, spared)) continue;
    if (group.kind === 'network' || largest === null || member.bytes > largest.bytes) largest = member;
    if (group.kind === 'network' || ++looked === LOOKS) break;
  }
  return largest instanceof CacheGroup ? victimOf(largest, spared) : largest;
}

function contains<P>(group: CacheGroup<P>, held: Held<P>): boolean {
  let around = held.within;
  while (around !== null && around !== group) around = around.within;
  return around !== null;
}

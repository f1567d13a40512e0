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
import { link, type Linked, relink, unlink, type UseOrder } from './use-order.ts';

/**
 * A value that is kept under a name of an address: small, and whole again when it is asked for. It is a link
 * in the chain of these itself, and knows its name by what it is made of, since each object and each string
 * more would be one for every address.
 */
export abstract class Kept<T> {
  /** Milliseconds on the scale of the cache. */
  expiresAt = 0;
  /** An estimate, including what it takes to find the value again. */
  bytes = 0;
  /** What was used next before it, of the same address. */
  next: Kept<T> | null = null;

  abstract isNamed(name: string): boolean;

  /** The value for the address that it belongs to. */
  abstract whole(ip: IpAddress): T;

  /** The cache drops it, once at most. It can still be made whole. */
  abstract release(): void;
}

/** What can be counted to a group. */
class Member<P> implements Linked<Member<P>> {
  before: Member<P> | null = null;
  after: Member<P> | null = null;
  /** Null while it is in no table. */
  within: Group<P> | null = null;
  bytes = 0;
}

/** What is known about one address. */
class Held<P> extends Member<P> {
  /** As the table has it. */
  readonly key: string;
  /** The name used last. A chain, and no array or map: nearly always there is one. */
  latest: Kept<P> | null = null;

  constructor({ family, text }: IpAddress) {
    super();
    this.key = keyOf(text);
    this.bytes = HELD_BYTES[family];
  }

  find(name: string): Kept<P> | null {
    let kept = this.latest;
    while (kept !== null && !kept.isNamed(name)) kept = kept.next;
    return kept;
  }

  /** What is kept under its names, the one used last first. */
  get names(): readonly Kept<P>[] {
    const names = [];
    for (let kept = this.latest; kept !== null; kept = kept.next) names.push(kept);
    return names;
  }

  /** Under a name that it does not have, used just now. */
  put(kept: Kept<P>): void {
    kept.next = this.latest;
    this.latest = kept;
  }

  take(kept: Kept<P>): void {
    if (this.latest === kept) this.latest = kept.next;
    for (let each = this.latest; each !== null; each = each.next)
      if (each.next === kept) each.next = kept.next;
  }
}

/** What the addresses of a network, site or block take in total; or those of the whole table. */
class Group<P> extends Member<P> implements UseOrder<Member<P>> {
  readonly key: string;
  readonly kind: GroupKind;
  /** Of narrower groups, or of addresses in a network. */
  first: Member<P> | null = null;
  last: Member<P> | null = null;
  /** Addresses in it. */
  size = 0;

  constructor(key: string, kind: GroupKind, within: Group<P> | null) {
    super();
    this.key = key;
    this.kind = kind;
    this.within = within;
  }
}

type GroupKind = NetworkKind | 'all';

/** What the table may hold. */
export interface Room {
  readonly addresses: number;
  readonly bytes: number;
}

/**
 * An address without names, by IP version: its row in node-cache and its place in its network, with a part of
 * what the networks around it take. Right to within a half, whether it shares these or not (measured by the
 * test).
 */
export const HELD_BYTES: Readonly<Record<4 | 6, number>> = { 4: 360, 6: 570 };
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
const KINDS: Readonly<Record<4 | 6, readonly NetworkKind[]>> = {
  4: ['block', 'network'],
  6: ['block', 'site', 'network'],
};
/** Of this many groups that were not used lately, the largest makes room. */
const LOOKS = 8;

export class CacheTable<P> {
  // node-cache throws when it is full, and sweeps with a timer that blocks: it gets neither a bound nor
  // times.
  readonly #table = new NodeCache({ useClones: false, checkperiod: 0 });
  readonly #groups = new Map<string, Group<P>>();
  readonly #all = new Group<P>('', 'all', null);

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
    held.within = this.#groupOf(ip);
    link(held.within, held);
    count(held.within, 1, held.bytes);
    return held;
  }

  #remove(held: Held<P>): void {
    this.#table.del(held.key);
    for (const kept of held.names) kept.release();
    if (held.within !== null) count(held.within, -1, -held.bytes);
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
   * Drops entries of an address's network, site and block, and of all, until each is within its share: other
   * addresses first, then the address's own names.
   */
  trim(held: Held<P>, room: Room): void {
    this.touch(held);
    for (let group = held.within; group !== null; group = group.within) {
      while (this.#hasTooMuch(group, room)) {
        const victim = victimOf(group, held);
        if (victim !== null) this.#remove(victim);
        else {
          const oldest = held.names.at(-1);
          // The last that it was given stays; networks around it may still have others to give up.
          if (oldest === undefined || oldest === held.latest) break;
          this.forget(held, oldest);
        }
      }
    }
  }

  #hasTooMuch({ kind, size, bytes }: Group<P>, room: Room): boolean {
    if (kind === 'all') return bytes > room.bytes || size > Math.max(1, room.addresses);
    if (kind !== 'block') return bytes > room.bytes * SHARES[kind] || size > addressesOf(kind, room);
    return bytes > blockShare(room.bytes, this.bytes) || size > blockShare(room.addresses, this.size);
  }

  #groupOf(ip: IpAddress): Group<P> {
    let within = this.#all;
    for (const kind of KINDS[ip.family]) {
      const key = networkOf(ip, kind);
      let group = this.#groups.get(key);
      if (group === undefined) {
        group = new Group<P>(key, kind, within);
        this.#groups.set(key, group);
        link(within, group);
      }
      within = group;
    }
    return within;
  }
}

function grow<P>(held: Held<P>, bytes: number): void {
  held.bytes += bytes;
  if (held.within !== null) count(held.within, 0, bytes);
}

function count<P>(own: Group<P>, addresses: number, bytes: number): void {
  for (let group: Group<P> | null = own; group !== null; group = group.within) {
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
function victimOf<P>(group: Group<P>, spared: Held<P>): Held<P> | null {
  let looked = 0;
  let largest: Group<P> | null = null;
  for (let member = group.first; member !== null; member = member.after) {
    if (member instanceof Held) {
      if (member !== spared) return member as Held<P>;
    } else if (member instanceof Group && (member.size > 1 || !contains(member, spared))) {
      if (largest === null || member.bytes > largest.bytes) largest = member as Group<P>;
      if (++looked === LOOKS) break;
    }
  }
  return largest === null ? null : victimOf(largest, spared);
}

function contains<P>(group: Group<P>, held: Held<P>): boolean {
  let around = held.within;
  while (around !== null && around !== group) around = around.within;
  return around !== null;
}

/** node-cache keeps its keys in a plain object: a prefix keeps them apart from `toString` and the like. */
function keyOf(address: string): string {
  return `ip:${address}`;
}

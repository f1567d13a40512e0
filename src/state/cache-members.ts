/**
 * What the table of the cache is made of: values, the addresses that they are kept for, and the groups that
 * these are counted to.
 */
import { type NetworkKind, networkOf } from '../core/client-networks.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';
import type { Linked, UseOrder } from './use-order.ts';

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

/** What can be counted to a group: an address, or a narrower group. */
export class Member<P> implements Linked<Member<P>> {
  before: Member<P> | null = null;
  after: Member<P> | null = null;
  /** Null while it is in no table. */
  within: CacheGroup<P> | null = null;
  bytes = 0;
}

/** What is known about one address. */
export class Held<P> extends Member<P> {
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

/**
 * What the addresses of a network, site or block take in total; or those of the whole table. A network has
 * one as soon as it has two addresses: most have one, and then the address itself has the network's place in
 * the site or block.
 */
export class CacheGroup<P> extends Member<P> implements UseOrder<Member<P>> {
  readonly key: string;
  readonly kind: CacheGroupKind;
  first: Member<P> | null = null;
  last: Member<P> | null = null;
  /** Addresses in it. */
  size = 0;

  constructor(key: string, kind: CacheGroupKind, within: CacheGroup<P> | null) {
    super();
    this.key = key;
    this.kind = kind;
    this.within = within;
  }
}

type CacheGroupKind = NetworkKind | 'all';

/**
 * An address without names, by IP version: its row in node-cache and its place in its network, with a part of
 * what the networks around it take. Right to within a half, whether it shares these or not (measured by the
 * test).
 */
export const HELD_BYTES: Readonly<Record<4 | 6, number>> = { 4: 320, 6: 570 };

/** node-cache keeps its keys in a plain object: a prefix keeps them apart from `toString` and the like. */
export function keyOf(address: string): string {
  return `ip:${address}`;
}

/** Made when it is wanted: to keep it would be a string more for each address. */
export function networkOfKey(key: string): string {
  const ip = parseIp(key.slice(keyOf('').length));
  return ip === null ? '' : networkOf(ip, 'network');
}

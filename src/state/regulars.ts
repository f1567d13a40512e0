/**
 * Senders that are known by their mail: a client and the name that it gives, with how many messages of theirs
 * were accepted, and on how many days. Strangers fill it, so that it is bounded, and whoever has the most
 * gives up a place first.
 */
import { canonicalName } from '../core/domain.ts';
import { type ClientNetworks, networksOf } from '../core/client-networks.ts';
import { type IpAddress, networkText, parsePrefix } from '../core/ip.ts';
import { Crowds } from './crowds.ts';

export interface RegularsLimit {
  /** Messages that were accepted. */
  readonly messages: number;
  /** Different days (in UTC) on which they came. */
  readonly days: number;
}

/** How many leading bits of an address make a client. */
export interface ClientWidth {
  readonly 4: number;
  readonly 6: number;
}

/** What is known of one client under one name. Days are counted from 1970-01-01. */
export interface Acquaintance {
  /** As `ADDRESS/LENGTH`. */
  readonly client: string;
  /** Canonical. */
  readonly helo: string;
  readonly messages: number;
  readonly days: number;
  readonly firstDay: number;
  readonly lastDay: number;
}

const DAY_MS = 86_400_000;
/** As the tempfail limit: longer than a month, so that what is sent monthly stays known. */
export const KNOWN_DAYS = 35;
/** Some 20 MB. */
export const MAX_ENTRIES = 50_000;
/** The part of them that a block may have, so that the search for a victim stays short too. */
const BLOCK_PART = 8;
export const BLOCK_ENTRIES = MAX_ENTRIES / BLOCK_PART;
/** Longer names are not learned: no host has one. */
const MAX_NAME = 255;

/** A client under a name, with the networks to which it is counted. */
export interface RegularSender extends ClientNetworks, Pick<Acquaintance, 'client' | 'helo'> {
  /** Of both: see `regularName`. */
  readonly name: string;
}

type Known = Pick<Acquaintance, 'messages' | 'days' | 'firstDay' | 'lastDay'>;
type Kept = { -readonly [K in keyof Known]: Known[K] } & RegularSender;

export class Regulars {
  readonly #limit: () => RegularsLimit | null;
  readonly #width: () => ClientWidth;
  readonly #now: () => number;
  readonly #most: number;
  readonly #kept = new Map<string, Kept>();
  readonly #crowds = new Crowds<Kept>(isBehind);
  /** How often something has changed. */
  #changes = 0;

  /**
   * `limit` is null while nobody is to be regular; `now` is Unix time in milliseconds; `most` is for tests.
   */
  constructor(
    limit: () => RegularsLimit | null,
    width: () => ClientWidth,
    now: () => number,
    most = MAX_ENTRIES,
  ) {
    this.#limit = limit;
    this.#width = width;
    this.#now = now;
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Grows with each change, so that it is known whether there is something new to write. */
  get changes(): number {
    return this.#changes;
  }

  has(ip: IpAddress | null, helo: string): boolean {
    const name = ip === null || this.#limit() === null ? null : regularName(ip, helo, this.#width());
    return name !== null && this.hasName(name);
  }

  /** The same by `regularName`. */
  hasName(name: string): boolean {
    const limit = this.#limit();
    const found = this.#kept.get(name);
    return limit !== null && found !== undefined && isRegular(found, limit, this.#today());
  }

  /** A message of theirs was accepted. */
  learn(ip: IpAddress, helo: string): void {
    const sender = this.#limit() === null ? null : regularSender(ip, helo, this.#width());
    if (sender !== null) this.learnOf(sender);
  }

  /** The same for a sender that was made before, of the same width. */
  learnOf(sender: RegularSender): void {
    const today = this.#today();
    const found = this.#kept.get(sender.name);
    this.#changes++;
    if (found === undefined || today - found.lastDay > KNOWN_DAYS) {
      if (found !== undefined) this.#drop(found);
      this.#add(sender, { messages: 1, days: 1, firstDay: today, lastDay: today });
      return;
    }
    found.messages++;
    // A clock that was set back makes no new days.
    if (today <= found.lastDay) return;
    found.days++;
    found.lastDay = today;
  }

  /** What is known of a client under this name; null if nothing is, or nobody is to be regular. */
  known(ip: IpAddress, helo: string): Acquaintance | null {
    return this.#limit() === null ? null : (this.#kept.get(this.#key(ip, canonicalName(helo))) ?? null);
  }

  /** How a client under this name is called here and in lists: `ADDRESS/LENGTH NAME`. */
  nameOf(ip: IpAddress, helo: string): string | null {
    return this.#limit() === null ? null : regularName(ip, helo, this.#width());
  }

  /** What others know of a client, if they know more; a day to come is one of a clock that is ahead. */
  merge(ip: IpAddress, helo: string, told: Known): void {
    const today = this.#today();
    const lastDay = Math.min(told.lastDay, today);
    if (told.lastDay > today + 1 || today - lastDay > KNOWN_DAYS) return;
    const firstDay = Math.min(told.firstDay, lastDay);
    const found = this.known(ip, helo);
    this.#changes++;
    if (found === null) {
      const sender = regularSender(ip, helo, this.#width());
      if (sender !== null) this.#add(sender, { ...told, firstDay, lastDay });
      return;
    }
    const kept = this.#kept.get(keyOf(found.client, found.helo));
    if (kept === undefined) return;
    kept.messages = Math.max(kept.messages, told.messages);
    kept.days = Math.max(kept.days, told.days);
    kept.firstDay = Math.min(kept.firstDay, firstDay);
    kept.lastDay = Math.max(kept.lastDay, lastDay);
  }

  /** All that are still known, in no order. */
  list(): readonly Acquaintance[] {
    const today = this.#today();
    return [...this.#kept.values()]
      .filter(({ lastDay }) => today - lastDay <= KNOWN_DAYS)
      .map(({ client, helo, messages, days, firstDay, lastDay }) => ({
        client,
        helo,
        messages,
        days,
        firstDay,
        lastDay,
      }));
  }

  /** Takes what was known before a restart; what cannot be, such as a day to come, is left out. */
  restore(known: readonly Acquaintance[]): void {
    const today = this.#today();
    for (const each of known) {
      const prefix = parsePrefix(each.client);
      if (prefix === null || each.lastDay > today || today - each.lastDay > KNOWN_DAYS) continue;
      const name = keyOf(each.client, each.helo);
      if (!this.#kept.has(name)) this.#add({ ...each, ...networksOf(prefix.address), name }, each);
    }
  }

  /** Nobody is known. */
  forget(): void {
    this.#kept.clear();
    this.#crowds.clear();
    this.#changes++;
  }

  #today(): number {
    return Math.floor(this.#now() / DAY_MS);
  }

  #key(ip: IpAddress, name: string): string {
    return keyOf(networkText(ip, this.#width()[ip.family]), name);
  }

  #add(sender: RegularSender, { messages, days, firstDay, lastDay }: Known): void {
    const { name, client, helo, network, site, block } = sender;
    const isCrowded = this.#crowds.sizeOf(block) >= this.#most / BLOCK_PART;
    const isFull = this.#kept.size >= this.#most;
    const victim = isCrowded ? this.#crowds.victimOf(block) : isFull ? this.#crowds.victim() : null;
    if (victim !== null) this.#drop(victim);
    const kept = { name, client, helo, network, site, block, messages, days, firstDay, lastDay };
    this.#kept.set(name, kept);
    this.#crowds.add(kept);
  }

  #drop(kept: Kept): void {
    this.#kept.delete(kept.name);
    this.#crowds.delete(kept);
  }
}

/**
 * How a client is called under this name, which is null if the name is not learned: `ADDRESS/LENGTH NAME`.
 */
export function regularName(ip: IpAddress, helo: string, width: ClientWidth): string | null {
  const isLearned = helo !== '' && helo.length <= MAX_NAME;
  return isLearned ? keyOf(networkText(ip, width[ip.family]), canonicalName(helo)) : null;
}

/** Null if the name is not learned. */
export function regularSender(ip: IpAddress, helo: string, width: ClientWidth): RegularSender | null {
  if (helo === '' || helo.length > MAX_NAME) return null;
  const client = networkText(ip, width[ip.family]);
  const canonical = canonicalName(helo);
  return { client, helo: canonical, name: keyOf(client, canonical), ...networksOf(ip) };
}

export function isRegular(
  { messages, days, lastDay }: Acquaintance,
  limit: RegularsLimit,
  today: number,
): boolean {
  return messages >= limit.messages && days >= limit.days && today - lastDay <= KNOWN_DAYS;
}

/** Neither has a blank in it that the other could end with: the first is an address. */
function keyOf(client: string, helo: string): string {
  return `${client} ${helo}`;
}

/** Whether one is known less than the other; of equals it is the one seen longest ago. */
function isBehind(a: Kept, b: Kept): boolean {
  if (a.days !== b.days) return a.days < b.days;
  return a.messages === b.messages ? a.lastDay < b.lastDay : a.messages < b.messages;
}

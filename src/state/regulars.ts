/**
 * Senders that are known by their mail: a client and the name that it gives, with how many messages of theirs
 * were accepted, and on how many days. Strangers fill it, so that it is bounded, and whoever has the most
 * gives up a place first.
 */
import { canonicalName } from '../core/domain.ts';
import { type ClientNetworks, networksOf } from '../core/client-networks.ts';
import { type IpAddress, networkText, parsePrefix } from '../core/ip.ts';

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
const MAX_ENTRIES = 50_000;
/** Longer names are not learned: no host has one. */
const MAX_NAME = 255;

/** With the networks to which it is counted. */
type Kept = { -readonly [K in keyof Acquaintance]: Acquaintance[K] } & ClientNetworks;

export class Regulars {
  readonly #limit: () => RegularsLimit | null;
  readonly #width: () => ClientWidth;
  readonly #now: () => number;
  readonly #most: number;
  readonly #kept = new Map<string, Kept>();
  /** The same entries by block. */
  readonly #blocks = new Map<string, Set<Kept>>();
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
    const limit = this.#limit();
    if (limit === null || ip === null) return false;
    const found = this.#kept.get(this.#key(ip, canonicalName(helo)));
    return found !== undefined && isRegular(found, limit, this.#today());
  }

  /** A message of theirs was accepted. */
  learn(ip: IpAddress, helo: string): void {
    if (this.#limit() === null || helo === '' || helo.length > MAX_NAME) return;
    const name = canonicalName(helo);
    const today = this.#today();
    const found = this.#kept.get(this.#key(ip, name));
    this.#changes++;
    if (found === undefined || today - found.lastDay > KNOWN_DAYS) {
      if (found !== undefined) this.#drop(found);
      const client = networkText(ip, this.#width()[ip.family]);
      this.#add({ client, helo: name, messages: 1, days: 1, firstDay: today, lastDay: today }, ip);
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
    const isLearned = this.#limit() !== null && helo !== '' && helo.length <= MAX_NAME;
    return isLearned ? this.#key(ip, canonicalName(helo)) : null;
  }

  /** What others know of a client, if they know more; a day to come is one of a clock that is ahead. */
  merge(
    ip: IpAddress,
    helo: string,
    told: Pick<Acquaintance, 'messages' | 'days' | 'firstDay' | 'lastDay'>,
  ): void {
    const today = this.#today();
    const lastDay = Math.min(told.lastDay, today);
    if (told.lastDay > today + 1 || today - lastDay > KNOWN_DAYS) return;
    const firstDay = Math.min(told.firstDay, lastDay);
    const found = this.known(ip, helo);
    this.#changes++;
    if (found === null) {
      const client = networkText(ip, this.#width()[ip.family]);
      this.#add({ ...told, client, helo: canonicalName(helo), firstDay, lastDay }, ip);
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
      if (!this.#kept.has(keyOf(each.client, each.helo))) this.#add(each, prefix.address);
    }
  }

  #today(): number {
    return Math.floor(this.#now() / DAY_MS);
  }

  #key(ip: IpAddress, name: string): string {
    return keyOf(networkText(ip, this.#width()[ip.family]), name);
  }

  #add(known: Acquaintance, ip: IpAddress): void {
    const networks = networksOf(ip);
    const { block } = networks;
    const own = this.#blocks.get(block);
    // No block has more than an eighth, so that the search for a victim stays short too.
    if (own !== undefined && own.size >= this.#most / 8) this.#drop(victimOf(own));
    else if (this.#kept.size >= this.#most) this.#drop(victimOf(this.#largest()));
    const kept = { ...known, ...networks };
    this.#kept.set(keyOf(kept.client, kept.helo), kept);
    const entries = this.#blocks.get(block);
    if (entries === undefined) this.#blocks.set(block, new Set([kept]));
    else entries.add(kept);
  }

  /** Where every block has one entry only, that of the one known least. */
  #largest(): ReadonlySet<Kept> {
    let largest: ReadonlySet<Kept> = new Set();
    for (const entries of this.#blocks.values()) {
      const isTie = entries.size === 1 && largest.size === 1;
      if (entries.size > largest.size || (isTie && isLessKnown(entries, largest))) largest = entries;
    }
    return largest;
  }

  #drop(kept: Kept): void {
    this.#kept.delete(keyOf(kept.client, kept.helo));
    const entries = this.#blocks.get(kept.block);
    entries?.delete(kept);
    if (entries?.size === 0) this.#blocks.delete(kept.block);
  }
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

/**
 * Of the site with the most, and in that of the network with the most, the one that is known least and was
 * seen longest ago.
 */
function victimOf(entries: ReadonlySet<Kept>): Kept {
  const ofSite = most([...entries], 'site');
  return most(ofSite, 'network').reduce((worst, each) => (isBehind(each, worst) ? each : worst));
}

function isLessKnown([a]: Iterable<Kept>, [b]: Iterable<Kept>): boolean {
  return a !== undefined && b !== undefined && isBehind(a, b);
}

/** Whether one is known less than the other; of equals it is the one seen longest ago. */
function isBehind(a: Kept, b: Kept): boolean {
  if (a.days !== b.days) return a.days < b.days;
  return a.messages === b.messages ? a.lastDay < b.lastDay : a.messages < b.messages;
}

function most(entries: readonly Kept[], owner: 'site' | 'network'): readonly Kept[] {
  const counts = new Map<string, number>();
  for (const each of entries) counts.set(each[owner], (counts.get(each[owner]) ?? 0) + 1);
  let greediest = '';
  for (const [each, count] of counts) if (count > (counts.get(greediest) ?? 0)) greediest = each;
  return entries.filter((each) => each[owner] === greediest);
}

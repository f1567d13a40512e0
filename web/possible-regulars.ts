/** Clients that may become known by their mail, as `state/regulars.ts` counts them. */
import type { IpAddress } from '../src/core/ip.ts';
import {
  type ClientWidth,
  MAX_ENTRIES,
  BLOCK_ENTRIES,
  type RegularSender,
  type RegularsLimit,
  regularSender,
} from '../src/state/regulars.ts';

const DAY_MS = 86_400_000;

/** What has come from a client under a name. */
interface Traffic {
  readonly sender: RegularSender;
  decisions: number;
  days: number;
  /** Counted from 1970-01-01. */
  lastDay: number;
}

export class PossibleRegulars {
  readonly #limit: RegularsLimit;
  readonly #width: ClientWidth;
  readonly #known = new Map<string, Traffic>();
  /** How many of them are in each block. */
  readonly #blocks = new Map<string, number>();
  /** The one of each decision. */
  readonly #of: (Traffic | null)[] = [];
  #isFull = false;

  constructor(limit: RegularsLimit, width: ClientWidth) {
    this.#limit = limit;
    this.#width = width;
  }

  /**
   * Whether there are more of these than the table holds: then it matters who is learned, and when.
   */
  overflows(places: readonly (readonly number[])[]): boolean {
    if (!this.#isFull) return false;
    const blocks = new Map<string, number>();
    const seen = new Set<RegularSender>();
    for (const group of places) {
      for (const place of group) {
        const sender = this.senderOf(place);
        if (sender === null || seen.has(sender)) continue;
        seen.add(sender);
        const inBlock = (blocks.get(sender.block) ?? 0) + 1;
        if (inBlock > BLOCK_ENTRIES || seen.size > MAX_ENTRIES) return true;
        blocks.set(sender.block, inBlock);
      }
    }
    return false;
  }

  /** Takes the next decision. The times are never less than those before. */
  add(ip: IpAddress | null, helo: string, time: number): void {
    const found = ip === null ? null : this.#find(ip, helo);
    this.#of.push(found);
    if (found === null) return;
    found.decisions++;
    const day = Math.floor(time / DAY_MS);
    if (day > found.lastDay) found.days++;
    found.lastDay = day;
  }

  /** Whether its client might be known by then. */
  mayBeRegular(place: number): boolean {
    const found = this.#of[place] ?? null;
    if (found === null) return false;
    const { messages, days } = this.#limit;
    return found.decisions > messages && found.days >= days;
  }

  /** As `state/regulars.ts` knows it; null if it never does. */
  senderOf(place: number): RegularSender | null {
    return this.#of[place]?.sender ?? null;
  }

  #find(ip: IpAddress, helo: string): Traffic | null {
    const sender = regularSender(ip, helo, this.#width);
    if (sender === null) return null;
    let found = this.#known.get(sender.name);
    if (found === undefined) {
      this.#known.set(sender.name, (found = { sender, decisions: 0, days: 0, lastDay: -1 }));
      const inBlock = (this.#blocks.get(sender.block) ?? 0) + 1;
      this.#blocks.set(sender.block, inBlock);
      this.#isFull ||= this.#known.size > MAX_ENTRIES || inBlock > BLOCK_ENTRIES;
    }
    return found;
  }
}

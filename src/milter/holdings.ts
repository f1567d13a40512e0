/** One bound on what all connections of a server together keep in memory, whoever they are. */

export interface Holder {
  /** Bytes, as noted last. */
  held: number;
  /** Since when it has held more than an ordinary amount, on the scale of `now`; null while it does not. */
  swollenAt: number | null;
  /** Gives up all that it holds. */
  turnAway(): void;
}

/**
 * The very most that an MTA's connection keeps between packets: macros, HELO name, sender. Anything more is
 * half a packet, which an honest peer completes in a moment, or replies that it is about to read.
 */
export const ORDINARY = 4096;

export class Holdings {
  readonly #max: number;
  readonly #holders: Iterable<Holder>;
  readonly #now: () => number;
  #total = 0;

  constructor(max: number, holders: Iterable<Holder>, now: () => number) {
    this.#max = max;
    this.#holders = holders;
    this.#now = now;
  }

  /** Bytes held by all. */
  get total(): number {
    return this.#total;
  }

  /**
   * To be called whenever the amount may have changed. Turns others away, or this one, until the bound is
   * kept.
   */
  note(holder: Holder, bytes: number): void {
    if (bytes === holder.held) return;
    this.#total += bytes - holder.held;
    holder.held = bytes;
    if (bytes <= ORDINARY) holder.swollenAt = null;
    else holder.swollenAt ??= this.#now();
    // Once this holder itself is gone, the bound is kept, as it was before.
    while (this.#total > this.#max) if (this.#shed(holder) === holder) break;
  }

  /** The holder holds nothing any more. */
  forget(holder: Holder): void {
    this.#total -= holder.held;
    holder.held = 0;
    holder.swollenAt = null;
  }

  /**
   * Picks the holder that has held the most for the longest: half a packet of an honest peer is only a few
   * milliseconds old. If all hold no more than an ordinary amount, it is the one that came last.
   */
  #shed(last: Holder): Holder {
    const now = this.#now();
    let most = 0;
    let chosen = last;
    for (const holder of this.#holders) {
      if (holder.swollenAt === null) continue;
      const weight = (holder.held - ORDINARY) * (now - holder.swollenAt + 1);
      if (weight <= most) continue;
      most = weight;
      chosen = holder;
    }
    chosen.turnAway();
    this.forget(chosen);
    return chosen;
  }
}

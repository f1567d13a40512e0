/** Of which client networks the questions fail lately: the suspicion that DNS is out of order, and no proof of it. */

/** The networks heard of within this time count, in milliseconds; */
const RECENT_MS = 4_000;
/** at least so many of the last, */
const LAST_FEW = 8;
/** but none that was heard of longer ago than this. */
const OLD_MS = 120_000;
/** More tell nothing new. */
const MAX_NETWORKS = 1_000;
/** Suspicious is this part of them, and two where there are others: what happens to one is its own affair. */
const SHARE = 0.25;
const MIN_FAILING = 2;
/** How much the last question of a network weighs against those before it. */
const WEIGHT = 0.25;

interface Heard {
  /** The part of its questions that fail, the last ones above all. */
  failing: number;
  at: number;
}

export class SuspectNetworks {
  readonly #now: () => number;
  /** In the order in which they were heard of last. */
  readonly #heard = new Map<string, Heard>();

  /** `now` is in milliseconds on a steady scale. */
  constructor(now: () => number) {
    this.#now = now;
  }

  note(network: string, answered: boolean): void {
    const now = this.#now();
    const before = this.#heard.get(network);
    this.#heard.delete(network);
    const failed = answered ? 0 : 1;
    const failing =
      before === undefined || now - before.at > RECENT_MS
        ? failed
        : before.failing + (failed - before.failing) * WEIGHT;
    this.#heard.set(network, { failing, at: now });
    if (this.#heard.size <= MAX_NETWORKS) return;
    const [oldest] = this.#heard.keys();
    if (oldest !== undefined) this.#heard.delete(oldest);
  }

  get suspicious(): boolean {
    const { failing, networks } = this.count();
    return failing >= Math.min(MIN_FAILING, networks) && failing > 0 && failing >= networks * SHARE;
  }

  /** The networks that count, and those of them of whose last questions half or more failed. */
  count(): { readonly failing: number; readonly networks: number } {
    const now = this.#now();
    let failing = 0;
    let networks = 0;
    for (const { failing: part, at } of [...this.#heard.values()].reverse()) {
      const age = now - at;
      if (age > OLD_MS || (age > RECENT_MS && networks >= LAST_FEW)) break;
      networks++;
      if (part >= 0.5) failing++;
    }
    return { failing, networks };
  }
}

/**
 * The client networks whose questions have lately failed: a suspicion that DNS is out of order, not a proof.
 */

/** A network counts if it was heard of within this time, in milliseconds, */
const RECENT_MS = 4_000;
/** or is among the last ones, this many, */
const LAST_FEW = 8;
/** unless even these were heard of longer ago than this, in milliseconds. */
const OLD_MS = 120_000;
/** Networks kept; more would say nothing new. */
const MAX_NETWORKS = 1_000;
/** This part of them is suspicious, if it is at least two: the trouble of one may be its own. */
const SHARE = 0.25;
const MIN_FAILING = 2;
/** How much a network's last question weighs compared with those before it. */
const WEIGHT = 0.25;

interface Heard {
  /** The share of its questions that fail, recent ones weighing more. */
  failing: number;
  at: number;
}

export class SuspectNetworks {
  readonly #now: () => number;
  /** Those heard of longest ago come first. */
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

  /** The number of networks that count, and of those for which half or more of the last questions failed. */
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

/**
 * Whether the service can do all of its work now. Mail passes either way: without DNS nothing that rests on
 * it is refused, which is what somebody who watches wants to know.
 */
import type { Resolver } from '../core/resolver.ts';

export interface ReadinessOptions {
  /** Where the probe goes; `lastHeard` must see its answers. */
  readonly resolver: Resolver;
  /** When DNS last answered and last failed to, on the scale of `now`. */
  readonly lastHeard: () => { readonly answeredAt: number; readonly failedAt: number };
  /** The outage brake is on. */
  readonly isDnsIll: () => boolean;
  /** There are more DNS questions than we ask at a time. */
  readonly overloaded: () => boolean;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

/** An answer to mail's own questions within this time is proof enough. */
const RECENT_MS = 10_000;
/** However often the page is requested, DNS is probed no more often than this. */
const PROBE_EVERY_MS = 5_000;
/** A health check does not wait longer. */
const PROBE_TIMEOUT_MS = 2_000;
/** In the cache of every resolver that serves a mail server, since each reverse look-up passes through it. */
const PROBE = { name: 'arpa', type: 'NS' } as const;

export class Readiness {
  readonly #options: ReadinessOptions;
  #stopping = false;
  #probed: Promise<string | null> = Promise.resolve(null);
  #probeAgainAt = -Infinity;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** From now on the answer is no. */
  stop(): void {
    this.#stopping = true;
  }

  /** Null for yes, else why not, in one line. */
  async obstacle(): Promise<string | null> {
    if (this.#stopping) return 'stopping: no new sessions are taken';
    const silence = this.#hasAnswered() ? null : await this.#probe();
    if (this.#options.isDnsIll()) {
      return 'dns: the resolver is out of order, so nothing that rests on DNS is refused (outage brake)';
    }
    if (silence === null && this.#options.overloaded()) {
      return 'dns: more is asked at once than we ask, so some verdicts rest on less (overload)';
    }
    return silence === null ? null : `dns: ${silence}`;
  }

  #hasAnswered(): boolean {
    const { answeredAt, failedAt } = this.#options.lastHeard();
    return answeredAt > failedAt && this.#options.now() - answeredAt < RECENT_MS;
  }

  #probe(): Promise<string | null> {
    const now = this.#options.now();
    if (now >= this.#probeAgainAt) {
      this.#probeAgainAt = now + PROBE_EVERY_MS;
      this.#probed = this.#ask();
    }
    return this.#probed;
  }

  async #ask(): Promise<string | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, PROBE_TIMEOUT_MS, null);
    });
    const answer = await Promise.race([this.#options.resolver.lookup(PROBE.name, PROBE.type), late]);
    clearTimeout(timer);
    if (answer === null) return `no answer within ${PROBE_TIMEOUT_MS / 1000} s`;
    return answer.status === 'temperror' ? `the resolver does not answer (${answer.detail})` : null;
  }
}

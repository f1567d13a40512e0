/**
 * Assessments of many (client, HELO) pairs that nobody waits for: each pair is looked up once, at a rate that
 * the resolver does not notice beside its other work. Those made are kept, the least recently used go when
 * they take too much memory.
 */
import { assess, type OnCheckError } from '../core/assess.ts';
import type { Assessment } from '../core/assessment.ts';
import type { Check } from '../core/check.ts';
import type { Client } from '../core/client.ts';
import { networksOf } from '../core/client-networks.ts';
import { Asker, type SharedResolver } from '../dns/asker.ts';
import { withDeadline } from '../dns/deadline.ts';
import { assessmentBytes } from '../state/assessment-size.ts';

export interface Pace {
  /** Pairs looked up a second, at most; a pair is some ten questions. */
  readonly perSecond: number;
  /** Of them under way at a time. */
  readonly maxInFlight: number;
  /** Bytes that the assessments kept may take. */
  readonly maxBytes: number;
}

export interface PacedOptions extends Pace {
  readonly resolver: SharedResolver;
  readonly checks: readonly Check[];
  /** Milliseconds that one assessment may take. */
  readonly deadlineMs: number;
  readonly onCheckError: OnCheckError;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
}

interface Kept {
  readonly pending: Promise<Assessment>;
  bytes: number;
}

export class PacedAssessments {
  readonly #options: PacedOptions;
  /** By client and name, the least recently used first. */
  readonly #kept = new Map<string, Kept>();
  readonly #askers = new Set<Asker>();
  readonly #inFlight = new Set<Promise<unknown>>();
  #bytes = 0;
  /** When the next look-up may begin. */
  #nextAt = -Infinity;
  /** Look-ups begun. */
  lookups = 0;

  constructor(options: PacedOptions) {
    this.#options = options;
  }

  /**
   * Waits until the look-up may begin, and resolves to what gives its result, which may take longer. One
   * caller at a time: whoever calls again before it has an answer would overtake the pace.
   */
  async want(client: Client): Promise<() => Promise<Assessment>> {
    const key = `${client.ip?.text ?? ''} ${client.helo.text.toLowerCase()}`;
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return () => known.pending;
    }
    await this.#turn();
    this.lookups++;
    const pending = this.#assess(client);
    const kept: Kept = { pending, bytes: 0 };
    this.#kept.set(key, kept);
    this.#inFlight.add(pending);
    void pending
      .then((assessment) => {
        if (this.#kept.get(key) === kept) this.#grow(kept, assessmentBytes(assessment));
      })
      .catch(() => this.#kept.delete(key))
      .finally(() => this.#inFlight.delete(pending));
    return () => pending;
  }

  /** Takes back all questions under way, so that nothing keeps the process alive. */
  close(): void {
    for (const asker of this.#askers) asker.end('dropped');
  }

  async #turn(): Promise<void> {
    const { perSecond, maxInFlight, now } = this.#options;
    while (this.#inFlight.size >= maxInFlight) await Promise.race(this.#inFlight).catch(() => undefined);
    const wait = this.#nextAt - now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    this.#nextAt = Math.max(this.#nextAt, now()) + 1000 / perSecond;
  }

  async #assess(client: Client): Promise<Assessment> {
    const { resolver, checks, deadlineMs, onCheckError } = this.#options;
    const asker = new Asker(networksOf(client.ip));
    const bounded = withDeadline(resolver, deadlineMs, asker);
    this.#askers.add(asker);
    try {
      return await assess(client, { resolver: bounded.resolver, checks, onCheckError });
    } finally {
      bounded.done();
      this.#askers.delete(asker);
    }
  }

  #grow(kept: Kept, bytes: number): void {
    kept.bytes = bytes;
    this.#bytes += bytes;
    for (const [key, oldest] of this.#kept) {
      if (this.#bytes <= this.#options.maxBytes) return;
      // One that is under way has no size yet, and somebody waits for it.
      if (oldest.bytes === 0) continue;
      this.#kept.delete(key);
      this.#bytes -= oldest.bytes;
    }
  }
}

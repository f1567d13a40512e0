/**
 * What is kept while a session goes on. The lines of several sessions are mixed in a log, so that the lines
 * of one need not follow each other. No line says that a session has ended, so it is forgotten after a while.
 */

/** Milliseconds after its last record for which a session is taken to go on. */
const LIFE_MS = 3_600_000;
/** More than a page has decisions; beyond it, those whose last record came first are forgotten. */
const MAX_SESSIONS = 200_000;

interface Kept<T> {
  readonly value: T;
  readonly time: number;
}

/** Values by session, or by any other name that is used for no longer than a session lasts. */
export class UnderWay<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #most: number;

  /** `most` is for tests. */
  constructor(most = MAX_SESSIONS) {
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Null if nothing is known. `now` never goes back; Unix time in milliseconds. */
  get(session: string, now: number): T | null {
    const found = this.#kept.get(session);
    return found === undefined || now - found.time > LIFE_MS ? null : found.value;
  }

  set(session: string, value: T, now: number): void {
    this.#kept.delete(session);
    this.#kept.set(session, { value, time: now });
    for (const [oldest, { time }] of this.#kept) {
      if (now - time <= LIFE_MS && this.#kept.size <= this.#most) return;
      this.#kept.delete(oldest);
    }
  }

  clear(): void {
    this.#kept.clear();
  }
}

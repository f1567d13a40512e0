/**
 * Keeps a fault that comes a thousand times a second from filling the log: after the first time it is only
 * counted, and the count is reported now and then. Bounded, whatever the faults say.
 */

/** Milliseconds between two lines of the same text. */
export const REPEAT_MS = 10_000;
/** Texts told apart at a time; beyond that, events of one name count as the same. */
const MAX_TEXTS = 100;

export class Repeats {
  /** How often each text has come since it was last reported. */
  readonly #counts = new Map<string, { count: number; readonly tell: (count: number) => void }>();
  #timer: NodeJS.Timeout | null = null;

  /** Calls `tell` with 0 for a new text, and later with how often it came again. */
  note(event: string, text: string, tell: (count: number) => void): void {
    const full = this.#counts.size >= MAX_TEXTS && !this.#counts.has(text);
    const key = full ? event : text;
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    this.#counts.set(key, { count: 0, tell });
    this.#timer ??= setTimeout(() => {
      this.#turn();
    }, REPEAT_MS).unref();
    tell(0);
  }

  /** Reports the counts, now. */
  flush(): void {
    for (const entry of this.#counts.values()) {
      if (entry.count > 0) entry.tell(entry.count);
      entry.count = 0;
    }
  }

  #turn(): void {
    for (const [key, { count }] of this.#counts) if (count === 0) this.#counts.delete(key);
    this.flush();
    this.#timer = null;
    if (this.#counts.size > 0) {
      this.#timer = setTimeout(() => {
        this.#turn();
      }, REPEAT_MS).unref();
    }
  }
}

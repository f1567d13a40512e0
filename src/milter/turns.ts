/**
 * Turns for those who have more to do than one portion: between two of them everybody else is served. A connection with little
 * to do never comes here.
 */
import { performance } from 'node:perf_hooks';

export interface Worker {
  /** Does one portion; asks for another turn itself. */
  proceed(): void;
}

/** Milliseconds of such work in a row before the event loop looks for what has arrived meanwhile. */
const STRETCH_MS = 2;

export class Turns {
  /** In the order in which they asked: a set hands out what is added while it is walked, after all others. */
  readonly #queue = new Set<Worker>();
  #scheduled = false;
  readonly #onTurn = (): void => {
    this.#scheduled = false;
    const until = performance.now() + STRETCH_MS;
    for (const worker of this.#queue) {
      this.#queue.delete(worker);
      worker.proceed();
      if (performance.now() >= until) break;
    }
    if (this.#queue.size > 0) this.#schedule();
  };

  ask(worker: Worker): void {
    this.#queue.add(worker);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#onTurn);
  }
}

/**
 * Turns for connections with more to do than one portion: between two turns everybody else is served. A
 * connection with little to do never comes here.
 */
import { performance } from 'node:perf_hooks';

export interface Worker {
  /** Does one portion; asks for another turn itself if there is more. */
  proceed(): void;
}

/** Milliseconds of such work in a row before the event loop looks for what has arrived in the meantime. */
const STRETCH_MS = 2;

export class Turns {
  /**
   * In the order in which they asked: iterating over a set includes, after all others, what is added
   * meanwhile.
   */
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

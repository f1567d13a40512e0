/**
 * Forgetting without a sweep: what is new goes into the young generation; when that is full or its time is
 * up, it becomes the old one, and what was old is forgotten as a whole.
 */
export class Generations<G> {
  readonly #make: () => G;
  #young: G;
  #old: G;

  constructor(make: () => G) {
    this.#make = make;
    this.#young = make();
    this.#old = make();
  }

  get young(): G {
    return this.#young;
  }

  get old(): G {
    return this.#old;
  }

  /** The young generation grows old, or is forgotten too if it is not worth keeping. */
  turn(keep: boolean): void {
    this.#old = keep ? this.#young : this.#make();
    this.#young = this.#make();
  }

  clear(): void {
    this.turn(false);
  }
}

/**
 * The open connections of a server. V8 keeps the tables that a Set has given up, with whatever is in them,
 * until it collects its old generation; with thousands of connections a second each would then outlive its
 * end by seconds, and all of its session with it.
 */
export interface Placed {
  /** Where it is in the list; belongs to the list. */
  place: number;
}

export class OpenLinks<L extends Placed> implements Iterable<L> {
  readonly #links: L[] = [];

  get size(): number {
    return this.#links.length;
  }

  /** Takes one that is not in it. */
  add(link: L): void {
    link.place = this.#links.length;
    this.#links.push(link);
  }

  /** The last one takes the place of the one that goes. One that is not in it changes nothing. */
  delete(link: L): void {
    if (this.#links[link.place] !== link) return;
    const last = this.#links.pop();
    if (last === undefined || last === link) return;
    this.#links[link.place] = last;
    last.place = link.place;
  }

  /** Backwards, so that whoever is visited may go meanwhile, and nobody is left out. */
  *[Symbol.iterator](): Generator<L> {
    for (let i = this.#links.length - 1; i >= 0; i--) {
      const link = this.#links[i];
      if (link !== undefined) yield link;
    }
  }
}

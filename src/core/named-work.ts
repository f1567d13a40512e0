/**
 * What is under way, by a text: comes and goes thousands of times a second. Not a Map, since each table that
 * V8 discards refers to the next and stays until a full collection, with whatever was in it at that time: a
 * question that was long answered would outlive several small collections. A dictionary of V8's has no such
 * chain. A text may be anything: there is no prototype that it could name.
 */
export class NamedWork<T> {
  readonly #table = Object.create(null) as Record<string, T | undefined>;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    return this.#table[key];
  }

  set(key: string, value: T): void {
    if (this.#table[key] === undefined) this.#size++;
    this.#table[key] = value;
  }

  delete(key: string): void {
    if (this.#table[key] === undefined) return;
    this.#size--;
    Reflect.deleteProperty(this.#table, key);
  }

  /** What is under way is no longer found. */
  clear(): void {
    for (const key of Object.keys(this.#table)) this.delete(key);
  }
}

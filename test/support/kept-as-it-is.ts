/** A packing that keeps values as they are. */
import type { Packing } from '../../src/state/cache.ts';
import { Kept } from '../../src/state/cache-members.ts';

class AsItIs<T> extends Kept<T> {
  readonly #value: T;
  #name: string | null = null;

  constructor(value: T) {
    super();
    this.#value = value;
  }

  /** By the name under which the cache first looks for it, when it is stored. */
  override isNamed(name: string): boolean {
    this.#name ??= name;
    return this.#name === name;
  }

  override whole(): T {
    return this.#value;
  }

  override release(): void {
    // Nothing is shared.
  }
}

export function keptAsItIs<T>(sizeOf: (value: T) => number): Packing<T> {
  return {
    pack: (value) => ({ packed: new AsItIs(value), bytes: sizeOf(value) }),
    bytes: 0,
    clear: () => undefined,
  };
}

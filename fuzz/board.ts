/**
 * Where a hunt shows the input that it is about to try, for another thread to see: if that input never ends, or
 * takes the whole heap, nobody else could tell which it was.
 */

/** Larger inputs are cut. The mutator makes none above 70,000 octets. */
const MAX_INPUT = 1 << 18;
const [COUNT, LENGTH, STOP] = [0, 1, 2];
const HEAD = 3;

export class Board {
  readonly memory: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  /** Without memory of another board, one of its own. */
  constructor(memory = new SharedArrayBuffer(HEAD * 4 + MAX_INPUT)) {
    this.memory = memory;
    this.#head = new Int32Array(memory, 0, HEAD);
    this.#bytes = new Uint8Array(memory, HEAD * 4);
  }

  show(input: Buffer): void {
    const shown = input.subarray(0, MAX_INPUT);
    this.#bytes.set(shown);
    Atomics.store(this.#head, LENGTH, shown.length);
    Atomics.add(this.#head, COUNT, 1);
  }

  /** Another one means another input. */
  get count(): number {
    return Atomics.load(this.#head, COUNT);
  }

  get input(): Buffer {
    return Buffer.from(this.#bytes.slice(0, Atomics.load(this.#head, LENGTH)));
  }

  /** Asks the hunt to end after the batch it is in. */
  stop(): void {
    Atomics.store(this.#head, STOP, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.#head, STOP) === 1;
  }
}

/**
 * Lines on their way out: collected for a twentieth of a second and written together, so that no reply waits
 * for the log and a busy hour costs few system calls. One write is under way at a time; what waits for a slow
 * reader is bounded, and lost lines are counted.
 */

/**
 * Writes what has been collected. `done` is called once, possibly at once, when it is written or cannot be;
 * until then the bytes do not change. With an error it may say how many lines were written before.
 */
export type Put = (bytes: Buffer, done: (error: Error | null, left?: number) => void) => void;

export interface LineBufferOptions {
  readonly put: Put;
  /** Octets that may wait behind a write under way; 4 MiB by default. */
  readonly maxWaiting?: number;
  /** Called once when lines begin to be lost, with the error, or null if the reader is too slow. */
  readonly onLoss?: (error: Error | null) => void;
  /** Called when lines are written again, with the number of lost lines. */
  readonly onRecovery: (lost: number) => void;
}

/** Milliseconds for which a line may wait for others. */
export const GATHER_MS = 50;
/** Octets that are worth a separate write. */
const BATCH = 65_536;
const MAX_WAITING = 4 * 1024 * 1024;
/** The most octets that a character of a string takes in UTF-8. */
const MAX_OCTETS = 3;

export class LineBuffer {
  readonly #options: LineBufferOptions;
  readonly #maxWaiting: number;
  readonly #onTimer = (): void => {
    this.#scheduled = false;
    this.flush();
  };
  /** Lines are encoded as they come, which costs half as much as encoding one long string at the end. */
  #bytes: Buffer = Buffer.allocUnsafeSlow(BATCH);
  #used = 0;
  #lines = 0;
  /** The buffer that is not being filled. */
  #spare: Buffer | null = Buffer.allocUnsafeSlow(BATCH);
  /** A write is under way. */
  #writing = false;
  /** Lines of that write. */
  #underWay = 0;
  #scheduled = false;
  #lost = 0;
  #lostInAll = 0;
  #idle: (() => void)[] = [];

  constructor(options: LineBufferOptions) {
    this.#options = options;
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING;
  }

  /** Lines lost since the beginning. */
  get lostInAll(): number {
    return this.#lostInAll;
  }

  /** Lines that were taken but, as far as is known, not written. */
  get waiting(): number {
    return this.#underWay + this.#lines;
  }

  /** Takes a whole line, with its line end. */
  write(line: string): void {
    if (this.#used + line.length * MAX_OCTETS > this.#bytes.length && !this.#makeRoom(line.length)) {
      this.#lose(1, null);
      return;
    }
    this.#used += this.#bytes.write(line, this.#used);
    this.#lines++;
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    setTimeout(this.#onTimer, GATHER_MS);
  }

  /** Writes what is waiting; if a write is under way, right after that. */
  flush(): void {
    if (this.#writing || this.#used === 0) return;
    const full = this.#bytes;
    const lines = this.#lines;
    const bytes = this.take();
    this.#bytes = this.#spare ?? Buffer.allocUnsafeSlow(BATCH);
    this.#spare = null;
    this.#writing = true;
    this.#underWay = lines;
    this.#options.put(bytes, (error, left = 0) => {
      this.#writing = false;
      this.#underWay = 0;
      // A buffer that had to grow is not kept.
      this.#spare = full.length === BATCH ? full : null;
      if (error !== null) this.#lose(lines - left, error);
      else if (this.#lost > 0) this.#recover();
      this.flush();
      if (!this.#isBusy()) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  /** Resolves when nothing is waiting any more. */
  async drained(): Promise<void> {
    this.flush();
    if (!this.#isBusy()) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Hands over to the caller what has not begun to be written, for an exit without delay. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    this.#lines = 0;
    return bytes;
  }

  /** Makes room for a line of this many characters; false if that would be more than may wait. */
  #makeRoom(length: number): boolean {
    this.flush();
    const needed = this.#used + length * MAX_OCTETS;
    if (needed <= this.#bytes.length) return true;
    if (this.#writing && needed > this.#maxWaiting) return false;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
    return true;
  }

  #isBusy(): boolean {
    return this.#writing || this.#used > 0;
  }

  #lose(lines: number, error: Error | null): void {
    const first = this.#lost === 0;
    this.#lost += lines;
    this.#lostInAll += lines;
    if (first) this.#options.onLoss?.(error);
  }

  #recover(): void {
    const lost = this.#lost;
    this.#lost = 0;
    this.#options.onRecovery(lost);
  }
}

/**
 * Lines on their way out: gathered for a twentieth of a second and written together, so that no reply waits for a log and a busy
 * hour costs few system calls. One write is under way at a time; what a slow reader cannot take is bounded, and the loss
 * counted.
 */

/**
 * Takes what has been gathered. `done` is called once, when it has left or cannot leave, maybe at once; until then the
 * bytes stay as they are. With an error it may say how many lines have left before.
 */
export type Put = (bytes: Buffer, done: (error: Error | null, left?: number) => void) => void;

export interface LineBufferOptions {
  readonly put: Put;
  /** Octets that may wait behind a write under way; 4 MiB unless told. */
  readonly maxWaiting?: number;
  /** Hears once that lines begin to be lost: why, or null where the reader is too slow. */
  readonly onLoss?: (error: Error | null) => void;
  /** Hears that lines leave again, and how many were lost. */
  readonly onRecovery: (lost: number) => void;
}

/** Milliseconds for which a line may wait for company. */
export const GATHER_MS = 50;
/** Octets that are worth a write of their own. */
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
  /** Lines are encoded as they come: half the price of one long string encoded at the end. */
  #bytes: Buffer = Buffer.allocUnsafeSlow(BATCH);
  #used = 0;
  #lines = 0;
  /** The buffer that is not filled now. */
  #spare: Buffer | null = Buffer.allocUnsafeSlow(BATCH);
  /** A write has not ended. */
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

  /** Lines taken that have not left, as far as is known. */
  get waiting(): number {
    return this.#underWay + this.#lines;
  }

  /** Takes a whole line, with its end. */
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

  /** Writes what waits, unless a write is under way: then that follows. */
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
      // What had to grow once need not stay so.
      this.#spare = full.length === BATCH ? full : null;
      if (error !== null) this.#lose(lines - left, error);
      else if (this.#lost > 0) this.#recover();
      this.flush();
      if (!this.#isBusy()) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    this.flush();
    if (!this.#isBusy()) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** What nobody has begun to write, given up to the caller: for an end without time. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    this.#lines = 0;
    return bytes;
  }

  /** Room for a line of so many characters; false where that would be more than may wait. */
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

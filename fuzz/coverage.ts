/**
 * Which blocks of our own code have run, from V8's precise coverage. A take costs milliseconds, so it is made
 * for many inputs at once, and for each of them only if there was something new.
 */
import { type Profiler, Session } from 'node:inspector';

export class BlockCoverage {
  readonly #session = new Session();
  readonly #files: readonly string[];
  readonly #seen = new Set<string>();

  /** `files` are ends of paths, or folders in them. */
  constructor(files: readonly string[]) {
    this.#files = files.map((file) => `/src/${file.replace(/\.ts$/, '.js')}`);
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that have run at all. */
  get blocks(): number {
    return this.#seen.size;
  }

  /** Whether a block has run since the last look that had never run before; it stays new. */
  hasNew(): boolean {
    return this.#fresh().length > 0;
  }

  /** The same, and from now on these blocks are known. */
  learn(): boolean {
    const fresh = this.#fresh();
    for (const each of fresh) this.#seen.add(each);
    return fresh.length > 0;
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #fresh(): readonly string[] {
    return this.#taken()
      .filter(({ url }) => this.#files.some((file) => url.includes(file)))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ ranges }) =>
          ranges
            .filter(({ count }) => count > 0)
            .map(({ startOffset, endOffset }) => `${url}:${startOffset}:${endOffset}`),
        ),
      )
      .filter((block) => !this.#seen.has(block));
  }

  #taken(): readonly Profiler.ScriptCoverage[] {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    // The inspector of one's own thread answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      taken = result;
    });
    return taken;
  }
}

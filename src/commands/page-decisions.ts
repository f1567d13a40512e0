/** The decisions of a page, as they are put into it: the newest ones, packed a thousand at a time. */
import { gzipSync } from 'node:zlib';

/** What a browser judges again without making people wait. */
const MOST_DECISIONS = 100_000;
const IN_A_CHUNK = 1000;

export class PageDecisions {
  readonly #most: number;
  readonly #hide: (line: string) => string;
  #chunks: string[] = [];
  #open: string[] = [];
  /** Older ones that are not in it. */
  left = 0;

  /** `hide` rewrites a line before it is kept. */
  constructor(hide: (line: string) => string = (line) => line, most = MOST_DECISIONS) {
    this.#hide = hide;
    this.#most = most;
  }

  add(line: string): void {
    this.#open.push(this.#hide(line));
    if (this.#open.length === Math.min(IN_A_CHUNK, this.#most)) this.#pack();
  }

  /** Of gzip in base64, the oldest first. */
  chunks(): readonly string[] {
    this.#pack();
    return this.#chunks;
  }

  #pack(): void {
    if (this.#open.length === 0) return;
    // The characters of a line are the octets of the file.
    this.#chunks.push(gzipSync(Buffer.from(this.#open.join('\n'), 'latin1')).toString('base64'));
    this.#open = [];
    const most = Math.max(1, Math.floor(this.#most / IN_A_CHUNK));
    if (this.#chunks.length <= most) return;
    this.#chunks.shift();
    this.left += Math.min(IN_A_CHUNK, this.#most);
  }
}

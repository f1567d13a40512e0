/**
 * The file of the regulars: read at the start, written every few minutes and at the end, as a whole, so that
 * a crash leaves the old one or the new one. Whatever happens to it, the service runs.
 */
import { readFile } from 'node:fs/promises';
import { describeError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { Regulars } from '../state/regulars.ts';
import { parseRegulars, regularsText } from '../state/regulars-text.ts';
import { requireDirectory } from '../system/directory.ts';
import { replaceFile } from '../system/replace-file.ts';

/** It says with whom one has mail. */
const MODE = 0o600;
const EVERY_MS = 5 * 60_000;

export class RegularsFile {
  readonly #file: string;
  readonly #regulars: Regulars;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  /** `Regulars.changes` as of the last writing. */
  #written: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, regulars: Regulars, log: Log) {
    this.#file = file;
    this.#regulars = regulars;
    this.#log = log;
    this.#written = regulars.changes;
    this.#timer = setInterval(() => void this.write(), EVERY_MS).unref();
  }

  /**
   * Reads the file into `regulars` and keeps it from now on. A file that is torn is told and replaced; one
   * that is somebody else's, or cannot be read, is told and left alone, and null is returned. Rejects with
   * UsageError if its directory is not there.
   */
  static async open(file: string, regulars: Regulars, log: Log): Promise<RegularsFile | null> {
    await requireDirectory('--regulars-file', file);
    let text: string | null;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        log.tell('regulars', { file, detail: describeError(error), effect: LEFT_ALONE });
        return null;
      }
      text = null;
    }
    const read = text === null ? { known: [] } : parseRegulars(text);
    if ('known' in read) regulars.restore(read.known);
    else log.tell('regulars', { file, detail: read.fault, effect: read.ours ? BEGINS_ANEW : LEFT_ALONE });
    return 'ours' in read && !read.ours ? null : new RegularsFile(file, regulars, log);
  }

  /** Writes what has changed since the last time. Never rejects; one at a time. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const { changes } = this.#regulars;
      if (changes === this.#written) return;
      try {
        await replaceFile(this.#file, regularsText(this.#regulars.list()), MODE);
        this.#written = changes;
      } catch (error) {
        const effect = 'what was learned is not kept; it is tried again';
        this.#log.tell('regulars', { file: this.#file, detail: describeError(error), effect });
      }
    });
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }
}

const BEGINS_ANEW = 'nobody is regular yet; the file is replaced';
const LEFT_ALONE = 'nobody is regular yet; the file is left alone, and what is learned is not kept';

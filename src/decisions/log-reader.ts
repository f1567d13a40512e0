/**
 * Reads decision logs as they are on a disk: plain, compressed, rotated. They are read as a stream, so that a
 * log of any size only takes the memory of one line.
 */
import { stat } from 'node:fs/promises';
import type { Check } from '../core/check.ts';
import { fileFault, UsageError } from '../errors.ts';
import { logLines } from './log-lines.ts';
import { readRecord, type RecordedDecision, RecordError } from './record-reader.ts';

/** The most lines for which it is told why they cannot be read. */
const MAX_TOLD = 3;

/** The progress of the reading. */
export interface ReadingProgress {
  /** Octets of the files, as they are on the disk. */
  readonly total: number;
  read: number;
  /** Lines that are not records. */
  unreadable: number;
  /** The first of them: file, line and reason. */
  readonly told: string[];
}

/**
 * Gives the records of the files, the file with the oldest first. Throws UsageError if one cannot be read.
 */
export class LogReader {
  readonly progress: ReadingProgress;
  readonly #files: readonly string[];
  readonly #checks: readonly Check[];
  /** Text that a line must have to be read at all. */
  readonly #wanted: string;

  private constructor(files: readonly string[], total: number, checks: readonly Check[], wanted: string) {
    this.#files = files;
    this.#checks = checks;
    this.#wanted = wanted;
    this.progress = { total, read: 0, unreadable: 0, told: [] };
  }

  /** Sorts the files by their first records. With `reference`, only its records are given. */
  static async open(
    files: readonly string[],
    checks: readonly Check[],
    reference: string | null = null,
  ): Promise<LogReader> {
    // A single file may be a pipe, which can only be read once.
    const at = (file: string): Promise<number> =>
      files.length === 1 ? Promise.resolve(0) : firstTime(file, checks);
    const begun = await Promise.all(
      files.map(async (file) => ({ file, size: await sizeOf(file), at: await at(file) })),
    );
    const order = begun.toSorted((a, b) => a.at - b.at);
    return new LogReader(
      order.map(({ file }) => file),
      order.reduce((sum, { size }) => sum + size, 0),
      checks,
      reference === null ? '' : `"reference":${JSON.stringify(reference)}`,
    );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordedDecision> {
    for await (const [record] of this.withLines()) yield record;
  }

  /** Each record with its line as it stands in the file. */
  async *withLines(): AsyncGenerator<readonly [record: RecordedDecision, line: string]> {
    for (const file of this.#files) {
      let number = 0;
      for await (const line of logLines(file, (octets) => (this.progress.read += octets))) {
        number++;
        if (line === '' || line?.includes(this.#wanted) === false) continue;
        const record = this.#read(line, `${file}:${number}`);
        if (record !== null && line !== null) yield [record, line];
      }
    }
  }

  #read(line: string | null, place: string): RecordedDecision | null {
    try {
      if (line === null) throw new RecordError('it is too long');
      return readRecord(line, this.#checks);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      this.progress.unreadable++;
      if (this.progress.told.length < MAX_TOLD) this.progress.told.push(`${place}: ${error.message}`);
      return null;
    }
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    throw new UsageError(fileFault(file, error));
  }
}

/** The time of the file's first record; files without a record come last. */
async function firstTime(file: string, checks: readonly Check[]): Promise<number> {
  for await (const line of logLines(file, () => undefined)) {
    if (line === null || line === '') continue;
    try {
      return readRecord(line, checks).time;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
    }
  }
  return Infinity;
}

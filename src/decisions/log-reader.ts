/**
 * Reads decision logs as they are on a disk: plain, compressed, rotated. They are read as a stream, so that a
 * log of any size only takes the memory of one line.
 */
import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PassThrough, pipeline, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Check } from '../core/check.ts';
import { describeError, UsageError } from '../errors.ts';
import { readRecord, type RecordedDecision, RecordError } from './record-reader.ts';

/** Octets of one line; a record has at most 64 KiB. */
const MAX_LINE = 1 << 20;
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
    for (const file of this.#files) {
      let number = 0;
      for await (const line of linesOf(file, (octets) => (this.progress.read += octets))) {
        number++;
        if (line === '' || line?.includes(this.#wanted) === false) continue;
        const record = this.#read(line, `${file}:${number}`);
        if (record !== null) yield record;
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
    throw new UsageError(describeError(error));
  }
}

/** The time of the file's first record; files without a record come last. */
async function firstTime(file: string, checks: readonly Check[]): Promise<number> {
  for await (const line of linesOf(file, () => undefined)) {
    if (line === null || line === '') continue;
    try {
      return readRecord(line, checks).time;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
    }
  }
  return Infinity;
}

/** The lines of a file, decompressed; null for one that is too long. */
async function* linesOf(file: string, progress: (octets: number) => void): AsyncGenerator<string | null> {
  const source = createReadStream(file);
  source.on('data', (chunk) => {
    progress(chunk.length);
  });
  const text = decompressed(source, file);
  let rest: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of text as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        rest.push(chunk.subarray(from, end));
        length += end - from;
        yield length > MAX_LINE ? null : Buffer.concat(rest).toString('latin1');
        rest = [];
        length = 0;
        from = end + 1;
      }
      length += chunk.length - from;
      // A line that is too long is not kept.
      if (length <= MAX_LINE) rest.push(Buffer.from(chunk.subarray(from)));
    }
  } catch (error) {
    throw new UsageError(`${file}: ${describeError(error)}`);
  } finally {
    source.destroy();
  }
  if (length > 0) yield length > MAX_LINE ? null : Buffer.concat(rest).toString('latin1');
}

function decompressed(source: ReadStream, file: string): PassThrough | Transform {
  return pipeline(source, unpacker(file), () => undefined);
}

function unpacker(file: string): PassThrough | Transform {
  if (file.endsWith('.gz')) return zlib.createGunzip();
  if (!file.endsWith('.zst')) return new PassThrough();
  // Since Node 22.15 and 23.8.
  const { createZstdDecompress } = zlib as { readonly createZstdDecompress?: () => Transform };
  if (createZstdDecompress === undefined) {
    throw new UsageError(
      `${file}: this Node cannot read zstd; use "zstd -dc" and a pipe, or Node 22.15 or later`,
    );
  }
  return createZstdDecompress();
}

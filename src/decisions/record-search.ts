/** Finds one decision in decision logs, as they are or compressed. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Check } from '../core/check.ts';
import { describeError, FileError } from '../errors.ts';
import { type RecordedDecision, readRecord, RecordError } from './record-reader.ts';

/**
 * All records of one reference, in the order of the files: a message with several recipients may have more than one.
 * Lines are read as a stream. Rejects with a FileError for a file that cannot be read, and for a record of that reference
 * that cannot.
 */
export async function recordsOfReference(
  files: readonly string[],
  reference: string,
  checks: readonly Check[],
): Promise<readonly RecordedDecision[]> {
  const found: RecordedDecision[] = [];
  // Only lines with the text in them are taken apart.
  const text = JSON.stringify(reference);
  for (const file of files) {
    let number = 0;
    try {
      for await (const line of createInterface({ input: opened(file), crlfDelay: Infinity })) {
        number++;
        if (!line.includes(text)) continue;
        const record = readRecord(line, checks);
        if (record.reference === reference) found.push(record);
      }
    } catch (error) {
      const place = error instanceof RecordError ? `${file}:${number}` : file;
      throw new FileError(`${place}: ${describeError(error)}`);
    }
  }
  return found;
}

function opened(file: string): Readable {
  const bytes = createReadStream(file);
  if (!file.endsWith('.gz')) return bytes;
  // A fault of either is heard of by whoever reads the text.
  return pipeline(bytes, createGunzip(), () => undefined);
}

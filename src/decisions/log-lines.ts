/** The lines of a decision log as it is on a disk, plain or compressed, as a stream. */
import { createReadStream, type ReadStream } from 'node:fs';
import { PassThrough, pipeline, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { fileFault, UsageError } from '../errors.ts';

/** Octets of one line; a record has at most 64 KiB. */
const MAX_LINE = 1 << 20;

/**
 * The lines of a file, one character per octet; null for one that is too long. Throws UsageError if it cannot
 * be read. `progress` is told the octets as they are read from the disk.
 */
export async function* logLines(
  file: string,
  progress: (octets: number) => void = () => undefined,
): AsyncGenerator<string | null> {
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
        length += end - from;
        if (length > MAX_LINE) yield null;
        else if (rest.length === 0) yield chunk.toString('latin1', from, end);
        else yield Buffer.concat([...rest, chunk.subarray(from, end)]).toString('latin1');
        rest = [];
        length = 0;
        from = end + 1;
      }
      length += chunk.length - from;
      // A line that is too long is not kept.
      if (length <= MAX_LINE) rest.push(Buffer.from(chunk.subarray(from)));
    }
  } catch (error) {
    throw new UsageError(fileFault(file, error));
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

/** Writes to a file without holding up the event loop. */
import { write } from 'node:fs';

/**
 * Writes bytes at the current position of an open file, in as many writes as it takes. `done` gets the error,
 * if any, and how many octets were written before it.
 */
export function writeAll(
  fd: number,
  bytes: Buffer,
  done: (error: Error | null, written: number) => void,
): void {
  const next = (from: number): void => {
    write(fd, bytes, from, bytes.length - from, null, (error, count) => {
      if (error !== null) done(error, from);
      else if (from + count >= bytes.length) done(null, bytes.length);
      else next(from + count);
    });
  };
  next(0);
}

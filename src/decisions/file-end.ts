/** The end of a file of lines: whether its last line is complete, and how to repair it. */
import { constants, fstat, ftruncate } from 'node:fs';
import { open } from 'node:fs/promises';

export const LINE_END = Buffer.from('\n');

export function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_END); at !== -1; at = bytes.indexOf(LINE_END, at + 1)) count++;
  return count;
}

/**
 * Removes the last octets of a file; `done` is told whether that was possible: not for a device or an
 * append-only file.
 */
export function cutOff(fd: number, octets: number, done: (cut: boolean) => void): void {
  fstat(fd, (error, stats) => {
    // If the file is shorter now, somebody else has emptied it.
    if (error !== null || !stats.isFile() || stats.size < octets) done(false);
    else
      ftruncate(fd, stats.size - octets, (failed) => {
        done(failed === null);
      });
  });
}

/** Whether the last octet is not a line end; also false if it cannot be read. */
export async function endsWithinLine(file: string): Promise<boolean> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile() || stats.size === 0) return false;
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, stats.size - 1);
      return !buffer.equals(LINE_END);
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}

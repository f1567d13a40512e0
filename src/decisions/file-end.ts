/** The end of a file of lines: whether it is whole, and how it is made so again. */
import { constants, fstat, ftruncate } from 'node:fs';
import { open } from 'node:fs/promises';

export const LINE_END = Buffer.from('\n');

export function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_END); at !== -1; at = bytes.indexOf(LINE_END, at + 1)) count++;
  return count;
}

/** Takes the last octets off a file again; `done` hears whether that could be: not of a device, nor of append-only files. */
export function cutOff(fd: number, octets: number, done: (cut: boolean) => void): void {
  fstat(fd, (error, stats) => {
    // A file that is shorter now was emptied by somebody else.
    if (error !== null || !stats.isFile() || stats.size < octets) done(false);
    else
      ftruncate(fd, stats.size - octets, (failed) => {
        done(failed === null);
      });
  });
}

/** Whether the last octet is no line end; false also where it cannot be read. */
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

/** Files and sockets that we make need a directory to be in, and the right to make them. */
import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError, OptionError } from '../errors.ts';

/**
 * Throws OptionError where the directory of `path` is missing: a unix socket in it fails with EACCES, which says something
 * else. `value` is the value at fault of an option that has several.
 */
export async function requireDirectory(flag: string, path: string, value = ''): Promise<void> {
  const directory = dirname(path);
  try {
    await stat(directory);
  } catch (error) {
    // One that we may not look into is there.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new OptionError(flag, `there is no directory ${directory}`, value);
  }
}

/** Throws OptionError where `path` could not be opened for appending, or made; it does neither. */
export async function requireWritable(flag: string, path: string): Promise<void> {
  // A pipe that nobody reads would let us wait.
  const { O_WRONLY, O_APPEND, O_NONBLOCK, W_OK, X_OK } = constants;
  try {
    const file = await open(path, O_WRONLY | O_APPEND | O_NONBLOCK).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    });
    if (file === null) await access(dirname(path), W_OK | X_OK);
    else await file.close();
  } catch (error) {
    throw new OptionError(flag, describeError(error));
  }
}

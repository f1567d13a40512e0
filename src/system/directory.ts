/** Files and sockets that we create need a directory to be in, and permission to create them. */
import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError, OptionError } from '../errors.ts';

/**
 * Throws OptionError if the directory of `path` is missing: a unix socket in it would fail with EACCES, which
 * is misleading. `value` is the wrong value of an option that has several.
 */
export async function requireDirectory(flag: string, path: string, value = ''): Promise<void> {
  const directory = dirname(path);
  try {
    await stat(directory);
  } catch (error) {
    // A directory that we may not look into exists.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new OptionError(flag, `there is no directory ${directory}`, value);
  }
}

/** Throws OptionError if `path` could not be opened for appending, or created; it does neither. */
export async function requireWritable(flag: string, path: string): Promise<void> {
  // Opening a pipe that nobody reads would block.
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

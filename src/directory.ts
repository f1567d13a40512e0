/** Files and sockets that we make need a directory to be in. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OptionError } from './usage-error.ts';

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

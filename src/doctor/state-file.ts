/** A file that the service keeps: whether its user may replace it, for which the directory counts. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Account } from '../system/accounts.ts';
import { may } from './socket-file.ts';

export interface StateFile {
  readonly path: string;
  readonly directory: string;
  /**
   * - `writable`: the user of the service may.
   * - `unwritable`: it may not.
   * - `absent`: there is no such directory.
   * - `unseen`: we may not look, or it is not known here which user that is.
   */
  readonly state: 'writable' | 'unwritable' | 'absent' | 'unseen';
}

const SEARCH_AND_WRITE = 0o3;

/** `account` is that of the service; null where it is not known. */
export async function examineStateFile(path: string, account: Account | null): Promise<StateFile> {
  const directory = dirname(path);
  const result = (state: StateFile['state']): StateFile => ({ path, directory, state });
  try {
    const found = await stat(directory);
    if (!found.isDirectory()) return result('absent');
    if (account === null) return result('unseen');
    return result(may(SEARCH_AND_WRITE, account, found) ? 'writable' : 'unwritable');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return result(code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'unseen');
  }
}

/** A unix socket as a file: whether the user that the MTA runs as may connect to it. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Account } from '../system/accounts.ts';

export interface SocketFile {
  readonly path: string;
  /**
   * - `ready`: the user may connect.
   * - `absent`: nothing is there.
   * - `not-a-socket`: something else is there.
   * - `closed`: the user may not search the directory `at`.
   * - `unwritable`: the user may not write to it, and one must.
   * - `unseen`: we may not look ourselves, or there is no such user on this machine.
   */
  readonly state: 'ready' | 'absent' | 'not-a-socket' | 'closed' | 'unwritable' | 'unseen';
  /** The file or directory that this is about. */
  readonly at: string;
  /** Its permission bits; 0 if nothing was seen. */
  readonly mode: number;
  /** The first directory on the way that its group or the world may write to. */
  readonly writableDirectory: string | null;
}

const SEARCH = 0o1;
const WRITE = 0o2;

export async function examineSocket(path: string, account: Account | null): Promise<SocketFile> {
  let writableDirectory: string | null = null;
  const result = (state: SocketFile['state'], at = path, mode = 0): SocketFile => ({
    path,
    state,
    at,
    mode: mode & 0o7777,
    writableDirectory,
  });
  try {
    for (const directory of parents(path)) {
      const found = await stat(directory);
      if (!found.isDirectory()) return result('absent');
      const { mode } = found;
      // A sticky directory such as /tmp is as bad for Sendmail.
      if ((mode & 0o022) !== 0) writableDirectory ??= directory;
      if (account !== null && !may(SEARCH, account, found)) return result('closed', directory, mode);
    }
    const found = await stat(path);
    if (!found.isSocket()) return result('not-a-socket', path, found.mode);
    if (account === null) return result('unseen', path, found.mode);
    return result(may(WRITE, account, found) ? 'ready' : 'unwritable', path, found.mode);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return result(code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'unseen');
  }
}

/** From the root down. */
function parents(path: string): string[] {
  const all: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    all.unshift(at);
    if (at === dirname(at)) return all;
  }
}

/**
 * `right` is one bit or several. As the kernel decides: root may, then the owner's bits count, then the
 * group's, then those of others.
 */
export function may(
  right: number,
  { uid, gids }: Account,
  file: { readonly mode: number; readonly uid: number; readonly gid: number },
): boolean {
  if (uid === 0) return true;
  const shift = file.uid === uid ? 6 : gids.includes(file.gid) ? 3 : 0;
  return ((file.mode >> shift) & right) === right;
}

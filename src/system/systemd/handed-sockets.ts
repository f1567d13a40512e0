/**
 * Socket activation: what systemd opened for us before it started us (sd_listen_fds(3)). Knows nothing about
 * milters.
 */
import { readFile, readlink } from 'node:fs/promises';
import type { Host } from '../host.ts';
import { UsageError } from '../../errors.ts';

/** The first descriptor that is handed over: SD_LISTEN_FDS_START. */
const FIRST = 3;
const MAX_SOCKETS = 256;

/** A descriptor that was handed over. */
export interface HandedFd {
  readonly fd: number;
  /** `FileDescriptorName=` of its unit, or the unit's name. */
  readonly name: string;
}

/** All sockets handed to this very process. Throws UsageError if their number is not valid. */
export function handedFds({ environment, pid }: Pick<Host, 'environment' | 'pid'>): readonly HandedFd[] {
  const count = environment['LISTEN_FDS'];
  // A parent's variables are not meant for us.
  if (count === undefined || environment['LISTEN_PID'] !== String(pid)) return [];
  if (!/^\d{1,3}$/.test(count) || Number(count) > MAX_SOCKETS) {
    throw new UsageError(`LISTEN_FDS="${count}" is not a number of sockets`);
  }
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':');
  return Array.from({ length: Number(count) }, (_, i) => ({ fd: FIRST + i, name: names[i] ?? '' }));
}

/** The path of a unix socket behind a descriptor, `''` for one without a path; null if it is another kind. */
export async function unixPathOf(fd: number): Promise<string | null> {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/self/fd/${fd}`)) ?? [];
    if (inode === undefined) return null;
    // Num RefCount Protocol Flags Type St Inode Path, see unix(7).
    const rows = (await readFile('/proc/self/net/unix', 'utf8'))
      .split('\n')
      .map((line) => line.trim().split(/ +/));
    const row = rows.find((words) => words[6] === inode);
    return row === undefined ? null : row.slice(7).join(' ');
  } catch {
    return null;
  }
}

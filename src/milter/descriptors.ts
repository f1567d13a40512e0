/**
 * Open files of the process; each connection is one. When no more may be opened, libuv accepts a connection
 * with a spare descriptor, closes it, and tells nobody (`uv__emfile_trick`). So we stop short of the limit
 * and say so.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Left for everything else that the process opens: DNS questions, logs, files read again. */
const RESERVE = 64;

/** As many as `systemd/helo-milter.service` permits: more than the connections of a server can take. */
const ENOUGH = 65_536;

/** The first descriptor that no connection gets. */
export function firstReserved(limit: number): number {
  return limit - Math.min(RESERVE, Math.floor(limit / 4));
}

/** What is wrong with a limit, and what helps. */
export function limitText(limit: number): string {
  return `it may open ${limit} files: raise "ulimit -n" or LimitNOFILE= of its unit, to ${ENOUGH} for instance`;
}

/**
 * Why a process with this limit cannot take as many connections; null if it can. Half of what is left for
 * everything else is taken to be in use when nobody is connected.
 */
export function shortage(limit: number, connections: number): string | null {
  const possible = firstReserved(limit) - RESERVE / 2;
  if (possible >= connections) return null;
  const some = Math.max(0, possible);
  return `at most some ${some} SMTP connections at a time are served, not ${connections}, since the process is short of descriptors; ${limitText(limit)}`;
}

/** How many files this process may open; Infinity if the system does not say (`/proc/self/limits`). */
export function descriptorLimit(): number {
  try {
    // Node has raised the soft limit to the hard one.
    return Number(
      /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Infinity,
    );
  } catch {
    return Infinity;
  }
}

/**
 * The number of a connection's descriptor: POSIX gives the lowest that is free, so all below it are in use.
 */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { fd?: number } };
  return handle?.fd ?? -1;
}

/** Whether the process can open nothing more, now. */
export function areUsedUp(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return false;
  } catch (error) {
    return isUsedUp(error);
  }
}

/** Whether an error says that no more files may be opened. */
export function isUsedUp(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

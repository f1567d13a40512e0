/** The file that says which process is the service, for systems without a service manager to ask. */
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { requireDirectory } from './directory.ts';
import { isProgramOf } from './program-of-process.ts';
import type { Host } from './host.ts';
import { describeError, OptionError } from '../errors.ts';

/**
 * Writes our process id. A file left behind by a killed or rebooted service is replaced. Rejects with
 * UsageError if the file belongs to a running service or cannot be written. Resolves to the function that
 * removes it again.
 */
export async function writePidFile(path: string, host: Host): Promise<() => Promise<void>> {
  await requireDirectory('--pid-file', path);
  for (const last of [false, true]) {
    try {
      // Never through a link that somebody else may have put there.
      await writeFile(path, `${host.pid}\n`, { flag: 'wx', mode: 0o644 });
      return () => removePidFile(path, host.pid);
    } catch (error) {
      if (last || (error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new OptionError('--pid-file', `cannot write ${path}: ${describeError(error)}`);
      }
    }
    const pid = await pidIn(path);
    if (pid !== null && (await isService(pid, host))) {
      throw new OptionError('--pid-file', `${path} belongs to a helo-milter that runs as process ${pid}`);
    }
    await unlink(path).catch(() => undefined);
  }
  throw new Error('unreachable');
}

/**
 * Removes only our own, and only if we still may: a user with fewer rights than the starter leaves it behind,
 * stale.
 */
async function removePidFile(path: string, pid: number): Promise<void> {
  if ((await pidIn(path)) === pid) await unlink(path).catch(() => undefined);
}

async function pidIn(path: string): Promise<number | null> {
  const text = await readFile(path, 'latin1').catch(() => '');
  return /^\d{1,10}\n?$/.test(text) ? Number(text) : null;
}

/**
 * Process ids are reused, and in a container always the same: our own id means no other service, and a live
 * process counts if it is our program.
 */
async function isService(pid: number, { pid: own, script, isAlive }: Host): Promise<boolean> {
  return pid !== own && pid !== 0 && isAlive(pid) && (await isProgramOf(pid, script));
}

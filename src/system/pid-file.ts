/** The file that says which process is the service, for those who have no service manager to ask. */
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { requireDirectory } from './directory.ts';
import type { Host } from './host.ts';
import { describeError, OptionError } from '../errors.ts';

/**
 * Writes our process id. A file that a killed or rebooted service has left behind is replaced; that of a live one is not:
 * then, and where it cannot be written, UsageError. Resolves to what takes it away again.
 */
export async function writePidFile(path: string, host: Host): Promise<() => Promise<void>> {
  await requireDirectory('--pid-file', path);
  for (const last of [false, true]) {
    try {
      // Never through a link that somebody else has put there.
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

/** Only our own, and only where we still may: a user with less rights than the starter leaves it, and it is stale. */
async function removePidFile(path: string, pid: number): Promise<void> {
  if ((await pidIn(path)) === pid) await unlink(path).catch(() => undefined);
}

async function pidIn(path: string): Promise<number | null> {
  const text = await readFile(path, 'latin1').catch(() => '');
  return /^\d{1,10}\n?$/.test(text) ? Number(text) : null;
}

/**
 * Process ids are used again, in a container always the same: our own is none of another, and a live process counts
 * where its command line is one of ours. Where the system does not show command lines, any live process counts.
 */
async function isService(pid: number, { pid: own, script, isAlive }: Host): Promise<boolean> {
  if (pid === own || pid === 0 || !isAlive(pid)) return false;
  const words = await readFile(`/proc/${pid}/cmdline`, 'latin1').then(
    (text) => text.split('\0'),
    () => null,
  );
  return (
    words === null ||
    words.some((word) => word === script || /(?:^|\/)helo-milter(?:\/dist\/cli\.js)?$/.test(word))
  );
}

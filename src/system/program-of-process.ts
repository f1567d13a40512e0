/** Whether another process runs our program. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { isAbsolute, join, normalize, resolve } from 'node:path';

/** The command that an installation makes, which may be a file of a package manager's own. */
const COMMAND = /(?:^|\/)helo-milter(?:\/dist\/cli\.js)?$/;

/**
 * Whether a live process was started with `script`, which is absolute, or with another installation of ours.
 * A word of its command line may be relative to the directory where it was started (`npm start`), lead
 * through links, or leave to Node how it ends (`node dist/cli`). True as well where the system does not let
 * us see enough to deny it.
 */
export async function isProgramOf(pid: number, script: string): Promise<boolean> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').then(
    (text) => text.split('\0').filter((word) => word !== ''),
    () => null,
  );
  if (words === null || words.some((word) => word === script || COMMAND.test(word))) return true;
  // We never leave the directory in which we were started.
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  const ours = mainFile(script);
  return words.some((word) => {
    if (directory === null && !isAbsolute(word)) return script.endsWith(`/${normalize(word)}`);
    const file = mainFile(resolve(directory ?? '/', word));
    return file !== null && (file === ours || isOfOurPackage(file));
  });
}

/** The file that Node runs for an absolute path, links resolved; null if there is none. */
function mainFile(path: string): string | null {
  for (const each of [path, `${path}.js`]) {
    try {
      const file = realpathSync(each);
      if (statSync(file).isFile()) return file;
    } catch {
      // No such file, or none that we may see.
    }
  }
  return null;
}

/** Whether a file is the program in a copy of our package, in whatever directory (`helo-milter-0.2.0`). */
function isOfOurPackage(file: string): boolean {
  if (!file.endsWith('/dist/cli.js')) return false;
  try {
    const { name } = JSON.parse(readFileSync(join(file, '../../package.json'), 'utf8')) as { name?: unknown };
    return name === 'helo-milter';
  } catch {
    return false;
  }
}

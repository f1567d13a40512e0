/**
 * The program as `npm install --global` would install it, readable by every user: the checkout may be in a
 * place that only its owner can read. The Node that runs the tests is copied with it.
 */
import { chmodSync, cpSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Installed {
  readonly node: string;
  readonly cli: string;
}

/** Copies it into a new directory: 30 MB, and Node as well if that cannot be linked. */
export function install(directory: string): Installed {
  mkdirSync(directory, { recursive: true });
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const needed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  for (const path of ['package.json', 'dist', 'systemd', ...needed.map(([path]) => path)]) {
    cpSync(join(ROOT, path), join(directory, path), { recursive: true });
  }
  const node = join(directory, 'node');
  try {
    linkSync(process.execPath, node);
  } catch {
    cpSync(process.execPath, node);
  }
  open(directory);
  return { node, cli: join(directory, 'dist/cli.js') };
}

/** Whatever the umask of the checkout was. */
function open(path: string): void {
  const { mode } = statSync(path);
  const directory = (mode & 0o170000) === 0o040000;
  const wanted = directory ? 0o755 : (mode & 0o100) === 0 ? 0o644 : 0o755;
  if ((mode & 0o777) !== wanted) chmodSync(path, wanted);
  if (directory) for (const name of readdirSync(path)) open(join(path, name));
}

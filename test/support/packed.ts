/** The package as a user gets it: packed, and unpacked into the node_modules of a directory of its own. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What `npm pack` says about the package. */
export interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs what is built, into `directory` if one is given. */
export function pack(directory: string | null = null): Packed {
  const where = directory === null ? ['--dry-run'] : ['--pack-destination', directory];
  const args = ['pack', ...where, '--json', '--ignore-scripts'];
  const printed = execFileSync('npm', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
  const [packed] = JSON.parse(printed.toString()) as [Packed];
  return packed;
}

/** Makes a directory in which the package is installed, with its dependencies and these packages. */
export function installPacked(...besides: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'packed-'));
  const { filename } = pack(directory);
  const installed = join(directory, 'node_modules', 'helo-milter');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['xzf', join(directory, filename), '-C', installed, '--strip-components', '1']);
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), ...besides]) {
    const link = join(directory, 'node_modules', name);
    mkdirSync(join(link, '..'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  return directory;
}

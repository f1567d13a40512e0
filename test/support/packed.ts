/** The package as a user gets it: packed, and unpacked into the node_modules of a directory of its own. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What `npm pack` says about the package. */
export interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

interface PackageJson {
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
}

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
}

/**
 * Copies these files of a package, and its package.json without scripts: npm 9, which Debian 13 has, runs
 * `prepare` in spite of `--ignore-scripts`, and would build ours under the feet of other tests.
 */
export function copyWithoutScripts(from: string, to: string, names: readonly string[]): void {
  mkdirSync(to, { recursive: true });
  for (const name of names) cpSync(join(from, name), join(to, name), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as object;
  writeFileSync(join(to, 'package.json'), JSON.stringify({ ...manifest, scripts: undefined }));
}

/** Packs what is built, into `directory` if one is given. */
export function pack(directory: string | null = null): Packed {
  const copy = mkdtempSync(join(tmpdir(), 'to-pack-'));
  try {
    const named = packageJson().files.filter((name) => !name.startsWith('!'));
    copyWithoutScripts(ROOT, copy, ['README.md', 'LICENSE', ...named]);
    const where = directory === null ? ['--dry-run'] : ['--pack-destination', directory];
    const args = ['pack', ...where, '--json', '--ignore-scripts'];
    const printed = execFileSync('npm', args, { cwd: copy, stdio: ['ignore', 'pipe', 'ignore'] });
    const [packed] = JSON.parse(printed.toString()) as [Packed];
    return packed;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Makes a directory in which the package is installed, with its dependencies and these packages. */
export function installPacked(...besides: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'packed-'));
  const { filename } = pack(directory);
  const installed = join(directory, 'node_modules', 'helo-milter');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['xzf', join(directory, filename), '-C', installed, '--strip-components', '1']);
  for (const name of [...Object.keys(packageJson().dependencies), ...besides]) {
    const link = join(directory, 'node_modules', name);
    mkdirSync(join(link, '..'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  return directory;
}

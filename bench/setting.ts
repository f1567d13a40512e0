/** The setting of a run: how many rounds and sessions, which versions of Node, and where. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../src/errors.ts';

/** The top of the repository: npm runs scripts there. */
export const ROOT = process.cwd();
/** Everything that the bench makes and does not keep. */
export const BUILD = join(ROOT, '.bench');

export interface Node {
  readonly major: number;
  readonly path: string;
  readonly version: string;
}

export interface Setting {
  /** Rounds in which each contender runs once. */
  readonly pairs: number;
  /** Whether a warm-up round that does not count comes first. */
  readonly settle: boolean;
  /** Share of the usual number of sessions, from 0 to 1. */
  readonly scale: number;
  /** Node 24 comes first: the targets are for its figures. */
  readonly nodes: readonly Node[];
  /** Directory for sockets, queues and logs; in memory if the system has a place for that. */
  readonly workdir: string;
}

/** A number of sessions or messages for one run, of at least ten. */
export function amount({ scale }: Setting, usual: number): number {
  return Math.max(10, Math.round(usual * scale));
}

/** From `NODE24=PATH`, the Node at hand, or the npm package `node`, which is fetched once. */
export function findNode(major: number): Node {
  const prefix = join(BUILD, `node${major}`);
  const packaged = join(prefix, 'node_modules', 'node', 'bin', 'node');
  const given = process.env[`NODE${major}`];
  const running = process.versions.node.startsWith(`${major}.`) ? process.execPath : null;
  const path = given ?? running ?? packaged;
  if (path === packaged && !existsSync(packaged)) {
    mkdirSync(prefix, { recursive: true });
    execFileSync('npm', ['install', '--silent', '--prefix', prefix, `node@${major}`], { stdio: 'inherit' });
  }
  try {
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
    if (version.startsWith(`v${major}.`)) return { major, path, version };
    throw new UsageError(`NODE${major}: ${path} is Node ${version}`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`there is no Node ${major} at ${path}; set NODE${major} to one`);
  }
}

/** The Node that runs this. */
export function nodeAtHand(): Node {
  const { version, execPath: path } = process;
  return { major: Number(version.slice(1).split('.')[0]), path, version };
}

/** Compiles the programs in C. Needs cc and libmilter (Debian: gcc, libc6-dev, libmilter-dev). */
export function buildPrograms(): void {
  mkdirSync(join(BUILD, 'bin'), { recursive: true });
  const libraries: Readonly<Record<string, readonly string[]>> = {
    load: [],
    floor: [],
    'smtp-load': [],
    delay: [],
    'empty-milter': ['-lmilter', '-lpthread'],
  };
  for (const [name, flags] of Object.entries(libraries)) {
    const source = join(ROOT, 'bench', `${name}.c`);
    const options = ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program(name), source];
    execFileSync('cc', [...options, ...flags], { stdio: 'inherit' });
  }
}

/** Path of a compiled program. */
export function program(name: string): string {
  return join(BUILD, 'bin', name);
}

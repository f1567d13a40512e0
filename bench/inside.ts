/** The program with `inside.mjs` loaded into it. */
import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { product, type Server } from './server.ts';
import { type Node, ROOT, type Setting } from './setting.ts';

/** Collections of one kind. */
interface Collections {
  readonly count: number;
  /** Milliseconds of all. */
  readonly ms: number;
  readonly longest: number;
}

export interface Inside {
  /** Since the last look. */
  readonly seconds: number;
  readonly small: Collections;
  readonly large: Collections;
  /** Milliseconds of a full collection, now. */
  readonly collectionMs: number;
  /** Bytes of the heap that are still in use after a collection. */
  readonly bytes: number;
}

export interface Watched extends Server {
  readonly look: () => Promise<Inside>;
}

/** On a unix socket, and adding no header. */
export async function watchedFromInside(
  setting: Setting,
  node: Node,
  args: readonly string[],
): Promise<Watched> {
  const file = join(setting.workdir, 'inside.json');
  const server = await product(setting, 'unix', node, {
    args: ['--no-auth-results', ...args],
    nodeFlags: ['--expose-gc', '--import', join(ROOT, 'bench', 'inside.mjs')],
    env: { BENCH_INSIDE: file },
  });
  const look = async (): Promise<Inside> => {
    process.kill(server.pid, 'SIGUSR2');
    for (let i = 0; !existsSync(file); i++) {
      if (i > 500) throw new Error('the program does not say how it is');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const inside = JSON.parse(readFileSync(file, 'utf8')) as Inside;
    unlinkSync(file);
    return inside;
  };
  return { ...server, look };
}

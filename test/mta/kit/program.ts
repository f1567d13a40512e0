/** The program itself, as its user runs it: the built command line in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GATHER_MS } from '../../../src/log/line-buffer.ts';
import type { Installed } from './installed.ts';
import { NODE_FLAGS } from './node-flags.ts';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
export const OURS: Installed = { node: process.execPath, cli: CLI };

export interface Program {
  readonly child: ChildProcess;
  /** The first socket it listens on, as Postfix spells it. */
  readonly socket: string;
  /** The `decision` lines so far. */
  decisions(): Promise<string[]>;
  /** Everything that it has printed. */
  output(): Promise<string>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ProgramOptions {
  /** Words before the program's own, such as those that change the user. */
  readonly wrapper?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A copy that other users can read, and its Node. */
  readonly installed?: Installed;
}

/** Starts `helo-milter` and waits until it listens. If it does not, rejects with what it said. */
export async function startProgram(
  args: readonly string[],
  { wrapper = [], environment = {}, installed = OURS }: ProgramOptions = {},
): Promise<Program> {
  const listen = args.includes('--listen') ? [] : ['--listen', 'inet:127.0.0.1:0'];
  const command = [installed.node, ...NODE_FLAGS, installed.cli, ...listen, ...args];
  const [program = '', ...words] = [...wrapper, ...command];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve));
  const socket = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      const socket = /^helo-milter \S+ listens on (\S+?)(?:, |$)/m.exec(output)?.[1];
      if (socket !== undefined) resolve(socket);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    void gone.then((code) => {
      reject(new Error(`helo-milter ended with ${String(code)}: ${output}`));
    });
  });
  return {
    child,
    socket,
    decisions: async () => {
      await arrived();
      return output.split('\n').filter((line) => line.startsWith('decision '));
    },
    output: async () => {
      await arrived();
      return output;
    },
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return gone;
    },
  };
}

/**
 * Lines are gathered before they are written, after the client has its reply; then our own event loop must
 * read them.
 */
function arrived(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, GATHER_MS + 50));
}

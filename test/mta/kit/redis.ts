/** A private Redis on loopback, or a Sentinel that watches one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Redis as Client } from 'ioredis';
import { withSystemPath } from './nsd.ts';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Redis {
  readonly signal: (signal: NodeJS.Signals) => void;
  /** The answer to a command, of a list one member a line. On one connection: a process each takes longer. */
  readonly say: (...words: readonly string[]) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Starts it with these lines of configuration, and waits until it listens on `port`, or on a unix socket. */
export async function startRedis(
  workdir: string,
  port: number,
  lines: readonly string[] = [],
  words: readonly string[] = [],
): Promise<Redis> {
  const directory = join(workdir, `redis-${port}`);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'redis.conf');
  const own = [`port ${port}`, 'bind 127.0.0.1', `dir ${directory}`, 'save ""', 'daemonize no'];
  const settings = words.length > 0 ? own.filter((line) => !line.startsWith('save')) : own;
  writeFileSync(file, `${[...settings, ...lines].join('\n')}\n`);
  const child = spawn('redis-server', [file, ...words], { stdio: 'ignore', env: withSystemPath() });
  running.add(child);
  const gone = new Promise<void>((resolve) =>
    child.once('exit', () => {
      running.delete(child);
      resolve();
    }),
  );
  await listens(port);
  const client = new Client({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  return {
    signal: (signal) => void child.kill(signal),
    say: async (command = '', ...said) => {
      const answer: unknown = await client.call(command, ...said);
      return Array.isArray(answer) ? answer.join('\n') : String(answer);
    },
    stop: async () => {
      client.disconnect();
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function listens(port: number): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => {
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('redis does not listen');
}

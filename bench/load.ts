/** Runs `load.c` and reads what it prints. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { endsWithUs, type Server } from './server.ts';
import { program, type Setting } from './setting.ts';

/** Microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface LoadResult {
  readonly sessions: number;
  readonly errors: number;
  /** Sessions a second. */
  readonly rate: number;
  readonly replies: number;
  /** Replies that took more than 30 ms. */
  readonly stalls: number;
  readonly reply: Percentiles;
  readonly helo: Percentiles;
  /** From HELO to the last answer, for kinds of session that go on after HELO. */
  readonly verdict: Percentiles | null;
  readonly session: Percentiles;
  /** Microseconds of CPU a session, of the process tree of each pid given. */
  readonly cpu: readonly number[];
  /** KiB of memory (PSS) of the same. */
  readonly pss: readonly number[];
}

export interface LoadOptions {
  readonly kind?: 'helo' | 'sender' | 'recipient' | 'mail' | undefined;
  readonly sessions: number;
  /** Sessions open at once, at most. */
  readonly open?: number;
  /** Sessions a second; without it a session starts when another ends. */
  readonly rate?: number;
  /** Share of the sessions that come from hot clients; by default 1. */
  readonly hits?: number;
  readonly hot?: number;
  /** Number of the first fresh client. */
  readonly first?: number;
}

function argumentsOf(server: Server, options: LoadOptions): string[] {
  const { kind = 'helo', sessions, open = 16, rate = 0, hits = 1, hot = HOT, first = hot } = options;
  const numbers = { n: sessions, c: open, r: rate, w: hits, H: hot, f: first, p: server.pid };
  return [
    ...['-s', server.socket, '-k', kind],
    ...Object.entries(numbers).flatMap(([flag, value]) => [`-${flag}`, String(value)]),
  ];
}

/** Clients that come again and again. */
export const HOT = 1000;

/** Rejects if a session failed. */
export async function load(server: Server, options: LoadOptions): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(program('load'), argumentsOf(server, options));
  return JSON.parse(stdout) as LoadResult;
}

/** Microseconds of CPU a session, of the server. */
export const cost = ({ cpu }: LoadResult): number => cpu[0] ?? NaN;

/**
 * After this many sessions V8 has compiled what is used often. A milter runs for weeks; its first seconds
 * have a row of their own.
 */
const SETTLED = 20_000;

/** The server once it knows all hot clients and has run for a while. */
export async function warm<S extends Server>(
  { settle }: Pick<Setting, 'settle'>,
  server: S,
  kind: LoadOptions['kind'] = 'sender',
): Promise<S> {
  await load(server, { sessions: HOT, hits: 0, first: 0 });
  if (settle) await load(server, { kind, sessions: SETTLED });
  return server;
}

export interface Held {
  /** KiB of memory (PSS) of the server with the sessions open. */
  readonly pss: number;
  readonly release: () => Promise<void>;
}

/**
 * Opens sessions and holds them after HELO. They come from few clients, so that it is not the cache that
 * grows.
 */
export async function hold(server: Server, sessions: number): Promise<Held> {
  const args = [...argumentsOf(server, { sessions, hot: 10 }), '-i'];
  const child = spawn(program('load'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  endsWithUs(child);
  const line = await firstLine(child);
  const { pss } = JSON.parse(line) as LoadResult;
  return {
    pss: pss[0] ?? NaN,
    release: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await gone;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text);
    });
    child.once('exit', (code) => {
      reject(new Error(`load ended with ${String(code)}`));
    });
  });
}

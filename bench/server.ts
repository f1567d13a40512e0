/** The milters under test, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { NODE_FLAGS } from '../test/mta/kit/node-flags.ts';
import { freePort } from '../test/mta/kit/workdir.ts';
import { HOT } from './load.ts';
import { type Node, program, ROOT, type Setting } from './setting.ts';

export type Transport = 'unix' | 'tcp';

export interface Server {
  /** As Postfix spells it. */
  readonly socket: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** The last event that has a callback. */
export type LastEvent = 'helo' | 'sender' | 'recipient' | 'mail';

let count = 0;

async function newSocket({ workdir }: Setting, transport: Transport): Promise<string> {
  return transport === 'unix'
    ? `unix:${join(workdir, `${++count}.sock`)}`
    : `inet:127.0.0.1:${await freePort()}`;
}

/**
 * `answersConnect` off leaves CONNECT unanswered (NR_CONN), as the program itself does over a unix socket.
 */
interface EmptyOptions {
  readonly last: LastEvent;
  readonly answersConnect: boolean;
}

/** A bare epoll loop with canned answers to CONNECT and HELO. */
export async function floor(
  setting: Setting,
  transport: Transport,
  answersConnect: boolean,
): Promise<Server> {
  const socket = await newSocket(setting, transport);
  return start(socket, program('floor'), [socket, ...(answersConnect ? [] : ['-c'])]);
}

/** libmilter with empty callbacks. */
export async function libmilter(
  setting: Setting,
  transport: Transport,
  { last, answersConnect }: EmptyOptions,
): Promise<Server> {
  const socket = await newSocket(setting, transport);
  const spelt = socket.replace(/^inet:(.*):(\d+)$/, 'inet:$2@$1');
  return start(socket, program('empty-milter'), [spelt, '-u', last, ...(answersConnect ? [] : ['-c'])]);
}

/** `helo-milter/milter` with empty callbacks. */
export async function emptyCallbacks(
  setting: Setting,
  transport: Transport,
  node: Node,
  { last, answersConnect }: EmptyOptions,
): Promise<Server> {
  const socket = await newSocket(setting, transport);
  const file = join(ROOT, 'bench', 'empty-callbacks.mjs');
  return start(socket, node.path, [...NODE_FLAGS, file, socket, last, ...(answersConnect ? [] : ['-c'])]);
}

interface ProductOptions {
  readonly args: readonly string[];
  /** Further options for Node itself, such as a module to load first. */
  readonly nodeFlags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** The program as built, its log going to a file. */
export async function product(
  setting: Setting,
  transport: Transport,
  node: Node,
  { args, nodeFlags = [], env = {} }: ProductOptions,
): Promise<Server> {
  const socket = await newSocket(setting, transport);
  const own = ['--listen', socket, '--socket-mode', '0666', '--grace', '0s'];
  const log = join(setting.workdir, `${++count}.log`);
  return start(socket, node.path, [...NODE_FLAGS, ...nodeFlags, CLI, ...own, ...args], { log, env });
}

export const CLI = join(ROOT, 'dist', 'cli.js');

/** The address of a client of `load.c`: no two of a thousand are neighbours. */
export function addressOf(client: number): readonly number[] {
  return [11, client & 255, client >> 8, 1];
}

/** The name that it gives. Each has a domain of its own: questions about one domain wait for each other. */
export function nameOf(client: number): string {
  return `mx${client}.h${client}.org`;
}

/** Records by zone: every hot client under the name that `load.c` gives it, forward and reverse. */
export function hotZones(): Readonly<Record<string, readonly string[]>> {
  const hosts = Array.from({ length: HOT }, (_, i) => i);
  return {
    org: hosts.map((i) => `${nameOf(i)}. IN A ${addressOf(i).join('.')}`),
    '11.in-addr.arpa': hosts.map(
      (i) => `${addressOf(i).toReversed().slice(0, 3).join('.')} IN PTR ${nameOf(i)}.`,
    ),
  };
}

/** Path of a zone file with the hot clients. */
export function cleanZone({ workdir }: Setting): string {
  const file = join(workdir, 'clean.zone');
  const lines = Object.entries(hotZones()).flatMap(([zone, records]) => [`$ORIGIN ${zone}.`, ...records]);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** A zone file in which `org` exists and no domain of a client does. */
export function emptyZone({ workdir }: Setting): string {
  const file = join(workdir, 'empty.zone');
  writeFileSync(file, '$ORIGIN example-2.org.\nother IN A 192.0.2.1\n');
  return file;
}

/** Like the clean zone, but every other name exists too. */
export function wideZone(setting: Setting): string {
  const file = join(setting.workdir, 'wide.zone');
  const clean = readFileSync(cleanZone(setting), 'utf8');
  writeFileSync(file, `${clean}$ORIGIN org.\n* IN A 11.255.255.255\n`);
  return file;
}

interface StartOptions {
  /** File for what the program prints; by default its output is thrown away. */
  readonly log?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Process {
  readonly child: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** Ends when we do, however that happens. */
export function startProcess(
  command: string,
  args: readonly string[],
  { log = '/dev/null', env = {} }: StartOptions = {},
): Process {
  const out = openSync(log, 'a');
  const child = spawn(command, args, { stdio: ['ignore', out, out], env: { ...process.env, ...env } });
  closeSync(out);
  endsWithUs(child);
  return {
    child,
    stop: async () => {
      if (child.exitCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function start(
  socket: string,
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Server> {
  const { child, stop } = startProcess(command, args, options);
  await listens(socket, child);
  return { socket, pid: child.pid ?? 0, stop };
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** So that nothing is left running when the bench is interrupted. */
export function endsWithUs(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

async function listens(socket: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (child.exitCode !== null) break;
    if (await accepts(socket)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${child.spawnargs.join(' ')} does not listen`);
}

function accepts(socket: string): Promise<boolean> {
  const [, host = '', port = ''] = /^inet:(.*):(\d+)$/.exec(socket) ?? [];
  const probe = port === '' ? connect(socket.slice('unix:'.length)) : connect(Number(port), host);
  return new Promise((resolve) => {
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => {
      resolve(false);
    });
  });
}

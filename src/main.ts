/**
 * The program, on a Node that is new enough, as cli.ts has checked. What the commands need of `process` is
 * here.
 */
import { fstatSync, readFileSync, writeSync } from 'node:fs';
import { descriptorLimit } from './milter/descriptors.ts';
import { runCommandLine } from './commands/command-line.ts';
import { screenOf } from './commands/paint.ts';
import type { Terminal } from './commands/terminal.ts';
import { STANDARD_CONFIG } from './config/source.ts';
import type { Host, ProcessIdentity } from './system/host.ts';
import { version } from './system/version.ts';
import { writeAll } from './log/write-all.ts';

const STDOUT = 1;

/** Node's own stdout writes to files synchronously, and asynchronously only to pipes and sockets. */
function toFile(bytes: Buffer, done: (error: Error | null) => void): void {
  writeAll(STDOUT, bytes, done);
}

function toStream(bytes: Buffer, done: (error: Error | null) => void): void {
  process.stdout.write(bytes, (error) => {
    done(error ?? null);
  });
}

/** What stdout is; null if the program was started without one. */
function statStdout(): ReturnType<typeof fstatSync> | null {
  try {
    return fstatSync(STDOUT);
  } catch {
    return null;
  }
}

const stdout = statStdout();

/** On a system without such users we are nobody, and cannot become anybody else. */
const none = (): number => -1;
const refuse = (): never => {
  throw new Error('this system has no such users');
};

const identity: ProcessIdentity = {
  current: () => ({
    uid: (process.getuid ?? none)(),
    euid: (process.geteuid ?? none)(),
    gid: (process.getgid ?? none)(),
    egid: (process.getegid ?? none)(),
    groups: process.getgroups?.() ?? [],
  }),
  setGroups: (groups) => {
    (process.setgroups ?? refuse)([...groups]);
  },
  initGroups: (user, gid) => {
    // Missing from the types of Node 20.
    const { initgroups = refuse } = process as { initgroups?: (user: string, extraGroup: number) => void };
    initgroups(user, gid);
  },
  setGid: (gid) => {
    (process.setgid ?? refuse)(gid);
  },
  setUid: (uid) => {
    (process.setuid ?? refuse)(uid);
  },
};

function systemName(): string {
  try {
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

const host: Host = {
  pid: process.pid,
  node: {
    version: process.version,
    // Only builds of Node for a distribution are linked with the distribution's libraries.
    ofDistribution:
      (process.config.variables as { readonly node_shared_libuv?: boolean }).node_shared_libuv === true,
  },
  systemName,
  openFiles: descriptorLimit,
  script: process.argv[1] ?? '',
  environment: process.env,
  monotonic: () => process.hrtime.bigint(),
  isAlive: (pid) => {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  },
  identity,
};

const terminal: Terminal = {
  host,
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  writeLog: stdout?.isFile() === true ? toFile : toStream,
  // systemd.exec(5): device and inode of the stream, so that output redirected elsewhere is not taken for it.
  journal: stdout !== null && process.env['JOURNAL_STREAM'] === `${stdout.dev}:${stdout.ino}`,
  onExit: (rest) => {
    process.on('exit', () => {
      const bytes = rest();
      if (bytes.length === 0) return;
      try {
        writeSync(STDOUT, bytes);
      } catch {
        // A full disk, or a pipe that nobody reads: there is nobody to tell.
      }
    });
  },
  abandon: () => {
    // A write that never ends would keep the process alive.
    process.exit();
  },
  screen: screenOf(process.stdout, process.stderr, process.env),
  standardConfig: STANDARD_CONFIG,
  // Opened only by a command that reads it: an open standard input would keep the process alive.
  get input() {
    return process.stdin;
  },
  untilStopped: () =>
    new Promise((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    }),
  onReload: (listener) => {
    process.on('SIGHUP', listener);
  },
  onReopen: (listener) => {
    process.on('SIGUSR1', listener);
  },
  onFault: (listener) => {
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (error: unknown) => {
        listener(event, error);
      });
    }
  },
};

// The reader of our output may be gone; mail goes on.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

process.exitCode = await runCommandLine(process.argv.slice(2), version, terminal, process.env);

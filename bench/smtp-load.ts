/** Runs `smtp-load.c` and reads what it prints. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Percentiles } from './load.ts';
import { hotZones } from './server.ts';
import { program } from './setting.ts';

export interface SmtpResult {
  readonly errors: number;
  readonly replies: number;
  /** Sessions a second, of one message each. */
  readonly rate: number;
  /**
   * Replies that took more than 30 ms, by command; not the greeting, before which an MTA may start a process.
   */
  readonly stalls: Readonly<Record<string, number>>;
  readonly greeting: Percentiles;
  readonly ehlo: Percentiles;
  readonly reply: Percentiles;
  /** The reply to the end of the message. */
  readonly text: Percentiles | null;
  readonly session: Percentiles;
  /** Microseconds of CPU a session, of the process tree of each pid given. */
  readonly cpu: readonly number[];
}

export interface SmtpLoadOptions {
  readonly port: number;
  readonly kind: 'ehlo' | 'mail';
  readonly sessions: number;
  readonly open: number;
  readonly pids?: readonly number[];
  /** Queue directory of Postfix, so as to wait until everything is delivered. */
  readonly spool?: string;
}

/** Number of clients; their addresses start at 198.51.100.1. */
const CLIENTS = 100;

/** Rejects if a session failed. */
export async function smtpLoad(options: SmtpLoadOptions): Promise<SmtpResult> {
  const { port, kind, sessions, open, pids = [], spool } = options;
  const args = ['-s', `inet:127.0.0.1:${port}`, '-k', kind, '-n', sessions, '-c', open, '-a', CLIENTS];
  const queue = spool === undefined ? [] : ['-q', spool];
  const watched = pids.flatMap((pid) => ['-p', pid]);
  const { stdout } = await promisify(execFile)(
    program('smtp-load'),
    [...args, ...queue, ...watched].map(String),
  );
  return JSON.parse(stdout) as SmtpResult;
}

/** Zones for NSD with the names, forward and reverse, of every client and of every hot client of `load.c`. */
export function clientZones(): Record<string, string> {
  const hosts = Array.from({ length: CLIENTS }, (_, i) => i + 1);
  // Longer than the whole bench takes: cache hits are what is measured.
  const zone = (records: readonly string[]): string => ['$TTL 3600', ...records].join('\n');
  return {
    ...Object.fromEntries(Object.entries(hotZones()).map(([name, records]) => [name, zone(records)])),
    'sender.org': zone(hosts.map((i) => `mx${i} IN A 198.51.100.${i}`)),
    '100.51.198.in-addr.arpa': zone(hosts.map((i) => `${i} IN PTR mx${i}.sender.org.`)),
  };
}

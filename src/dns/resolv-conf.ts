/**
 * `/etc/resolv.conf` as glibc reads it (resolv.conf(5)), read again when it has changed. Search lists are not
 * read: every name that is asked for is complete. `edns0` is not either: questions are always asked with EDNS
 * first.
 */
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';

export interface ResolvConf {
  /** At most three, as in glibc; loopback if none is given. */
  readonly servers: readonly string[];
  /** Milliseconds that one server gets at first. */
  readonly timeoutMs: number;
  /** Rounds through the servers. */
  readonly attempts: number;
  /** Every question begins with another server. */
  readonly rotate: boolean;
  /** The servers are trusted when they say that an answer is validated. */
  readonly trustAd: boolean;
}

/** glibc's limits: `MAXNS`, `RES_MAXRETRANS` and `RES_MAXRETRY`. */
const MAX_SERVERS = 3;
const MAX_TIMEOUT_S = 30;
const MAX_ATTEMPTS = 5;

/** Never throws: what cannot be understood is skipped, as glibc does. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  const options = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trimEnd().split(/[ \t]+/);
    if (keyword === 'nameserver') {
      const [address = ''] = values;
      if (isIP(address) !== 0 && servers.length < MAX_SERVERS) servers.push(address);
    } else if (keyword === 'options') {
      for (const option of values) {
        const [, name = option, number = '0'] = /^([a-z]+):(\d{1,6})$/.exec(option) ?? [];
        options.set(name, Number(number));
      }
    }
  }
  return {
    servers: servers.length > 0 ? servers : ['127.0.0.1'],
    timeoutMs: Math.min(Math.max(1, options.get('timeout') ?? 5), MAX_TIMEOUT_S) * 1000,
    attempts: Math.min(Math.max(1, options.get('attempts') ?? 2), MAX_ATTEMPTS),
    rotate: options.has('rotate'),
    trustAd: options.has('trust-ad'),
  };
}

const PATH = '/etc/resolv.conf';
/** How often the file is looked at, milliseconds. */
const LOOK_EVERY_MS = 1_000;

/** The file as it is now, looked at once a second at most; the same object until it says something else. */
export function watchResolvConf(now: () => number, path = PATH): () => ResolvConf {
  let lookedAt = -Infinity;
  let seen = '';
  let current = parseResolvConf('');
  return () => {
    if (now() - lookedAt < LOOK_EVERY_MS) return current;
    lookedAt = now();
    try {
      const { mtimeMs, ino, size } = statSync(path);
      const mark = `${mtimeMs} ${ino} ${size}`;
      if (mark === seen) return current;
      const read = parseResolvConf(readFileSync(path, 'utf8'));
      seen = mark;
      // DHCP clients write the same file again and again.
      if (JSON.stringify(read) !== JSON.stringify(current)) current = read;
    } catch {
      // There is no file, or it is just being replaced: what was read before still counts.
    }
    return current;
  };
}

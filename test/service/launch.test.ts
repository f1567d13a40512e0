/** The order in which rights are needed and given up, and what is left behind if a start fails. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import type { Config } from '../../src/config/config.ts';
import { launch } from '../../src/service/launch.ts';
import type { Host } from '../../src/system/host.ts';
import { makeHost } from '../support/host.ts';
import { RecordedServer } from '../support/milter-server.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'launch-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const pidFile = (): string => join(directory, 'pid');
const configOf = (options: Readonly<Record<string, string>> = {}): Config =>
  readConfig(new Map(Object.entries(options).map(([key, text]) => [key, [text]])));

/** A process started by root that does what it is told, and records it. */
function rootHost(calls: string[]): Host {
  let ids = { uid: 0, euid: 0, gid: 0, egid: 0, groups: [0] };
  return makeHost({
    identity: {
      current: () => ids,
      initGroups: () => calls.push(`groups, pid file ${existsSync(pidFile()) ? 'there' : 'missing'}`),
      setGid: (gid) => (ids = { ...ids, gid, egid: gid }),
      setUid: (uid) => {
        calls.push('user');
        ids = { ...ids, uid, euid: uid };
      },
    },
  });
}

it('goes from sockets to the first byte in the order in which rights are given up', async () => {
  const server = new RecordedServer();
  const { calls } = server;
  const config = configOf({ user: 'root', group: '4242', pidFile: pidFile() });
  const launched = await launch(server, config, { host: rootHost(calls), handed: [] }, () => {
    calls.push('open');
    return Promise.resolve();
  });
  expect(calls).toEqual(['listen inet:127.0.0.1:8892', 'groups, pid file there', 'user', 'open', 'admit']);
  expect(launched.sockets).toHaveLength(1);
  expect(readFileSync(pidFile(), 'utf8')).toBe('4711\n');
  await launched.removePidFile();
  expect(existsSync(pidFile())).toBe(false);
});

it('leaves the process alone that is another program’s', async () => {
  const server = new RecordedServer();
  const config = configOf({ user: 'no-such-user', pidFile: pidFile() });
  await launch(server, config, null, () => Promise.resolve());
  expect(server.calls).toEqual(['listen inet:127.0.0.1:8892', 'admit']);
  expect(existsSync(pidFile())).toBe(false);
});

it.each<[title: string, options: Readonly<Record<string, string>>, calls: string[], message: RegExp]>([
  ['the user is unknown', { user: 'no-such-user' }, ['close'], /^--user: there is no user/],
  [
    'the process id cannot be written',
    { pidFile: '/no/such/directory/pid' },
    ['listen inet:127.0.0.1:8892', 'close'],
    /^--pid-file: /,
  ],
  ['a file cannot be opened', {}, ['listen inet:127.0.0.1:8892', 'close'], /^boom$/],
])('leaves nothing behind where %s', async (_, options, calls, message) => {
  const server = new RecordedServer();
  const config = configOf({ pidFile: pidFile(), ...options });
  const started = launch(server, config, { host: makeHost(), handed: [] }, () =>
    Promise.reject(new Error('boom')),
  );
  await expect(started).rejects.toThrow(message);
  expect(server.calls).toEqual(calls);
  expect(existsSync(pidFile())).toBe(false);
});

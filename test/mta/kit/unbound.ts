/** A private unbound on loopback: a real validating resolver that knows only the zones of a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withSystemPath } from './nsd.ts';
import { freePort } from './workdir.ts';

export interface Unbound {
  /** As `--dns-server` wants it. */
  readonly server: string;
  stop(): Promise<void>;
}

/**
 * Starts unbound with these zones on the name server `upstream`, the root being the empty name; `anchors` are
 * DS or DNSKEY records in master-file form. By default on a free port.
 */
export async function startUnbound(
  workdir: string,
  {
    zones,
    upstream,
    anchors = [],
    port: wanted,
  }: { zones: readonly string[]; upstream: string; anchors?: readonly string[]; port?: number },
): Promise<Unbound> {
  const port = wanted ?? (await freePort());
  const directory = join(workdir, 'unbound');
  mkdirSync(directory, { recursive: true });
  const settings = [
    'server:',
    `  interface: 127.0.0.1@${port}`,
    '  access-control: 127.0.0.0/8 allow',
    '  username: ""',
    '  chroot: ""',
    `  directory: "${directory}"`,
    `  pidfile: "${join(directory, 'unbound.pid')}"`,
    '  use-syslog: no',
    `  logfile: "${join(directory, 'unbound.log')}"`,
    '  do-not-query-localhost: no',
    '  module-config: "validator iterator"',
    '  val-permissive-mode: no',
    '  ede: yes',
    '  num-threads: 1',
    ...anchors.map((anchor) => `  trust-anchor: "${anchor}"`),
    // By default unbound itself answers for these: `test`, and the reverse names of the networks for
    // documentation.
    '  local-zone: "test." nodefault',
    '  unblock-lan-zones: yes',
    // Keep the order of the zone: some readers of an answer take the first record that fits.
    '  rrset-roundrobin: no',
    ...zones.flatMap((zone) => [
      'stub-zone:',
      `  name: "${zone}."`,
      `  stub-addr: ${upstream.replace(':', '@')}`,
    ]),
    'remote-control:',
    '  control-enable: no',
  ];
  const file = join(directory, 'unbound.conf');
  writeFileSync(file, `${settings.join('\n')}\n`);
  const child = spawn('unbound', ['-d', '-c', file], { stdio: 'ignore', env: withSystemPath() });
  process.once('exit', () => child.kill('SIGKILL'));
  await listens(port, child);
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  };
  return { server: `127.0.0.1:${port}`, stop };
}

/** Asks for the root until any answer comes. */
async function listens(port: number, child: ChildProcess): Promise<void> {
  const socket = createSocket('udp4');
  const heard: Buffer[] = [];
  socket.on('message', (bytes) => heard.push(bytes));
  socket.on('error', () => undefined);
  const query = Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
  for (let i = 0; i < 200 && heard.length === 0; i++) {
    if (child.exitCode !== null) throw new Error('unbound has ended');
    socket.send(query, port, '127.0.0.1');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  socket.close();
  if (heard.length === 0) throw new Error('unbound does not answer');
}

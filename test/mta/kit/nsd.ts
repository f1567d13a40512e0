/** A private NSD on loopback: a real authoritative name server for the zones of a test. */
import { spawn } from 'node:child_process';
import { promises as dns } from 'node:dns';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './workdir.ts';

export interface Nsd {
  /** As `--dns-server` wants it. */
  readonly server: string;
  /** Makes it keep its port and answer nothing, or answer again. */
  silence(silent: boolean): void;
  stop(): Promise<void>;
}

/**
 * Starts NSD on 127.0.0.1, by default on a free port, with these zones: name without a final dot (the root:
 * `''`) → records in master-file form, without SOA and NS.
 */
export async function startNsd(
  workdir: string,
  zones: Readonly<Record<string, string>>,
  { port: wanted }: { readonly port?: number } = {},
): Promise<Nsd> {
  const directory = join(workdir, 'nsd');
  mkdirSync(directory, { recursive: true });
  const port = wanted ?? (await freePort());
  const names = Object.keys(zones);
  for (const name of names) {
    const head = `$ORIGIN ${name}.\n$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\n`;
    writeFileSync(join(directory, `${name}.zone`), `${head}${zones[name] ?? ''}\n`);
  }
  const settings = [
    'server:',
    `  ip-address: 127.0.0.1@${port}`,
    '  username: ""',
    '  chroot: ""',
    '  database: ""',
    '  server-count: 1',
    '  rrl-ratelimit: 0',
    `  zonesdir: "${directory}"`,
    `  zonelistfile: "${join(directory, 'zone.list')}"`,
    `  xfrdfile: "${join(directory, 'xfrd.state')}"`,
    `  xfrdir: "${directory}"`,
    `  pidfile: "${join(directory, 'nsd.pid')}"`,
    `  logfile: "${join(directory, 'nsd.log')}"`,
    'remote-control:',
    '  control-enable: no',
    ...names.flatMap((name) => ['zone:', `  name: "${name}."`, `  zonefile: "${name}.zone"`]),
  ];
  const file = join(directory, 'nsd.conf');
  writeFileSync(file, `${settings.join('\n')}\n`);
  // A process group of its own, so that all its processes can be stopped.
  const child = spawn('nsd', ['-d', '-c', file], { stdio: 'ignore', env: withSystemPath(), detached: true });
  const signalAll = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
  };
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  };
  process.once('exit', () => {
    signalAll('SIGKILL');
  });
  await answers(port, names[0] ?? '');
  const silence = (silent: boolean): void => {
    signalAll(silent ? 'SIGSTOP' : 'SIGCONT');
  };
  return { server: `127.0.0.1:${port}`, silence, stop };
}

async function answers(port: number, zone: string): Promise<void> {
  const resolver = new dns.Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  for (let i = 0; i < 100; i++) {
    try {
      await resolver.resolveSoa(zone);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('nsd does not answer');
}

/** Daemons live in sbin, which the PATH of an ordinary shell leaves out. */
export function withSystemPath(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}

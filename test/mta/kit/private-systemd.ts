/**
 * A real systemd, as process 1 of namespaces of its own, with our units installed as an operator would
 * install them. It shares network and files with the test; its /run, its journal and its control groups are
 * its own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { install } from './installed.ts';

/** The units that are shipped. */
export const UNITS = fileURLToPath(new URL('../../../systemd', import.meta.url));
/** The same units, at a path that exists inside, wherever the checkout is. */
export const INSTALLED_UNITS = '/opt/helo-milter/systemd';
const SYSTEMD = '/lib/systemd/systemd';

export interface PrivateSystemd {
  /** Runs a program inside, such as `systemctl`; resolves to what it wrote. Rejects if it fails. */
  run(program: string, ...args: string[]): Promise<string>;
  /** Writes a file, with its directory, as it is seen from inside. */
  write(path: string, text: string): void;
  /** The service's lines in the journal, each with its priority before it. */
  journal(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface SystemdOptions {
  /** What is added to the service unit and to the socket unit. */
  readonly service: string;
  readonly socket: string;
  /**
   * Contents of /etc/helo-milter.toml; null to have neither that file nor the units installed, only what is
   * added to them.
   */
  readonly config: string | null;
}

export async function startSystemd(
  workdir: string,
  { service, socket, config }: SystemdOptions,
): Promise<PrivateSystemd> {
  const base = join(workdir, 'systemd');
  const bin = join(base, 'bin');
  const units = join(base, 'units');
  mkdirSync(bin, { recursive: true });
  mkdirSync(units);
  if (config !== null) {
    cpSync(UNITS, units, { recursive: true });
    writeFileSync(join(base, 'helo-milter.toml'), config);
  }
  // By default every unit waits for the start of a whole machine; these do not. A test's own additions come
  // later.
  const alone = '[Unit]\nDefaultDependencies=no\n';
  for (const [unit, text] of [
    ['helo-milter.service', `${alone}[Service]\n${service}`],
    ['helo-milter.socket', `${alone}[Socket]\n${socket}`],
  ] as const) {
    mkdirSync(join(units, `${unit}.d`), { recursive: true });
    writeFileSync(join(units, `${unit}.d/00-test.conf`), `${text}\n`);
  }
  // Not from the checkout, which may be in /tmp or /home: the service does not see those.
  install(join(base, 'installed'));
  writeFileSync(
    join(units, 'test.target'),
    '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\nAfter=systemd-journald.service\n',
  );
  const script = `
    set -e
    # It is the only one here with the right to change the machine: all but the test's own directory is read-only, or in
    # memory and gone with it.
    mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/system /run/kept
    cp -r ${units}/. /run/systemd/system
    mount --bind ${workdir} /run/kept
    mount -t tmpfs tmpfs /opt
    mkdir /opt/helo-milter
    mount --bind ${join(base, 'installed')} /opt/helo-milter
    ln -s /opt/helo-milter/dist/cli.js ${bin}/helo-milter
    ln -s /opt/helo-milter/node ${bin}/node
    mount --bind ${bin} /usr/local/bin
    for each in /tmp /var/tmp /var/log /var/lib /var/cache /dev/shm /root /home; do
      [ ! -d "$each" ] || mount -t tmpfs tmpfs "$each"
    done
    mkdir -p ${workdir}
    mount --bind /run/kept ${workdir}
    mkdir /run/etc
    cp -a /etc/. /run/etc
    mount --bind /run/etc /etc
    umount -R -l /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
    mount --bind /proc/sys /proc/sys
    ${config === null ? '' : `cp ${join(base, 'helo-milter.toml')} /etc`}
    for each in / /proc/sys /sys /dev; do mount -o remount,ro,bind "$each"; done
    ! touch /usr/x 2>/dev/null
    exec ${SYSTEMD} --system --unit=test.target --machine-id=00112233445566778899aabbccddeeff --log-target=console --show-status=no
  `;
  const namespaces = [
    '--pid',
    '--fork',
    '--kill-child',
    '--mount',
    '--mount-proc',
    '--cgroup',
    '--uts',
    '--ipc',
  ];
  const group = makeControlGroup();
  const enter = `echo $$ >${group}/cgroup.procs; exec unshare ${namespaces.join(' ')} sh -c "$0"`;
  const child = spawn('sh', ['-c', enter, script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // With this set, systemd leaves alone what belongs to the whole machine.
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', container: 'test' },
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const run = async (program: string, ...args: string[]): Promise<string> => {
    const into = ['-t', String(firstProcess(child)), '-m', '-p', '-C', '-u', '-i', program, ...args];
    try {
      return (await promisify(execFile)('nsenter', into, { encoding: 'utf8' })).stdout;
    } catch (error) {
      // What systemd says of a job that failed is not in the journal.
      throw new Error(`${String(error)}\nsystemd: ${said.slice(-1000)}`, { cause: error });
    }
  };
  for (let i = 0; ; i++) {
    const state = await run('systemctl', 'is-active', 'systemd-journald.service').catch(() => '');
    if (state.trim() === 'active') break;
    if (i > 200 || child.exitCode !== null) throw new Error(`systemd does not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    run,
    write: (path, text) => {
      const inside = `/proc/${firstProcess(child)}/root${path}`;
      mkdirSync(dirname(inside), { recursive: true });
      writeFileSync(inside, text);
    },
    journal: async () => {
      await run('journalctl', '--sync');
      const text = await run('journalctl', '-u', 'helo-milter.service', '-o', 'json', '--no-pager');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { readonly PRIORITY: string; readonly MESSAGE: string })
        .map(({ PRIORITY, MESSAGE }) => `<${PRIORITY}>${MESSAGE}`);
    },
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      process.kill(firstProcess(child), 'SIGKILL');
      child.kill('SIGKILL');
      await gone;
      await removeControlGroup(group);
    },
  };
}

/** Process 1 of the namespace, as seen from here. */
function firstProcess({ pid }: ChildProcess): number {
  const first = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  if (!(first > 0)) throw new Error('systemd is gone');
  return first;
}

/**
 * A control group below the root of the unified hierarchy, wherever that is mounted; everything systemd makes
 * stays in it.
 */
function makeControlGroup(): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const [, root] = mounts.find(([, , type]) => type === 'cgroup2') ?? [];
  if (root === undefined) throw new Error('cgroup2 is not mounted');
  return mkdtempSync(join(root, 'hm-'));
}

/** Killed processes may take a moment to leave the group. */
async function removeControlGroup(path: string): Promise<void> {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeControlGroup(join(path, entry.name));
  }
  for (let i = 0; ; i++) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (i > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

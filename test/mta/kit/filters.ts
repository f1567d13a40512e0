/**
 * Other filters of a mail host, as Debian has them: OpenDKIM, OpenDMARC and rspamd as milters, policyd-spf as
 * a policy service of Postfix. They ask the name server on port 53 of 127.0.0.1.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { withSystemPath } from './nsd.ts';
import { freePort } from './workdir.ts';

/** Where a filter listens. */
interface Place {
  /** What its own program calls a TCP port: this one of 127.0.0.1. */
  readonly port: number;
  /** A unix socket in place of that, which Postfix may use; null for TCP. */
  readonly path: string | null;
}

export interface Filter extends Place {
  readonly pid: number;
  stop(): Promise<void>;
}

/** The name under which all of them sign. */
const ID = 'mx.dest.test';

/**
 * Words before a command that make it ask our name server: in a mount namespace of its own, /etc/resolv.conf
 * is another file.
 */
export function withOurDns(workdir: string): readonly [string, ...string[]] {
  const file = join(workdir, 'resolv.conf');
  writeFileSync(file, 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
  chmodSync(file, 0o644);
  return ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file];
}

async function start(
  name: string,
  workdir: string,
  overUnix: boolean,
  make: (place: Place, directory: string) => Start,
): Promise<Filter> {
  const directory = join(workdir, name);
  mkdirSync(directory, { recursive: true });
  // rspamd gives up root's rights.
  chmodSync(directory, 0o777);
  const place: Place = { port: await freePort(), path: overUnix ? join(directory, 'socket') : null };
  const { config, program } = make(place, directory);
  const file = join(directory, 'conf');
  writeFileSync(file, `${config.join('\n')}\n`);
  const [command, ...args] = [...program, file];
  const child = spawn(command, args, { env: withSystemPath(), stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  for (let i = 0; !(await listens(place)); i++) {
    if (i > 1200 || child.exitCode !== null) throw new Error(`${name} does not listen: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    ...place,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

interface Start {
  readonly config: readonly string[];
  readonly program: readonly [string, ...string[]];
}

async function listens({ port, path }: Place): Promise<boolean> {
  const socket = path === null ? connect(port, '127.0.0.1') : connect(path);
  const open = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => {
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
  socket.destroy();
  return open;
}

/** As OpenDKIM and OpenDMARC write it. */
const spelt = ({ port, path }: Place): string => (path === null ? `inet:${port}@127.0.0.1` : `local:${path}`);

/** OpenDKIM verifies; `removeAll` makes it remove every field of the host's name that it finds. */
export const startOpendkim = (
  workdir: string,
  { removeAll = false, overUnix = false } = {},
): Promise<Filter> =>
  start(`opendkim${removeAll ? '-all' : ''}`, workdir, overUnix, (place, directory) => ({
    program: ['opendkim', '-f', '-x'],
    config: [
      'Mode v',
      'Syslog no',
      `Socket ${spelt(place)}`,
      'UMask 000',
      `PidFile ${directory}/pid`,
      `AuthservID ${ID}`,
      'Nameservers 127.0.0.1',
      'AlwaysAddARHeader yes',
      `RemoveARAll ${String(removeAll)}`,
    ],
  }));

/** OpenDMARC refuses what fails; with `spf` it checks SPF itself if no field reports it. */
export const startOpendmarc = (
  workdir: string,
  { spf, overUnix = false }: { readonly spf: boolean; readonly overUnix?: boolean },
): Promise<Filter> =>
  start(`opendmarc${spf ? '-spf' : ''}`, workdir, overUnix, (place, directory) => ({
    program: [...withOurDns(workdir), 'opendmarc', '-f', '-c'],
    config: [
      'Syslog false',
      `Socket ${spelt(place)}`,
      'UMask 000',
      `PidFile ${directory}/pid`,
      `AuthservID ${ID}`,
      'RejectFailures true',
      `SPFSelfValidate ${String(spf)}`,
    ],
  }));

const resultsOf = (remove: boolean): readonly string[] => [
  'spf { } dkim { } dmarc { }',
  'milter_headers {',
  '  use = ["authentication-results"];',
  ...(remove ? [] : ['  routines { authentication-results { remove = false; } }']),
  '}',
];

/**
 * rspamd signs with the name that Postfix gives; by default it removes what others have written. `modules`
 * are sections of its configuration in place of those for SPF, DKIM, DMARC and the header.
 */
export const startRspamd = (
  workdir: string,
  { remove = false, modules = resultsOf(remove), overUnix = false } = {},
): Promise<Filter> =>
  start(`rspamd${remove ? '-removing' : ''}`, workdir, overUnix, ({ port, path }, directory) => {
    const place = path === null ? `127.0.0.1:${port}` : `${path} mode=0666`;
    writeFileSync(join(directory, 'tld'), 'org\nnet\ntest\n');
    return {
      program: ['rspamd', '-f', '-u', '_rspamd', '-g', '_rspamd', '-c'],
      config: [
        `logging { type = "file"; filename = "${directory}/log"; level = "warning"; }`,
        'options {',
        `  pidfile = "${directory}/pid"; filters = "dkim"; tempdir = "${directory}"; hs_cache_dir = "${directory}";`,
        `  cache_file = "${directory}/symbols"; control_socket = "${directory}/control mode=0600"; url_tld = "${directory}/tld";`,
        '  dns { nameserver = ["127.0.0.1"]; timeout = 1s; }',
        '}',
        'worker "rspamd_proxy" {',
        `  bind_socket = "${place}"; milter = yes; timeout = 60s; count = 1;`,
        '  upstream "local" { default = yes; self_scan = yes; }',
        '}',
        'modules { path = "/usr/share/rspamd/plugins"; }',
        'lua = "/usr/share/rspamd/rules/rspamd.lua";',
        'metric { name = "default"; actions { reject = 1000; } }',
        ...modules,
      ],
    };
  });

/**
 * policyd-spf as Postfix starts it, writing Authentication-Results (AR) or Received-SPF (SPF): lines for
 * master.cf, and the restriction that asks it.
 */
export function policydSpf(
  workdir: string,
  header: 'AR' | 'SPF',
): { readonly masterCf: string; readonly restriction: string } {
  const name = `policyd-spf-${header}`;
  const file = join(workdir, `${name}.conf`);
  writeFileSync(
    file,
    `Header_Type = ${header}\nAuthserv_Id = ${ID}\nHELO_reject = False\nMail_From_reject = False\nPermError_reject = False\nTempError_Defer = False\n`,
  );
  return {
    masterCf: `${name} unix - n n - 0 spawn user=nobody argv=/usr/bin/policyd-spf ${file}`,
    restriction: `check_policy_service unix:private/${name}`,
  };
}

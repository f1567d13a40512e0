/**
 * A private Sendmail on loopback, unpacked by `.ci/parts` beside Postfix. It accepts mail for dest.test and
 * leaves it in its queue. It has no XCLIENT: the client is who it is, see `test/mta/own-network`.
 */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificates } from './certificates.ts';
import { greets, type Mta, type MtaOptions, type Service, services } from './mta.ts';
import { PARTS } from './present.ts';
import { quietly } from '../../support/quietly.ts';

const ROOT = join(PARTS, 'sendmail');
const LIBRARIES = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu']
  .map((path) => join(ROOT, path))
  .join(':');

export interface Sendmail extends Mta {
  /** The sendmail.cf in force. */
  readonly cf: string;
  /**
   * `sendmail -bs` with the first milter: a session on a pipe, in which each line waits for the reply to the
   * one before, or on a socket as inetd hands it over. Resolves to all that it said, when it has ended.
   */
  onInput(input: readonly string[] | Socket): Promise<string>;
}

/**
 * The line of `postfix-conf/` that an administrator pastes, as the argument of a filter, with the milter at
 * hand.
 */
export function shippedFilter(socket: string): string {
  const file = readFileSync(new URL('../../../postfix-conf/sendmail.mc', import.meta.url), 'utf8');
  const line = /^INPUT_MAIL_FILTER\(`helo-milter', `S=local:\/run\/helo-milter\/socket, (.*)'\)dnl$/m.exec(
    file,
  )?.[1];
  if (line === undefined) throw new Error('postfix-conf/sendmail.mc names no filter');
  return `S=${socket}, ${line}`;
}

export async function startSendmail(workdir: string, options: MtaOptions): Promise<Sendmail> {
  const base = join(workdir, 'sendmail');
  const queue = join(base, 'queue');
  mkdirSync(queue, { recursive: true });
  chmodSync(queue, 0o700);
  const listening = await services(options.milters);
  writeFileSync(join(base, 'aliases'), '');
  writeFileSync(join(base, 'local-host-names'), 'mx.dest.test\n');
  writeFileSync(join(base, 'switch'), 'hosts\tfiles\naliases\tfiles\n');
  const cf = join(base, 'sendmail.cf');
  writeFileSync(`${base}/sendmail.mc`, macros(base, queue, listening, options));
  const env = { ...process.env, LD_LIBRARY_PATH: LIBRARIES };
  const { stdout } = await promisify(execFile)(join(ROOT, 'usr/bin/m4'), [`${base}/sendmail.mc`], {
    env,
    maxBuffer: 1 << 22,
  });
  writeFileSync(cf, stdout);
  // The host name has a dot, or Sendmail would sleep a minute in the hope of one. Without a log daemon
  // nothing is logged.
  const program = join(ROOT, 'usr/libexec/sendmail/sendmail');
  const command = (file: string, mode: string): string[] => [
    '-u',
    'sh',
    '-c',
    `hostname mx.dest.test; exec ${program} -C ${file} ${mode}`,
  ];
  const child = spawn('unshare', command(cf, '-bD'), { env, stdio: 'ignore' });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  for (const { port } of listening) await greets(port);
  return {
    name: 'Sendmail',
    ports: listening.map(({ port }) => port),
    cf,
    onInput: async (input) => {
      const onSocket = input instanceof Socket;
      // A configuration that accepts commands sent ahead, as versions before 8.18 do: on a socket whose peer
      // is gone there is no other way.
      const lenient = `${cf}.lenient`;
      writeFileSync(lenient, `${readFileSync(cf, 'latin1')}\nSsrv_features\nR$*\t\t$# F\n`);
      const session = spawn('unshare', command(lenient, '-bs -O InputMailFilters=helo-0'), {
        env,
        stdio: [onSocket ? input : 'pipe', 'pipe', 'inherit'],
      });
      if (session.stdin !== null) quietly(session.stdin);
      const lines = onSocket ? [] : [...input];
      let said = '';
      session.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString('latin1');
        const line =
          /^\d{3} [^\n]*\n$/m.test(said.slice(said.lastIndexOf('\n', said.length - 2) + 1)) && lines.shift();
        if (typeof line === 'string') session.stdin?.write(`${line}\r\n`);
      });
      await new Promise((resolve) => session.once('close', resolve));
      return said;
    },
    messages: () =>
      Promise.resolve(
        readdirSync(queue)
          .filter((name) => name.startsWith('qf'))
          .sort()
          .map((name) => headerOf(join(queue, name))),
      ),
    stop: async () => {
      process.off('exit', kill);
      if (child.exitCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/**
 * The header of a queued message: in a qf file its fields are the `H` lines, flags between question marks
 * first.
 */
function headerOf(file: string): string {
  const lines = readFileSync(file, 'latin1').split('\n');
  const header: string[] = [];
  for (const line of lines) {
    // Sendmail's own field for delivery to a mailbox.
    if (line.startsWith('H?P?Return-Path:')) continue;
    if (line.startsWith('H')) header.push(line.replace(/^H\?[^?]*\?/, ''));
    else if (/^[ \t]/.test(line) && header.length > 0) header.push(line);
  }
  return header
    .join('\n')
    .replaceAll(QUOTED, (_, char: string) =>
      char === '\xff' ? char : String.fromCharCode(char.charCodeAt(0) | 0x80),
    );
}

/**
 * How Sendmail keeps octets from 80 to 9F, which it uses itself (its source: `dequote_internal_chars`), and
 * FF.
 */
const QUOTED = /\xff([^])/g;

/** The name of the k-th filter of a service. */
function filterName(service: number, k: number): string {
  return k === 0 ? `helo-${service}` : `helo-${service}-${k}`;
}

function macros(base: string, queue: string, listening: readonly Service[], options: MtaOptions): string {
  const daemons = listening.flatMap(({ port, milters }, i) =>
    [`Name=MTA-${i}, Family=inet, Addr=127.0.0.1`, `Name=MTA6-${i}, Family=inet6, Addr=::1`].map(
      (each) =>
        `DAEMON_OPTIONS(\`${each}, Port=${port}${milters === null ? '' : `, InputMailFilters=${milters.map((_, k) => filterName(i, k)).join(';')}`}')dnl`,
    ),
  );
  const filters = listening.flatMap(({ milters }, i) =>
    (milters ?? []).map((milter, k) => `MAIL_FILTER(\`${filterName(i, k)}', \`${milter}')dnl`),
  );
  return `divert(0)dnl
include(\`${ROOT}/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`mx.dest.test')dnl
define(\`QUEUE_DIR', \`${queue}')dnl
define(\`ALIAS_FILE', \`${base}/aliases')dnl
define(\`STATUS_FILE', \`${base}/statistics')dnl
define(\`confPID_FILE', \`${base}/sendmail.pid')dnl
define(\`confSERVICE_SWITCH_FILE', \`${base}/switch')dnl
define(\`confCW_FILE', \`-o ${base}/local-host-names')dnl
define(\`confDONT_PROBE_INTERFACES', \`true')dnl
define(\`confDONT_BLAME_SENDMAIL', \`GroupWritableDirPathSafe,TrustStickyBit,NonRootSafeAddr')dnl
define(\`confDELIVERY_MODE', \`queueonly')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confDEF_USER_ID', \`65534:65534')dnl
define(\`confALLOW_BOGUS_HELO', \`True')dnl
define(\`confBAD_RCPT_THROTTLE', \`0')dnl
define(\`confQUEUE_LA', \`1000')dnl
define(\`confREFUSE_LA', \`1000')dnl
${options.certificates === undefined ? '' : tlsLines(options.certificates)}
FEATURE(\`no_default_msa')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`accept_unqualified_senders')dnl
RELAY_DOMAIN(\`dest.test')dnl
${daemons.join('\n')}
${filters.join('\n')}
MAILER(\`local')dnl
MAILER(\`smtp')dnl
`;
}

/** A client with a certificate of ours may log in by it. */
function tlsLines({ authority, directory, server }: Certificates): string {
  return `define(\`confCACERT', \`${authority}')dnl
define(\`confCACERT_PATH', \`${directory}')dnl
define(\`confSERVER_CERT', \`${server.cert}')dnl
define(\`confSERVER_KEY', \`${server.key}')dnl
define(\`confAUTH_MECHANISMS', \`EXTERNAL')dnl
TRUST_AUTH_MECH(\`EXTERNAL')dnl`;
}

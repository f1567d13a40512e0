/**
 * A private Postfix on loopback. It accepts mail for dest.test and discards it, or holds it for inspection.
 */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificates } from './certificates.ts';
import { greets, type Mta, type MtaOptions, services } from './mta.ts';
import { withSystemPath } from './nsd.ts';

const run = promisify(execFile);

export interface PostfixOptions extends MtaOptions {
  /** Lines for main.cf that come last, and so win. */
  readonly mainCf: string;
  /** Offer AUTH; the mechanisms come from a stand-in for Dovecot, see `dovecot-auth.ts`. */
  readonly saslSocket?: string;
  /** Parameters for each single service, `name=value` without blanks. */
  readonly overrides?: readonly (readonly string[])[];
  /** More lines of master.cf. */
  readonly masterCf?: readonly string[];
  /** Words before the command that starts it, such as those that change what it sees of the system. */
  readonly wrapper?: readonly string[];
  /** Run smtpd chrooted, as Debian does: a milter's path is then one below the queue directory. */
  readonly chroot?: boolean;
}

export interface Postfix extends Mta {
  /** Directory of main.cf, as `postconf -c` wants it. */
  readonly etc: string;
  /** The queue directory. */
  readonly spool: string;
  /** Everything it has logged. */
  log(): string;
  /** Deletes the messages that it keeps. */
  forget(): Promise<void>;
}

/** The file of `postfix-conf/` that an administrator appends, with the test's milter as the only one. */
export function shippedMainCf(socket: string): string {
  const file = readFileSync(new URL('../../../postfix-conf/main.cf', import.meta.url), 'utf8');
  if (!file.includes('inet:127.0.0.1:8892')) throw new Error('postfix-conf/main.cf names no milter');
  return `${file.replaceAll('inet:127.0.0.1:8892', socket)}\nsmtpd_milters = $helo_milter\n`;
}

/** The recipe is that of Postfix's own MULTI_INSTANCE_README, cut down to what a test needs. */
export async function startPostfix(workdir: string, options: PostfixOptions): Promise<Postfix> {
  const base = join(workdir, 'postfix');
  const etc = join(base, 'etc');
  const spool = join(base, 'spool');
  const data = join(base, 'lib');
  for (const directory of [etc, spool, data]) mkdirSync(directory, { recursive: true });
  const { stdout: uid } = await run('id', ['-u', 'postfix']);
  chownSync(data, Number(uid), 0);
  chmodSync(base, 0o755);
  const listening = await services(options.milters);
  const log = join(base, 'mail.log');
  writeFileSync(log, '');
  const tls = options.certificates === undefined ? [] : tlsLines(options.certificates);
  const sasl =
    options.saslSocket === undefined
      ? []
      : [
          'smtpd_sasl_auth_enable = yes',
          'smtpd_sasl_type = dovecot',
          `smtpd_sasl_path = ${options.saslSocket}`,
          'smtpd_sasl_security_options = noanonymous',
        ];
  writeFileSync(
    join(etc, 'main.cf'),
    `${[
      'compatibility_level = 3.6',
      `queue_directory = ${spool}`,
      `data_directory = ${data}`,
      'command_directory = /usr/sbin',
      'daemon_directory = /usr/lib/postfix/sbin',
      'mail_owner = postfix',
      'setgid_group = postdrop',
      'myhostname = mx.dest.test',
      'mydestination =',
      'inet_interfaces = loopback-only',
      'mynetworks = 127.0.0.0/8 [::1]/128',
      'alias_maps =',
      'relay_domains = dest.test',
      'relay_transport = discard:',
      'default_transport = discard:',
      'smtpd_recipient_restrictions = reject_unauth_destination',
      'smtpd_peername_lookup = no',
      'smtpd_authorized_xclient_hosts = 127.0.0.0/8 [::1]/128',
      'smtpd_client_connection_count_limit = 0',
      'smtpd_client_connection_rate_limit = 0',
      'smtpd_error_sleep_time = 0',
      'smtpd_hard_error_limit = 1000',
      `maillog_file = ${log}`,
      `maillog_file_prefixes = ${base}`,
      ...tls,
      ...sasl,
      options.mainCf,
    ].join('\n')}\n`,
  );
  writeFileSync(
    join(etc, 'master.cf'),
    [
      ...listening.flatMap(({ port, milters }, i) =>
        ['127.0.0.1', '[::1]'].map((host) =>
          [
            `${host}:${port} inet n - ${options.chroot === true ? 'y' : 'n'} - - smtpd`,
            ...(milters === null ? [] : [`smtpd_milters=${milters.join(',')}`]),
            ...(options.overrides?.[i] ?? []),
          ].join(' -o '),
        ),
      ),
      ...(options.masterCf ?? []),
      'pickup unix n - n 60 1 pickup',
      'cleanup unix n - n - 0 cleanup',
      'qmgr unix n - n 300 1 qmgr',
      'rewrite unix - - n - - trivial-rewrite',
      'bounce unix - - n - 0 bounce',
      'defer unix - - n - 0 bounce',
      'trace unix - - n - 0 bounce',
      'discard unix - - n - - discard',
      'anvil unix - - n - 1 anvil',
      'tlsmgr unix - - n 1000? 1 tlsmgr',
      'proxymap unix - - n - - proxymap',
      'postlog unix-dgram n - n - 1 postlogd',
      '',
    ].join('\n'),
  );
  const env = { env: withSystemPath() };
  const [command, ...words] = [...(options.wrapper ?? []), 'postfix', '-c', etc, 'start'] as const;
  await run(command, words, env);
  const stop = async (): Promise<void> => {
    await run('postfix', ['-c', etc, 'abort'], env).catch(() => undefined);
  };
  // It listens on all ports before it serves any.
  const greeting = listening.find(({ milters }) => milters?.join().includes('proxy') !== true);
  if (greeting !== undefined) await greets(greeting.port);
  return {
    name: 'Postfix',
    ports: listening.map(({ port }) => port),
    etc,
    spool,
    log: () => readFileSync(log, 'utf8'),
    messages: async () => {
      const hold = join(spool, 'hold');
      // A queue file's name: five digits of the time, then the inode, which may be short; directories have
      // one letter each.
      const files = readdirSync(hold, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /[0-9A-Za-z]{6,}$/.test(name),
      );
      if (files.length === 0) return [];
      // A message is text of one character for each byte, as the milter gets it.
      const { stdout } = await run('postcat', ['-c', etc, '-hbe', ...files.map((name) => join(hold, name))], {
        ...env,
        encoding: 'latin1',
        maxBuffer: 1 << 28,
      });
      return messagesIn(stdout);
    },
    forget: async () => {
      await run('postsuper', ['-c', etc, '-d', 'ALL', 'hold'], env);
    },
    stop,
  };
}

/** What postcat prints between a file's envelope records: its message. */
function messagesIn(text: string): string[] {
  const messages = text.matchAll(
    /^\*{3} MESSAGE CONTENTS [^\n]* \*{3}\n(.*?)^\*{3} HEADER EXTRACTED [^\n]* \*{3}$/gms,
  );
  return Array.from(messages, ([, message = '']) => message);
}

function tlsLines({ authority, server }: Certificates): string[] {
  return [
    'smtpd_tls_security_level = may',
    `smtpd_tls_cert_file = ${server.cert}`,
    `smtpd_tls_key_file = ${server.key}`,
    `smtpd_tls_CAfile = ${authority}`,
    'smtpd_tls_ask_ccert = yes',
  ];
}

/** A private Postfix on loopback. Takes mail for dest.test and throws it away, or holds it to be looked at. */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withSystemPath } from './nsd.ts';
import { SmtpClient } from './smtp-client.ts';
import { freePort } from './workdir.ts';

const run = promisify(execFile);

export interface PostfixOptions {
  /** Lines for main.cf that come last, and so win. */
  readonly mainCf: string;
  /** Offer STARTTLS, with a certificate of our own. */
  readonly tls?: boolean;
  /** Offer AUTH; the mechanisms come from a stand-in for Dovecot, see `dovecot-auth.ts`. */
  readonly saslSocket?: string;
}

export interface Postfix {
  readonly port: number;
  /** Everything it has logged. */
  log(): string;
  /** The messages on hold, header and body, in queue order. */
  held(): Promise<string[]>;
  stop(): Promise<void>;
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
  const port = await freePort();
  const log = join(base, 'mail.log');
  writeFileSync(log, '');
  const tls = options.tls === true ? await certificate(base) : [];
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
      `127.0.0.1:${port} inet n - n - - smtpd`,
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
  await run('postfix', ['-c', etc, 'start'], env);
  const stop = async (): Promise<void> => {
    await run('postfix', ['-c', etc, 'abort'], env).catch(() => undefined);
  };
  await listening(port);
  return {
    port,
    log: () => readFileSync(log, 'utf8'),
    held: async () => {
      const hold = join(spool, 'hold');
      const files = readdirSync(hold, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /[0-9A-Za-z]{8,}$/.test(name),
      );
      return Promise.all(
        files.map(async (name) => (await run('postcat', ['-c', etc, '-hb', join(hold, name)], env)).stdout),
      );
    },
    stop,
  };
}

async function certificate(directory: string): Promise<string[]> {
  const key = join(directory, 'key.pem');
  const cert = join(directory, 'cert.pem');
  const request = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=mx.dest.test',
  ];
  await run('openssl', [...request, '-keyout', key, '-out', cert]);
  chmodSync(key, 0o600);
  return ['smtpd_tls_security_level = may', `smtpd_tls_cert_file = ${cert}`, `smtpd_tls_key_file = ${key}`];
}

async function listening(port: number): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      const client = await SmtpClient.connect(port);
      client.close();
      return;
    } catch (error) {
      if (i > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

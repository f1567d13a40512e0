/**
 * A directory that stands for the host of an operator who follows the documentation: a configuration, a
 * decision log, policy tests, and programs of the host that only note what they are given.
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { regularsText } from '../../src/state/regulars-text.ts';
import { ROOT } from './documented.ts';
import { observedLog } from './observed-log.ts';
import { zoneResolver } from './zone.ts';

const DAY = 86_400_000;
const COMMANDS = ['check', 'publish', 'replay', 'report', 'regulars', 'findings', 'doctor', 'test'];
/** The reference of the decision that the pages speak of. */
const REFERENCE = 'mwtthiz8.5.1';

/** What a command came to. */
export interface Came {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DocumentedHost {
  /** The directory with `etc` and `var`. */
  readonly root: string;
  /** Runs a command of a shell. Paths below /etc/ and /var/log/ are those of this host. */
  run(command: string): Promise<Came>;
  /** What was given to sendmail and mail since the last time this was asked. */
  sent(): string;
  remove(): void;
}

const ZONE = {
  'mail.example.org': { A: ['192.0.2.10'] },
  'example.org': { NS: ['ns.example.org'] },
  'sender.org': { NS: ['ns.example.org'] },
  '10.2.0.192.in-addr.arpa': { PTR: ['mail.example.org'] },
};

const MASTER_FILE = `mail.example.org. 3600 A 192.0.2.10
example.org. 3600 NS ns.example.org.
sender.org. 3600 NS ns.example.org.
10.2.0.192.in-addr.arpa. 3600 PTR mail.example.org.
`;

/** What Postfix is set to on this host, as postconf prints it. */
const MAIN_CF = `smtpd_milters = { inet:127.0.0.1:8892, connect_timeout=5s, command_timeout=15s, default_action=accept }
smtpd_helo_required = yes
`;
const SENDMAIL_CF = 'O InputMailFilters=helo-milter\nXhelo-milter, S=local:/run/helo-milter/socket, F=T\n';

/** Sessions of the last days, of which some would be refused. */
async function decisions(): Promise<string[]> {
  const now = Date.now();
  const lines = await observedLog(
    [
      ['203.0.113.50', 'gone.sender.org'],
      ['203.0.113.51', 'gone.example.org'],
      ['203.0.113.52', 'Jupiter'],
      ['192.0.2.10', 'smtp.example.org'],
      ['192.0.2.10', 'mail.example.org'],
    ].map(([client = '', helo = ''], index) => ({ client, helo, time: now - (5 - index) * DAY })),
    zoneResolver(ZONE),
  );
  const [first = '', ...rest] = lines;
  return [first.replace(/"reference":"[^"]+"/, `"reference":"${REFERENCE}"`), ...rest];
}

export async function documentedHost(): Promise<DocumentedHost> {
  const root = mkdtempSync(join(tmpdir(), 'documented-'));
  const [bin, etc, log, home] = ['bin', 'etc', 'var/log/helo-milter', 'home'].map((name) => join(root, name));
  if (bin === undefined || etc === undefined || log === undefined || home === undefined) throw new Error();
  for (const each of [bin, join(etc, 'postfix-in'), join(etc, 'mail'), log])
    mkdirSync(each, { recursive: true });

  const lines = await decisions();
  writeFileSync(join(log, 'decisions.jsonl.1'), `${lines.slice(0, 1).join('\n')}\n`);
  writeFileSync(join(log, 'decisions.jsonl'), `${lines.slice(1).join('\n')}\n`);
  const day = Math.floor(Date.now() / DAY);
  const regular = { client: '192.0.2.25/32', helo: 'a.example.org', messages: 9, days: 5 };
  writeFileSync(join(etc, 'regulars'), regularsText([{ ...regular, firstDay: day - 9, lastDay: day }]));
  writeFileSync(join(etc, 'zone'), MASTER_FILE);
  writeFileSync(
    join(etc, 'helo-milter.toml'),
    'observe = true\ndns-zone = "zone"\nregulars-file = "regulars"\nregulars = "5/3"\n',
  );
  writeFileSync(join(etc, 'mail/sendmail.cf'), SENDMAIL_CF);

  cpSync(join(ROOT, 'examples/policy-tests'), home, { recursive: true });
  cpSync(join(home, 'rfc5321.toml'), join(home, 'cases.toml'));
  const own = join(home, 'helo-milter.toml');
  writeFileSync(own, readFileSync(own, 'utf8').replace('"../even', '"examples/even'));
  writeFileSync(join(home, 'new.access'), 'allow smtp.example.org ip=192.0.2.10\n');
  symlinkSync(join(ROOT, 'examples'), join(home, 'examples'));

  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const cli = `${process.execPath} ${ROOT}dist/cli.js`;
  // Without a command it would serve until it is stopped: reading what a start would read stands for that.
  program(
    'helo-milter',
    `for word; do
  case $word in
    ${COMMANDS.join('|')}|--check-config|--print-config) exec ${cli} "$@" ;;
  esac
done
exec ${cli} "$@" --check-config`,
  );
  for (const name of ['sendmail', 'mail']) program(name, `cat >>${root}/sent`);
  program('ssh', 'shift; exec sh -c "$*"');
  writeFileSync(join(etc, 'main.cf'), MAIN_CF);
  program('postconf', `case "$*" in *-M*) echo "smtp inet n - n - - smtpd" ;; *) cat ${etc}/main.cf ;; esac`);

  const env = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HELO_MILTER_CONFIG: join(etc, 'helo-milter.toml'),
    // Nobody answers there.
    HELO_MILTER_DNS_SERVER: '127.0.0.1:9',
    HELO_MILTER_DEADLINE: '1s',
  };
  return {
    root,
    run: (command) =>
      new Promise((resolve) => {
        const here = command.replaceAll(/(?<![\w.])\/(?=etc\/|var\/log\/)/g, `${root}/`);
        const cwd = command.startsWith('npm ') ? ROOT : home;
        execFile('sh', ['-c', here], { cwd, env }, (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
          resolve({ code, stdout, stderr });
        });
      }),
    sent: () => {
      const file = join(root, 'sent');
      writeFileSync(file, '', { flag: 'a' });
      const text = readFileSync(file, 'utf8');
      rmSync(file);
      return text;
    },
    remove: () => {
      rmSync(root, { recursive: true });
    },
  };
}

/**
 * The command as typed, with configuration files of an MTA, a scripted name server and a milter of the test's
 * own.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../src/commands/command-line.ts';
import type { Terminal } from '../../src/commands/terminal.ts';
import { MilterServer, formatSocketAddress } from '../../src/milter/index.ts';
import { GOOD_CF, GOOD_MAIN, GOOD_MASTER } from '../support/doctor-facts.ts';
import { type DnsStub, startDnsStub } from '../support/dns-stub.ts';
import { fakeTerminal } from '../support/terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'hm-'));
const milter = new MilterServer({ newSession: () => ({}), onError: () => undefined });
let listen: string;
let stub: DnsStub;
let good: string;

interface Report {
  version: number;
  wrong: number;
  warnings: number;
  findings: {
    id: string;
    severity: string;
    topic: string;
    text: string;
    changes: { file: string; line: string }[];
  }[];
}

async function doctor(
  args: readonly string[],
  terminal: Partial<Terminal> = {},
): Promise<{ code: number; out: string; err: string }> {
  const state = { out: '', err: '' };
  const code = await runCommandLine(
    ['doctor', ...args],
    '1.2.3',
    fakeTerminal({
      write: (text) => (state.out += text),
      writeError: (text) => (state.err += text),
      ...terminal,
    }),
  );
  return { code, ...state };
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

beforeAll(async () => {
  listen = formatSocketAddress(await milter.listen('inet:127.0.0.1:0'));
  good = `${GOOD_MAIN.replace('inet:127.0.0.1:8892', listen)}${GOOD_MASTER}`;
  file('good', good);
  file('bad', good.replace('default_action=tempfail', 'default_action=reject'));
  file('steering', good.replace('default_action=tempfail', 'default_action=\x1b[31m'));
  stub = await startDnsStub({
    'example.com A': [{ name: 'example.com', type: 'A', ttl: 60, data: '192.0.2.1' }],
    'bogus.test A': 'servfail',
    '4.0.41.198.in-addr.arpa PTR': [
      { name: '4.0.41.198.in-addr.arpa', type: 'PTR', ttl: 60, data: 'a.root-servers.net' },
    ],
  });
});

afterAll(async () => {
  await milter.close();
  await stub.close();
  rmSync(directory, { recursive: true });
});

/** The arguments for the good set-up. */
const options = (): string[] => [
  ...['--listen', listen, '--our-name', 'dest.test'],
  ...['--dns-server', stub.server, '--bogus-name', 'bogus.test'],
];

describe('doctor', () => {
  it('finds nothing wrong with a good set-up, and says what it looked at', async () => {
    const { code, out, err } = await doctor(['--postfix', join(directory, 'good'), ...options()]);
    expect(err).toBe('');
    expect(out).toMatch(/^Attached to the MTA\n {2}ok {7}attached: smtp inet by inet:127\.0\.0\.1:\d+\n\n/);
    expect(out).toMatch(/answers with protocol 6 in \d+ ms\n/);
    expect(out).toMatch(/answers in \d+ ms and validates\n\nnothing is wrong, 0 warnings, 0 notes\n$/);
    expect(code).toBe(0);
    expect(stub.questions).toContain('bogus.test A');
  });

  it('ends with 1 where something is wrong, and says which line to change', async () => {
    const { code, out } = await doctor(['--postfix', join(directory, 'bad'), '--no-dns', ...options()]);
    expect(out).toMatch(
      /\n {2}wrong {4}smtp inet refuses all mail with 5yz while we are down \[failure-reject\]\n {13}main\.cf: smtpd_milters = \{ inet:/,
    );
    expect(out).toMatch(/\n1 wrong, 0 warnings, 0 notes\n$/);
    expect(code).toBe(1);
  });

  it('ends with 0 where there are only warnings, and 64 for what is no set-up', async () => {
    expect(
      await doctor([
        '--sendmail',
        file('cf', GOOD_CF.replace('needmailhelo', '')),
        '--no-dns',
        '--no-probe',
        '--listen',
        'unix:/run/helo-milter/socket',
      ]),
    ).toMatchObject({
      code: 0,
      out: expect.stringContaining('[helo-not-required]') as string,
    });
    expect(await doctor(['--postfix', join(directory, 'nothing')])).toMatchObject({
      code: 64,
      err: expect.stringMatching(/^helo-milter: --postfix: .*ENOENT/) as string,
    });
  });

  it('looks at the rest where Postfix has no configuration', async () => {
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'postconf'),
      "#!/bin/sh\necho 'postconf: fatal: open /etc/postfix/main.cf' >&2\nexit 1\n",
      {
        mode: 0o755,
      },
    );
    vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`);
    const { code, out } = await doctor(['--listen', listen, '--no-dns']);
    vi.unstubAllEnvs();
    expect(out).toMatch(/postconf: fatal: open \/etc\/postfix\/main\.cf, so the MTA was not looked at/);
    expect(out).toContain(' answers with protocol 6 ');
    expect(code).toBe(0);
  });

  it.each([
    ['3.10.13', 'shutdown', 'answers 421 and closes', 'shutdown'],
    ['3.10.13', 'tempfail', 'answers 451', 'shutdown'],
    ['3.7.11', 'tempfail', 'answers 451', 'tempfail'],
    // A distributor has backported it to an earlier release.
    ['3.7.11', 'shutdown', 'answers 421 and closes', 'shutdown'],
  ])(
    'takes the default action of Postfix %s from its postconf: %s',
    async (version, builtIn, told, advised) => {
      const bin = mkdtempSync(join(directory, 'bin-'));
      const main = `smtpd_milters = ${listen}\nsmtpd_helo_required = yes\nmilter_command_timeout = 2m\n`;
      const script = `#!/bin/sh
case "$1" in
-n) echo '${main}' ;;
-M) echo 'smtp inet n - n - - smtpd' ;;
-d) echo 'milter_default_action = ${builtIn}' ;;
*) echo 'mail_version = ${version}'; echo 'myhostname = mx.dest.test' ;;
esac
`;
      writeFileSync(join(bin, 'postconf'), script, { mode: 0o755 });
      vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`);
      const { out } = await doctor(['--listen', listen, '--no-dns']);
      vi.unstubAllEnvs();
      expect(out).toContain(`smtp inet ${told}`);
      // The line that corrects the long time limit.
      expect(out).toContain(`default_action=${advised} }`);
    },
  );

  it('prints one JSON object with the public names', async () => {
    const { out, code } = await doctor([
      '--json',
      '--postfix',
      join(directory, 'bad'),
      '--no-dns',
      ...options(),
    ]);
    const report = JSON.parse(out) as Report;
    expect(code).toBe(1);
    expect(report).toMatchObject({ version: 1, wrong: 1, warnings: 0 });
    expect(report.findings.find(({ severity }) => severity === 'wrong')).toEqual({
      id: 'failure-reject',
      severity: 'wrong',
      topic: 'When the milter is down',
      text: 'smtp inet refuses all mail with 5yz while we are down',
      cure: expect.stringMatching(/^Set default_action=tempfail, /) as string,
      changes: [{ file: 'main.cf', line: expect.stringMatching(/^smtpd_milters = /) as string }],
    });
  });

  it('says what to do where there is no line to change', async () => {
    const proxied = file('proxied', `${good}\nsmtpd_authorized_xclient_hosts = 10.0.0.1\n`);
    const { out } = await doctor(['--postfix', proxied, '--no-dns', ...options()]);
    expect(out).toMatch(/\[postfix-xclient\]\n {13}Have the proxy say EHLO with the name of its client/);
  });

  it('takes the options that the milter runs with from its own file', async () => {
    const toml = file(
      'helo-milter.toml',
      `listen = ["${listen}"]\nour-name = ["dest.test"]\ndeadline = "20s"\n`,
    );
    const { code, out } = await doctor(['--postfix', join(directory, 'good'), '--no-dns', '--config', toml]);
    expect(out).toMatch(/smtp inet waits 15s for an answer, and --deadline is 20s \[timeout-short\]/);
    expect(out).toMatch(/\n1 wrong, 0 warnings, 0 notes\n$/);
    expect(code).toBe(1);
  });

  it('reads standard input', async () => {
    const input = (async function* () {
      yield* await Promise.resolve([Buffer.from(good.slice(0, 50)), good.slice(50)]);
    })();
    const { out } = await doctor(['--postfix', '-', '--no-dns', ...options()], { input });
    expect(out).toMatch(/nothing is wrong/);
  });

  it('lets no byte of a file steer the terminal', async () => {
    const { out } = await doctor(['--postfix', join(directory, 'steering'), '--no-dns', ...options()]);
    expect(out).toContain('\\x1b[31m');
    expect(out).not.toContain('\x1b');
  });

  it('has colour and progress on a terminal only, and the same text', async () => {
    const args = ['--postfix', join(directory, 'bad'), ...options()];
    const seen = await doctor(args, { screen: { colour: true, columns: 80 } });
    const plain = await doctor(args);
    const numbers = (text: string): string => text.replaceAll(/\d+ ms/g, 'N ms');
    expect(seen.out).toContain('\x1b[31mwrong  \x1b[39m');
    expect(numbers(seen.out.replaceAll(/\x1b\[\d+m/g, ''))).toBe(numbers(plain.out));
    expect(seen.err).toMatch(/asking the milter.*asking 127\.0\.0\.1:\d+/s);
    expect(seen.err.endsWith('\r\x1b[K')).toBe(true);
    expect(plain.err).toBe('');
  });

  it.each<[string[], RegExp]>([
    [['--postfix', 'x', '--sendmail', 'y'], /give --postfix or --sendmail, not both/],
    [['--postfix', 'x', '--postfix-config', 'y'], /give --postfix or --postfix-config, not both/],
    [['--deadline', '1h'], /--deadline: /],
    [['--listen', 'tcp:1'], /--listen: "tcp:1" is no socket/],
    [['--dns-server', 'localhost'], /--dns-server: "localhost" is not an IP address/],
    [['--postfix'], /argument missing/],
    [['stray'], /too many arguments/],
  ])('%j ends with 64 and one sentence', async (args, wanted) => {
    const { code, err } = await doctor(args);
    expect(err).toMatch(/^helo-milter: [^\n]+\n$/);
    expect(err).toMatch(wanted);
    expect(code).toBe(64);
  });
});

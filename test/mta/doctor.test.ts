/**
 * Doctor with the real postconf of a running Postfix, and with a sendmail.cf made by m4 that a Sendmail runs
 * with.
 */
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { parsePostconf } from '../../src/doctor/postconf.ts';
import { POSTFIX_DEFAULTS, PostfixConfig } from '../../src/doctor/postfix-config.ts';
import { fakeTerminal } from '../support/terminal.ts';
import { type Nsd, startNsd, withSystemPath } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { type Sendmail, shippedFilter, startSendmail } from './kit/sendmail.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const run = promisify(execFile);

interface Report {
  readonly findings: readonly {
    readonly id: string;
    readonly severity: string;
    readonly text: string;
    readonly changes: readonly { readonly file: string; readonly line: string }[];
  }[];
}

/** What it complains of, and its exit code. */
async function doctor(args: readonly string[]): Promise<{ code: number; complaints: string[] }> {
  let out = '';
  const code = await runCommandLine(
    ['doctor', '--json', ...args],
    '0.0.0',
    fakeTerminal({
      write: (text) => (out += text),
      writeError: (text) => expect.fail(text),
    }),
  );
  return { code, complaints: complaintsOf(out) };
}

/** Postfix waits until a file has not changed for a second (`dict_load_file_xt`). */
function writeOld(path: string, text: string): void {
  writeFileSync(path, text);
  utimesSync(path, 1e9, 1e9);
}

function complaintsOf(json: string): string[] {
  const { findings } = JSON.parse(json) as Report;
  return findings.filter(({ severity }) => severity !== 'ok').map(({ id }) => id);
}

describeWith(['postfix', 'nsd'], 'doctor and Postfix', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;
  let postfix: Postfix;
  let options: string[];

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram(['--dns-server', nsd.server]);
    postfix = await startPostfix(workdir, {
      mainCf: `${shippedMainCf(program.socket)}\nsmtpd_authorized_xclient_hosts =\n`,
      milters: [null],
    });
    options = ['--listen', program.socket, '--our-name', 'dest.test', '--no-dns'];
  });

  afterAll(async () => {
    await postfix.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  const postconf = async (directory: string, ...args: string[]): Promise<string> =>
    (await run('postconf', ['-c', directory, ...args], { env: withSystemPath() })).stdout;

  let copies = 0;
  /** The same set-up with other lines at the end of main.cf and master.cf. */
  function changed(mainCf: string, masterCf = ''): string {
    const directory = join(workdir, `etc-${copies++}`);
    cpSync(postfix.etc, directory, { recursive: true, preserveTimestamps: true });
    for (const [file, lines] of [
      ['main.cf', mainCf],
      ['master.cf', masterCf],
    ] as const) {
      const path = join(directory, file);
      const text = readFileSync(path, 'utf8') + lines.replaceAll('SOCKET', program.socket);
      writeOld(path, `${text}\n`);
    }
    return directory;
  }

  it('finds nothing wrong with postfix-conf/main.cf and a running milter', async () => {
    const args = [CLI, 'doctor', '--json', '--postfix-config', postfix.etc, ...options];
    const { stdout } = await run(process.execPath, args, { env: withSystemPath() });
    expect(complaintsOf(stdout)).toEqual([]);
  });

  it.each<[title: string, mainCf: string, masterCf: string, wanted: string[], code: number]>([
    ['no milter', 'smtpd_milters =', '', ['postfix-not-attached'], 1],
    ['another port', 'smtpd_milters = inet:127.0.0.1:1', '', ['postfix-not-attached'], 1],
    ['another host', 'other = SOCKET\nsmtpd_milters = ${other}9', '', ['postfix-not-attached'], 1],
    ['by another setting', 'ours = { SOCKET, command_timeout=15s }\nsmtpd_milters = $ours', '', [], 0],
    ['accept', 'smtpd_milters = SOCKET\nmilter_default_action = accept', '', ['failure-accept'], 0],
    ['reject', 'smtpd_milters = { SOCKET, default_action=reject }', '', ['failure-reject'], 1],
    ['too short', 'smtpd_milters = { SOCKET, command_timeout=3s }', '', ['timeout-short'], 1],
    ['no HELO needed', 'smtpd_helo_required = no', '', ['helo-not-required'], 0],
    [
      'checked twice',
      'smtpd_helo_restrictions = reject_unknown_helo_hostname',
      '',
      ['postfix-duplicate-helo-check'],
      0,
    ],
    ['soft bounce', 'soft_bounce = yes', '', ['postfix-soft-bounce'], 0],
    ['old protocol', 'milter_protocol = 2', '', ['postfix-protocol-old'], 0],
    ['milters off', 'receive_override_options = no_milters', '', ['postfix-no-milters'], 1],
    ['maps', 'smtpd_milter_maps = static:DISABLE', '', ['postfix-milters-disabled'], 1],
    ['a static map', 'smtpd_milters =\nsmtpd_milter_maps = static:{ $helo_milter }', '', [], 0],
    [
      'a static map that says it badly',
      'smtpd_milter_maps = static:{ { SOCKET, default_action=reject } }',
      '',
      ['failure-reject'],
      1,
    ],
    [
      'a static map of others',
      'smtpd_milter_maps = static:inet:127.0.0.1:1',
      '',
      ['postfix-not-attached'],
      1,
    ],
    [
      'XCLIENT',
      '',
      'smtp inet n - n - - smtpd -o smtpd_authorized_xclient_hosts=192.0.2.1',
      ['postfix-xclient'],
      0,
    ],
    [
      'order',
      'smtpd_milters = inet:127.0.0.1:11332, SOCKET',
      '',
      ['postfix-order', 'rspamd-removes-results'],
      0,
    ],
    ['DMARC first', 'smtpd_milters = SOCKET, inet:a:8893, inet:a:8891', '', ['dmarc-before-dkim'], 0],
    ['local mail', 'non_smtpd_milters = $smtpd_milters', '', ['postfix-non-smtpd'], 0],
    ['a network', 'mynetworks = 127.0.0.0/8, 10.0.0.0/8', '', ['mynetworks-not-trusted'], 0],
    ['a name', 'mydestination = $myhostname, mail.other.test', '', ['our-name-missing'], 0],
    ['a domain', 'virtual_alias_domains = hosted.test', '', ['hosted-domain-unclaimed'], 0],
    ['an address', 'proxy_interfaces = 192.0.2.1', '', ['our-address-missing'], 0],
    ['an override', '', 'smtp inet n - n - - smtpd -o smtpd_milters=', ['postfix-not-attached'], 1],
    [
      'braces',
      '',
      'smtp inet n - n - - smtpd\n  -o { smtpd_milters = { SOCKET, default_action=reject } }',
      ['failure-reject'],
      1,
    ],
    ['submission', '', 'smtp inet n - n - - smtpd\n587 inet n - n - - smtpd', ['submission-judged'], 0],
    [
      'postscreen',
      '',
      'smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd',
      ['postfix-postscreen'],
      0,
    ],
    [
      'chroot',
      'smtpd_milters = unix:/run/helo-milter/socket',
      'smtp inet n - y - - smtpd',
      ['postfix-socket-mismatch'],
      1,
    ],
  ])('%s', async (_, mainCf, masterCf, wanted, code) => {
    const directory = changed(mainCf, masterCf);
    expect(await doctor(['--postfix-config', directory, ...options])).toEqual({ code, complaints: wanted });
  });

  it('sees a unix socket through the chroot, and the rights to it', async () => {
    const spool = (await postconf(postfix.etc, '-h', 'queue_directory')).trim();
    const path = join(spool, 'helo-socket');
    const other = await startProgram(['--listen', `unix:${path}`, '--socket-mode', '0600']);
    const args = ['--listen', `unix:${path}`, '--our-name', 'dest.test', '--no-dns'];
    const inside = changed('smtpd_milters = unix:/helo-socket', 'smtp inet n - y - - smtpd');
    const outside = changed(`smtpd_milters = unix:${path}`, 'smtp inet n - y - - smtpd');
    const found = [
      await doctor(['--postfix-config', inside, ...args]),
      await doctor(['--postfix-config', outside, ...args]),
    ];
    await other.stop();
    expect(found).toEqual([
      { code: 1, complaints: ['socket-not-writable'] },
      { code: 1, complaints: ['postfix-socket-outside-chroot', 'socket-not-writable'] },
    ]);
  });

  it('says that the milter does not run', async () => {
    const args = ['--postfix-config', changed('smtpd_milters = inet:127.0.0.1:1'), '--no-dns'];
    const found = await doctor([...args, '--listen', 'inet:127.0.0.1:1', '--our-name', 'dest.test']);
    expect(found).toEqual({
      code: 1,
      complaints: ['milter-unreachable'],
    });
  });

  it('knows our parameter though no list has it, where postconf -n leaves it out', async () => {
    const directory = changed('smtpd_milters = inet:127.0.0.1:9');
    const { stdout } = await run(
      process.execPath,
      [CLI, 'doctor', '--json', '--no-probe', '--postfix-config', directory, ...options],
      { env: withSystemPath() },
    ).catch((error: unknown) => error as { stdout: string });
    const { findings } = JSON.parse(stdout) as Report;
    const lines = findings.flatMap(({ id, changes }) => (id === 'postfix-not-attached' ? changes : []));
    expect(lines.map(({ line }) => line)).toEqual(['smtpd_milters = $helo_milter, inet:127.0.0.1:9']);
  });

  it.each<[main: string, id: string]>([
    ['helo_milter = { SOCKET, command_timeout=3s }\nsmtpd_milters = $helo_milter, $more', 'timeout-short'],
    ['smtpd_milters = $more, { SOCKET, default_action=reject }', 'failure-reject'],
    ['all = $more, { SOCKET, default_action=accept }\nsmtpd_milters = $all', 'failure-accept'],
    ['smtpd_milters = $more', 'postfix-not-attached'],
    ['spam = inet:127.0.0.1:11332\nsmtpd_milters = $spam $helo_milter $more', 'postfix-order'],
    ['smtpd_milters = SOCKET, inet:127.0.0.1:8893, $more', 'dmarc-before-dkim'],
  ])('%j: the line that cures %s, typed as it stands, keeps the other milters', async (main, id) => {
    const directory = changed(
      `more = { inet:127.0.0.1:9, command_timeout=9s }, inet:127.0.0.1:8891\n${main}`,
    );
    const report = async (): Promise<Report['findings']> => {
      let out = '';
      const args = ['doctor', '--json', '--postfix-config', directory, ...options];
      await runCommandLine(args, '0.0.0', fakeTerminal({ write: (text) => (out += text) }));
      return (JSON.parse(out) as Report).findings;
    };
    const lines = (await report())
      .filter((each) => each.id === id)
      .flatMap(({ changes }) => changes.filter(({ file }) => file === 'main.cf').map(({ line }) => line));
    expect(lines).toHaveLength(1);
    await postconf(directory, '-e', ...lines);
    utimesSync(join(directory, 'main.cf'), 1e9, 1e9);
    const sockets = (await postconf(directory, '-xh', 'smtpd_milters')).match(/inet:[^,\s}]+/g) ?? [];
    expect(sockets).toEqual(
      expect.arrayContaining([program.socket, 'inet:127.0.0.1:9', 'inet:127.0.0.1:8891']),
    );
    expect((await postconf(directory, '-xh', 'smtpd_milters')).includes('command_timeout=9s')).toBe(true);
    expect((await report()).map((each) => each.id)).not.toContain(id);
  });

  it('takes the default action from the postconf of the host', async () => {
    const directory = changed('smtpd_milters = SOCKET');
    const builtIn = (await postconf(directory, '-dh', 'milter_default_action')).trim();
    let out = '';
    const args = ['doctor', '--json', '--postfix-config', directory, ...options];
    await runCommandLine(args, '0.0.0', fakeTerminal({ write: (text) => (out += text) }));
    const { findings } = JSON.parse(out) as Report;
    expect(findings.find(({ id }) => id === 'failure-tempfail')?.text).toContain(
      builtIn === 'shutdown' ? 'answers 421 and closes' : 'answers 451',
    );
  });

  it('reads the printed settings as those of the host', async () => {
    const file = join(workdir, 'printed');
    writeFileSync(file, (await postconf(postfix.etc, '-n')) + (await postconf(postfix.etc, '-Mf')));
    expect(await doctor(['--postfix', file, ...options])).toEqual({ code: 0, complaints: [] });
  });

  it.each([...Object.keys(POSTFIX_DEFAULTS), 'mydomain', 'milter_default_action'])(
    'has the default of %s from Postfix',
    async (name) => {
      const directory = join(workdir, `default-${name}`);
      cpSync(postfix.etc, directory, { recursive: true, preserveTimestamps: true });
      writeOld(join(directory, 'main.cf'), 'myhostname = mx.dest.test\n');
      const version = await postconf(directory, '-d', 'mail_version');
      const ours = new PostfixConfig(parsePostconf(`myhostname = mx.dest.test\n${version}`, 'test')).value(
        name,
      );
      expect(ours).toBe((await postconf(directory, '-xh', name)).trim());
    },
  );

  it.each([
    '$mydomain ${mydomain?with}${nothing:without}',
    '${mydomain?{a b}:{c}} ${nothing?{a}:{$myhostname}}',
    '${{$compatibility_level} <level {3.11} ? {old} : {new}} ${{x} == {x} ? {same}}',
    '$(myhostname)$$x',
  ])('expands %s as Postfix does', async (text) => {
    const directory = changed(`test_text = ${text}\nsmtpd_banner = $test_text`);
    const config = new PostfixConfig(
      parsePostconf((await postconf(directory, '-n')) + (await postconf(directory, '-M')), 'postconf'),
    );
    expect(config.value('smtpd_banner')).toBe((await postconf(directory, '-xh', 'smtpd_banner')).trim());
  });
});

describeWith(['sendmail'], 'doctor and Sendmail', () => {
  let workdir: string;
  let program: Program;
  let sendmail: Sendmail;
  let options: string[];
  let cf: string;

  beforeAll(async () => {
    workdir = makeWorkdir();
    program = await startProgram([]);
    const port = program.socket.split(':').at(-1) ?? '';
    sendmail = await startSendmail(workdir, { milters: [shippedFilter(`inet:${port}@127.0.0.1`)] });
    options = ['--listen', program.socket, '--no-dns'];
    cf = readFileSync(sendmail.cf, 'utf8').replace(
      /^#?O PrivacyOptions=.*$/m,
      'O PrivacyOptions=needmailhelo',
    );
  });

  afterAll(async () => {
    await sendmail.stop();
    await program.stop();
    removeWorkdir(workdir);
  });

  it.each<[from: string | RegExp, to: string, wanted: string[], code: number]>([
    ['', '', [], 0],
    [/^Xhelo-0.*$/m, '', ['sendmail-not-attached'], 1],
    [/, InputMailFilters=helo-0/g, '', ['sendmail-filter-unused'], 1],
    ['F=T, ', '', ['failure-accept'], 0],
    ['F=T', 'F=R', ['failure-reject'], 1],
    ['R:15s', 'R:5s', ['timeout-short'], 1],
    ['needmailhelo', 'authwarnings', ['helo-not-required'], 0],
    ['Cwlocalhost', 'Cwlocalhost other.test', ['our-name-missing'], 0],
  ])('%s %j', async (from, to, wanted, code) => {
    const file = join(workdir, 'test.cf');
    writeFileSync(file, cf.replace(from, to));
    const found = await doctor(['--sendmail', file, ...options]);
    // The test's Postfix attaches the milter by TCP and relays dest.test.
    const known = ['sendmail-over-tcp', 'hosted-domain-unclaimed'];
    expect({ ...found, complaints: found.complaints.filter((id) => !known.includes(id)) }).toEqual({
      code,
      complaints: wanted,
    });
    expect(found.complaints.includes('sendmail-over-tcp')).toBe(
      !wanted.some((id) => id.startsWith('sendmail-')),
    );
  });
});

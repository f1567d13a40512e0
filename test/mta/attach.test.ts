/**
 * The milter put in front of those that a Postfix has, by the lines of `postfix-conf/` and by those that the
 * program prints.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatSocketAddress, MilterServer } from '../../src/milter/index.ts';
import { type Nsd, startNsd, withSystemPath } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { documented } from '../support/documented.ts';
import { describeWith, PARTS } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { type Rspamd, startRspamd } from './kit/rspamd.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER } from './scenarios.ts';

const run = promisify(execFile);
const SHIPPED = readFileSync(new URL('../../postfix-conf/main.cf', import.meta.url), 'utf8');
const HOLD = 'smtpd_data_restrictions = check_client_access static:HOLD';
const NAME = 'mail.sender.org';

/** The commands that the file has in a comment, to be typed. */
const commands = SHIPPED.split('\n')
  .filter((line) => /^# {3}/.test(line) && !/^# {3}\w+_/.test(line) && !/^# {5}(?!postconf)/.test(line))
  .map((line) => line.slice(1))
  .join('\n');

let workdir: string;
let nsd: Nsd;
let program: Program;
beforeAll(() => {
  workdir = makeWorkdir();
});
afterAll(() => {
  removeWorkdir(workdir);
});

/** Sends one message; returns its header as it is kept. */
async function kept(postfix: Postfix, port = postfix.ports[0] ?? 0): Promise<string> {
  const before = await postfix.messages();
  const client = await SmtpClient.connect(port, SENDER);
  await client.say(`EHLO ${NAME}`);
  const reply = await client.send();
  client.close();
  expect(reply.code, reply.text).toBe(250);
  const after = await postfix.messages();
  return after.find((message) => !before.includes(message)) ?? '';
}

const names = (header: string): string[] =>
  [...header.matchAll(/^(Authentication-Results|X-Other):\s*([^\s;]*)/gm)].map(
    ([, name = '', value = '']) => `${name} ${value}`,
  );

describeWith(['postfix', 'nsd', 'own network'], 'a Postfix that has milters already', () => {
  const others: MilterServer[] = [];
  const sockets: string[] = [];
  let postfix: Postfix;

  beforeAll(async () => {
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram(['--dns-server', nsd.server, '--weight', 'helo-missing=10']);
    for (const name of ['one', 'two']) {
      const server = new MilterServer({
        newSession: () => ({
          endOfMessage: (message) => {
            message.insertHeader(0, 'X-Other', name);
            return 'accept';
          },
        }),
        actions: ['addHeaders'],
        onError: (error) => expect.fail(String(error)),
      });
      others.push(server);
      sockets.push(formatSocketAddress(await server.listen('inet:127.0.0.1:0')));
    }
    const [one = '', two = ''] = sockets;
    postfix = await startPostfix(workdir, {
      mainCf: `${HOLD}\nsmtpd_milters = { ${one}, command_timeout=20s },\n  ${two}\n`,
      milters: [null],
    });
  });

  afterAll(async () => {
    await postfix.stop();
    await Promise.all(others.map((server) => server.close()));
  });

  const environment = (): NodeJS.ProcessEnv => ({ ...withSystemPath(), MAIL_CONFIG: postfix.etc });
  const milters = async (): Promise<string> =>
    (await run('postconf', ['-h', 'smtpd_milters'], { env: environment() })).stdout.trim();
  const type = async (): Promise<void> => {
    await run('sh', ['-c', commands], { env: environment() });
  };

  it('has the same command in README and docs', () => {
    const typed = commands.replaceAll(/^ {3}/gm, '').trim();
    expect(documented('README.md', 'grep -qF').trim()).toBe(typed);
    expect(documented('docs/attach.md', 'grep -qF').trim()).toBe(typed);
  });

  it('has those alone before', async () => {
    expect(names(await kept(postfix))).toEqual(['X-Other two', 'X-Other one']);
  });

  it('keeps them when our lines are appended', async () => {
    appendFileSync(join(postfix.etc, 'main.cf'), SHIPPED.replaceAll('inet:127.0.0.1:8892', program.socket));
    await run('postfix', ['reload'], { env: environment() });
    expect(names(await kept(postfix))).toEqual(['X-Other two', 'X-Other one']);
  });

  it('has us in front of them after the command of the file, typed twice', async () => {
    const before = await milters();
    await type();
    await type();
    expect(await milters()).toBe(`$helo_milter ${before}`);
    expect(names(await kept(postfix))).toEqual([
      'X-Other two',
      'X-Other one',
      'Authentication-Results mx.dest.test',
    ]);
  });

  it('may as well have us in a static map', async () => {
    const map = 'smtpd_milter_maps = static:{ $helo_milter }\n';
    appendFileSync(join(postfix.etc, 'main.cf'), map);
    await run('postfix', ['reload'], { env: environment() });
    expect(names(await kept(postfix))).toEqual(['Authentication-Results mx.dest.test']);
  });

  it('may refuse a client of which a proxy gives the name by XCLIENT HELO alone', async () => {
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0);
    await client.say('EHLO probe.test');
    await client.say(`XCLIENT NAME=[UNAVAILABLE] ADDR=${SENDER} HELO=${NAME}`);
    const reply = await client.send();
    client.close();
    expect(reply.text).toMatch(/^503 5\.5\.1 \[helo-missing\]/);
  });

  it('is told by the program what the file says', async () => {
    const item = /^helo_milter =\s*(\{[^}]*\})/m.exec(SHIPPED)?.[1]?.replaceAll(/\s+/g, ' ');
    const [, told] =
      /\|\| postconf -e 'helo_milter = (\{[^}]*\})' 'smtpd_helo_required = yes'$/m.exec(
        await program.output(),
      ) ?? [];
    expect(told).toBe(item?.replace('inet:127.0.0.1:8892', program.socket));
    expect(SHIPPED).toMatch(/^smtpd_helo_required = yes$/m);
  });

  it('has us by the commands of the program, each typed alone and twice, without a warning', async () => {
    const bare = join(workdir, 'bare');
    mkdirSync(bare);
    cpSync(join(postfix.etc, 'master.cf'), join(bare, 'master.cf'));
    const [first = '', second = ''] = sockets;
    writeFileSync(join(bare, 'main.cf'), `smtpd_milters = ${first}, ${second}\n`);
    const env = { ...withSystemPath(), MAIL_CONFIG: bare };
    const lines = (await program.output()).match(/^ {2}postconf .*$/gm) ?? [];
    expect(lines).toHaveLength(2);
    for (const line of [...lines, ...lines]) {
      expect((await run('sh', ['-c', line], { env })).stderr).toBe('');
    }
    const { stdout } = await run('postconf', ['-xh', 'smtpd_milters'], { env });
    expect(stdout.match(/inet:[^,\s}]+/g)).toEqual([program.socket, first, second]);
  });

  it('leaves what another process has, and shows it', async () => {
    const bare = join(workdir, 'second');
    mkdirSync(bare);
    cpSync(join(postfix.etc, 'master.cf'), join(bare, 'master.cf'));
    const theirs = '{ inet:127.0.0.1:1, default_action=tempfail }';
    const mainCf = `helo_milter =\n    ${theirs}\nsmtpd_milters = $helo_milter\n`;
    writeFileSync(join(bare, 'main.cf'), mainCf);
    const env = { ...withSystemPath(), MAIL_CONFIG: bare };
    const lines = (await program.output()).match(/^ {2}postconf .*$/gm) ?? [];
    const said = [];
    for (const line of lines) said.push(await run('sh', ['-c', line], { env }));
    expect(said.map(({ stdout, stderr }) => stdout + stderr)).toEqual(['', `${theirs}\n`]);
    expect(readFileSync(join(bare, 'main.cf'), 'utf8')).toBe(mainCf);
  });

  it('says 421 where it knows shutdown, else 451', async () => {
    const dead = 'smtpd_milter_maps = static:{ { inet:127.0.0.1:1, default_action=shutdown } }\n';
    appendFileSync(join(postfix.etc, 'main.cf'), dead);
    await run('postfix', ['reload'], { env: environment() });
    const { stdout } = await run('postconf', ['-dh', 'milter_default_action'], { env: environment() });
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0, SENDER);
    if (stdout.trim() === 'shutdown') {
      // It comes in place of the greeting, and the connection ends.
      expect(client.transcript.join('\n')).toMatch(/^< 421 /);
    } else {
      await client.say(`EHLO ${NAME}`);
      expect((await client.send()).code).toBe(451);
    }
    client.close();
  });

  it('is gone without a trace after the lines of the README', async () => {
    const [first = '', second = ''] = sockets;
    for (const list of ['$helo_milter ', '$helo_milter, ', '']) {
      const there = `${list}{ ${first}, command_timeout=20s }, ${second}`;
      await run('postconf', ['-e', `smtpd_milters = ${there}`, 'helo_milter = inet:127.0.0.1:1'], {
        env: environment(),
      });
      await run('sh', ['-c', documented('README.md', 'postconf -X')], { env: environment() });
      expect(await milters()).toBe(there.slice(list.length));
      expect(readFileSync(join(postfix.etc, 'main.cf'), 'utf8')).not.toMatch(/^helo_milter\b/m);
    }
  });
});

describeWith(['postfix', 'nsd', 'rspamd', 'own network'], 'beside rspamd', () => {
  const LINES = 'use = ["authentication-results"];';
  const KEEPS = 'routines { authentication-results { remove = false; } }';
  const directories = [makeWorkdir(), makeWorkdir()];
  let rspamds: Rspamd[];
  let postfix: Postfix;

  beforeAll(async () => {
    rspamds = await Promise.all(
      ['', KEEPS].map((more, i) =>
        startRspamd(directories[i] ?? '', `milter_headers { ${LINES} skip_local = false; ${more} }`),
      ),
    );
    const [plain, keeping] = rspamds.map(({ socket }) => socket);
    const directory = join(workdir, 'beside');
    postfix = await startPostfix(directory, {
      mainCf: `${shippedMainCf(program.socket)}
before_plain = $helo_milter, ${plain}
before_keeping = $helo_milter, ${keeping}
behind_plain = ${plain}, $helo_milter
${HOLD}
`,
      milters: ['$before_plain', '$before_keeping', '$behind_plain'],
    });
  });

  afterAll(async () => {
    await postfix.stop();
    await Promise.all(rspamds.map((each) => each.stop()));
    directories.forEach(removeWorkdir);
  });

  // docs/company.md says so.
  it.each([
    ['loses our field where rspamd comes after us', 0, false, true],
    ['keeps both where rspamd is told to remove none', 1, true, true],
    ['keeps ours where rspamd comes before us, and cannot read it', 2, true, null],
  ])('%s', async (_, service, ours, theirs) => {
    const header = await kept(postfix, postfix.ports[service]);
    expect(/^Authentication-Results: mx\.dest\.test;\s+x-helo=pass /m.test(header)).toBe(ours);
    if (theirs !== null)
      expect(/^Authentication-Results: mx\.dest\.test;\s+none$/m.test(header)).toBe(theirs);
  });
});

describeWith(['sendmail'], 'a sendmail.mc that has filters and flags already', () => {
  const root = join(PARTS, 'sendmail');
  const lines = readFileSync(new URL('../../postfix-conf/sendmail.mc', import.meta.url), 'utf8');
  const before = "INPUT_MAIL_FILTER(`opendkim', `S=local:/run/opendkim')dnl\n";
  const after = "INPUT_MAIL_FILTER(`opendmarc', `S=local:/run/opendmarc')dnl\n";
  const flags = "define(`confPRIVACY_FLAGS', `authwarnings,novrfy,noexpn')dnl\n";

  it.each([
    ['', '', 'helo-milter', 'authwarnings,needmailhelo'],
    ['', after, 'helo-milter, opendmarc', 'authwarnings,needmailhelo'],
    [before + flags, after, 'opendkim, helo-milter, opendmarc', 'authwarnings,novrfy,noexpn,needmailhelo'],
  ])('%j, ours, %j', async (above, below, filters, privacy) => {
    const file = join(workdir, 'company.mc');
    const head = `divert(0)dnl\ninclude(\`${root}/usr/share/sendmail/cf/m4/cf.m4')dnl\nOSTYPE(\`linux')dnl\n`;
    const mailers = "MAILER(`local')dnl\nMAILER(`smtp')dnl\n";
    writeFileSync(file, `${head}${above}${lines}${below}${mailers}`);
    const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((path) => join(root, path));
    const { stdout } = await run(join(root, 'usr/bin/m4'), [file], {
      env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') },
      maxBuffer: 1 << 22,
    });
    expect(/^O InputMailFilters=(.*)$/m.exec(stdout)?.[1]).toBe(filters);
    expect(/^O PrivacyOptions=(.*)$/m.exec(stdout)?.[1]).toBe(privacy);
    expect(stdout).toMatch(
      /^Xhelo-milter, S=local:\/run\/helo-milter\/socket, F=T, T=C:5s;S:15s;R:15s;E:30s$/m,
    );
  });
});

afterAll(async () => {
  await program.stop();
  await nsd.stop();
});

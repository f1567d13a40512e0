/** The rules of `examples/filters/`, in the filters that they are for: each sees mail of every stream. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tagged } from '../support/tagged.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER } from './scenarios.ts';

const run = promisify(execFile);
const FILTERS = fileURLToPath(new URL('../../examples/filters', import.meta.url));
const STREAMS = ['verified', 'unverified', 'failed'] as const;

/** The rules as an administrator would put them, who has replaced the name. */
function rules(file: string, authservId = 'mx.dest.test'): string {
  const text = readFileSync(join(FILTERS, file), 'utf8');
  expect(text).toContain('mx.example.org');
  return text
    .replaceAll('mx.example.org', authservId)
    .replaceAll('mx\\.example\\.org', authservId.replaceAll('.', '\\.'));
}

/** Mail as it arrives behind the milter; and with somebody else's field, which must not count. */
async function message(stream: (typeof STREAMS)[number], authservId = 'mx.dest.test'): Promise<string> {
  const helo = {
    verified: 'mail.sender.org',
    unverified: `[${SENDER}]`,
    failed: 'Jupiter; policy.stream=verified',
  }[stream];
  const zone = { 'mail.sender.org': { A: [SENDER] } };
  return [
    `Authentication-Results: ${await tagged(SENDER, helo, zone, authservId)}`,
    'Received: from x by y; Tue, 24 Nov 2026 12:00:00 +0000',
    'From: <a@sender.org>',
    'To: <b@dest.test>',
    'Subject: hello',
    'Date: Tue, 24 Nov 2026 12:00:00 +0000',
    'Message-ID: <1@sender.org>',
    '',
    'Hello.',
    '',
  ].join('\n');
}

let workdir: string;
beforeAll(() => {
  workdir = makeWorkdir();
});
afterAll(() => {
  removeWorkdir(workdir);
});

describeWith(['spamassassin'], 'SpamAssassin', () => {
  let options: string[];

  beforeAll(() => {
    const directory = join(workdir, 'spamassassin');
    mkdirSync(directory);
    for (const file of readdirSync('/etc/spamassassin').filter((name) => name.endsWith('.pre'))) {
      cpSync(join('/etc/spamassassin', file), join(directory, file));
    }
    writeFileSync(
      join(directory, 'helo.cf'),
      `${rules('spamassassin.cf')}\nadd_header all Tests _TESTS_\nuse_bayes 0\n`,
    );
    options = ['-L', '-C', directory, '--siteconfigpath', directory, '--prefspath', '/dev/null'];
  });

  it('finds no fault with the rules', async () => {
    const { stderr } = await run('spamassassin', ['--lint', ...options]);
    // The list of top-level domains is part of the rules that sa-update brings.
    expect(stderr.replace(/.* no tlds defined, .*\n/, '')).toBe('');
  });

  it.each(STREAMS)('%s', async (stream) => {
    const file = join(workdir, 'mail');
    for (const [id, wanted] of [
      ['mx.dest.test', `HELO_STREAM_${stream.toUpperCase()}`],
      ['elsewhere.test', null],
    ] as const) {
      writeFileSync(file, await message(stream, id));
      const { stdout } = await run('spamassassin', [...options, file]);
      const tests = /^X-Spam-Tests: (.*)$/m.exec(stdout)?.[1]?.split(',') ?? [];
      expect(tests.filter((test) => test.startsWith('HELO_STREAM'))).toEqual(wanted === null ? [] : [wanted]);
    }
  });
});

describeWith(['sieve-test'], 'Sieve', () => {
  it.each([
    ['verified', 'mx.dest.test', 'INBOX'],
    ['unverified', 'mx.dest.test', 'INBOX'],
    ['failed', 'mx.dest.test', 'Junk'],
    ['failed', 'elsewhere.test', 'INBOX'],
  ] as const)('%s, says %s: %s', async (stream, id, folder) => {
    const script = join(workdir, 'stream.sieve');
    writeFileSync(script, rules('stream.sieve'));
    const mail = join(workdir, 'mail');
    writeFileSync(mail, await message(stream, id));
    const nobody = ['-o', 'mail_uid=65534', '-o', 'mail_gid=65534'];
    const { stdout } = await run('sieve-test', [...nobody, script, mail]);
    expect(/store message in folder: (\S+)/.exec(stdout)?.[1]).toBe(folder);
  });
});

describeWith(['rspamadm'], 'rspamd', () => {
  it.each([
    ['takes the rules', (text: string): string => text, /^$/],
    [
      'would not take what is broken',
      (text: string): string => text.replace('}', ''),
      /unmatched open brace/,
    ],
    ['nor a broken expression', (text: string): string => text.replace('/^', '/(^'), /regexp parsing error/],
  ])('%s', async (_, change, wanted) => {
    const directory = join(workdir, 'rspamd');
    mkdirSync(join(directory, 'local.d'), { recursive: true });
    writeFileSync(join(directory, 'local.d', 'regexp.conf'), change(rules('rspamd-regexp.conf')));
    // Names in its own rules are looked up at once, and there is no DNS here.
    const off = 'enabled = false;\nrule "rspamd.com" { enabled = false; servers = "127.0.0.1:1"; }\n';
    writeFileSync(join(directory, 'local.d', 'fuzzy_check.conf'), off);
    const { stderr } = await run('rspamadm', [`--var=LOCAL_CONFDIR=${directory}`, 'configtest', '-s']).catch(
      (error: unknown) => error as { readonly stderr: string },
    );
    expect(stderr.replace(/^cannot parse resolv\.conf .*\n/m, '')).toMatch(wanted);
  });
});

describeWith(['postfix', 'nsd', 'own network'], 'milter_header_checks', () => {
  let nsd: Nsd;
  let program: Program;
  let postfix: Postfix;

  beforeAll(async () => {
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram(['--dns-server', nsd.server, '--observe']);
    const checks = join(workdir, 'milter_header_checks');
    writeFileSync(checks, rules('milter_header_checks'));
    postfix = await startPostfix(workdir, {
      mainCf: `${shippedMainCf(program.socket)}\nmilter_header_checks = regexp:${checks}\n`,
      milters: [null],
    });
  });

  afterAll(async () => {
    await postfix.stop();
    await program.stop();
    await nsd.stop();
  });

  it.each([
    ['mail.sender.org', 0],
    ['[198.51.100.7]', 0],
    ['cloud.sender.org', 1],
  ])('after %s %i messages are held', async (helo, held) => {
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0, SENDER);
    await client.say(`EHLO ${helo}`);
    expect((await client.send()).code).toBe(250);
    client.close();
    const messages = await postfix.messages();
    expect(messages).toHaveLength(held);
    if (held > 0) expect(messages.join()).toContain('policy.stream=failed');
  });
});

/** The rules of `examples/filters/`, in the filters that they are for: each gets mail of every stream. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatSocketAddress, MilterServer } from '../../src/milter/index.ts';
import { tagged } from '../support/tagged.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { type Rspamd, startRspamd } from './kit/rspamd.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER } from './scenarios.ts';

const run = promisify(execFile);
const FILTERS = fileURLToPath(new URL('../../examples/filters', import.meta.url));
const STREAMS = ['verified', 'unverified', 'failed'] as const;

/** The rules as an administrator installs them, with the name replaced. */
function rules(file: string, authservId = 'mx.dest.test'): string {
  const text = readFileSync(join(FILTERS, file), 'utf8');
  expect(text).toContain('mx.example.org');
  return text
    .replaceAll('mx.example.org', authservId)
    .replaceAll('mx\\.example\\.org', authservId.replaceAll('.', '\\.'));
}

/**
 * Fields that pretend to be ours to a reader that decodes, unfolds or searches more than it should. Those
 * that are literally in our form are not among them: the milter removes those.
 */
const forged = (stream: (typeof STREAMS)[number]): [name: string, field: string][] => {
  const claims = `x-helo=${stream === 'failed' ? 'fail' : 'pass'} policy.correspondence=exact policy.stream=${stream} smtp.helo=x.test`;
  const q = (text: string): string =>
    `=?utf-8?q?${text.replaceAll(/[^a-z.-]/g, (c) => (c === ' ' ? '_' : `=${c.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`))}?=`;
  const b = (text: string): string => `=?utf-8?b?${Buffer.from(text).toString('base64')}?=`;
  const ours = `mx.dest.test; ${claims}`;
  return [
    ['a comment before the version', `Authentication-Results: mx.dest.test(c)1; ${claims}`],
    ['a comment before the id', `Authentication-Results: (c) ${ours}`],
    ['a comment behind the id', `Authentication-Results: mx.dest.test (c); ${claims}`],
    ['a version', `Authentication-Results: mx.dest.test 1; ${claims}`],
    ['a quoted id', `Authentication-Results: "mx.dest.test"; ${claims}`],
    ['an encoded id', `Authentication-Results: ${q('mx.dest.test')}; ${claims}`],
    ['an encoded field', `Authentication-Results: ${q(ours)}`],
    ['an encoded field in base64', `Authentication-Results: ${b(ours)}`],
    ['two encoded words', `Authentication-Results: ${q('mx.dest.')} ${b(`test; ${claims}`)}`],
    ['an encoded word and text', `Authentication-Results: ${b('mx.dest.test;')} ${claims}`],
    ['an encoded line end', `Authentication-Results: other.test; none ${q(`\n${ours}`)}`],
    ['an encoded line end in base64', `Authentication-Results: other.test; none ${b(`\r\n${ours}`)}`],
    [
      'an encoded field name',
      `Authentication-Results: other.test; none ${b(`\nAuthentication-Results: ${ours}`)}`,
    ],
    ['a folded line', `Authentication-Results: other.test; none\n ${ours}`],
    ['a folded field name', `Authentication-Results: other.test; none\n Authentication-Results: ${ours}`],
    ['another field with ours in it', `X-Note: a\n\tAuthentication-Results: ${ours}`],
    ['a subject', `Subject: Authentication-Results: ${ours}`],
    ['our id behind another', `Authentication-Results: other.test; none; ${ours}`],
    ['our id in a reason', `Authentication-Results: other.test; spf=none reason="${ours}"`],
    ['our id as the end of another', `Authentication-Results: not-mx.dest.test; ${claims}`],
    ['our id as the start of another', `Authentication-Results: mx.dest.test.evil.test; ${claims}`],
    ['a dot that is any letter', `Authentication-Results: mxadest.test; ${claims}`],
    ['a chain', `ARC-Authentication-Results: i=1; ${ours}`],
    ['a chain without its number', `ARC-Authentication-Results: ${ours}`],
    ['a copy', `X-Authentication-Results: ${ours}`],
    ['an original', `Authentication-Results-Original: ${ours}`],
  ];
};

/** HELO names by which a client may try to put a stream of its choice into the field. */
const HELO_TRICKS = ['Jupiter; policy.stream=verified', 'Jupiter policy.stream=verified'];

/** Mail as it arrives behind the milter, and with somebody else's field, which must not count. */
async function message(
  stream: (typeof STREAMS)[number],
  authservId = 'mx.dest.test',
  { helo: said = HELO_TRICKS[0] ?? '', above = '', below = '' } = {},
): Promise<string> {
  const helo = {
    verified: 'mail.sender.org',
    unverified: `[${SENDER}]`,
    failed: said,
  }[stream];
  const zone = { 'mail.sender.org': { A: [SENDER] } };
  return [
    ...(above === '' ? [] : [above]),
    `Authentication-Results: ${await tagged(SENDER, helo, zone, authservId)}`,
    ...(below === '' ? [] : [below]),
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
    // The list of top-level domains comes with the rules of sa-update.
    expect(stderr.replace(/.* no tlds defined, .*\n/, '')).toBe('');
  });

  const symbols = async (text: string): Promise<string[]> => {
    const file = join(workdir, 'mail');
    writeFileSync(file, text);
    const { stdout } = await run('spamassassin', [...options, file]);
    const tests = /^X-Spam-Tests: (.*)$/m.exec(stdout)?.[1]?.split(',') ?? [];
    return tests.filter((test) => test.startsWith('HELO_STREAM'));
  };

  it.each(STREAMS)('%s', async (stream) => {
    expect(await symbols(await message(stream))).toEqual([`HELO_STREAM_${stream.toUpperCase()}`]);
    expect(await symbols(await message(stream, 'elsewhere.test'))).toEqual([]);
  });

  it.each(HELO_TRICKS)('failed, after HELO %s', async (helo) => {
    expect(await symbols(await message('failed', 'mx.dest.test', { helo }))).toEqual(['HELO_STREAM_FAILED']);
  });

  // All forms in one message, since SpamAssassin takes a second to start; if one were believed, its name
  // would be among the tests.
  it('believes nothing that pretends to be ours', async () => {
    const one = await message('verified', 'elsewhere.test', {
      below: STREAMS.flatMap((stream) => forged(stream).map(([, field]) => field)).join('\n'),
    });
    expect(await symbols(one)).toEqual([]);
  });
});

describeWith(['sieve-test'], 'Sieve', () => {
  const folder = async (text: string): Promise<string | undefined> => {
    const script = join(workdir, 'stream.sieve');
    writeFileSync(script, rules('stream.sieve'));
    const mail = join(workdir, 'mail');
    writeFileSync(mail, text);
    const nobody = ['-o', 'mail_uid=65534', '-o', 'mail_gid=65534'];
    const { stdout } = await run('sieve-test', [...nobody, script, mail]);
    return /store message in folder: (\S+)/.exec(stdout)?.[1];
  };
  const NEIGHBOUR = 'Authentication-Results: mx.dest.test; dkim=pass header.d=sender.org';

  it.each([
    ['verified', 'mx.dest.test', '', 'INBOX'],
    ['unverified', 'mx.dest.test', '', 'INBOX'],
    ['failed', 'mx.dest.test', '', 'Junk'],
    ['failed', 'elsewhere.test', '', 'INBOX'],
    ['failed', 'mx.dest.test', NEIGHBOUR, 'Junk'],
    ['failed', 'mx.dest.test', `${NEIGHBOUR}\n${NEIGHBOUR}`, 'Junk'],
    ['verified', 'mx.dest.test', NEIGHBOUR, 'INBOX'],
  ] as const)('%s, says %s, below %j: %s', async (stream, id, above, wanted) => {
    expect(await folder(await message(stream, id, { above }))).toBe(wanted);
  });

  it.each(forged('failed'))('does not believe %s below ours', async (_, field) => {
    expect(await folder(await message('verified', 'mx.dest.test', { below: field }))).toBe('INBOX');
  });
});

describeWith(['rspamd'], 'rspamd at work', () => {
  let rspamd: Rspamd;
  beforeAll(async () => {
    rspamd = await startRspamd(workdir, `regexp {\n${rules('rspamd-regexp.conf')}\n}`);
  });
  afterAll(async () => {
    await rspamd.stop();
  });

  const symbols = async (text: string): Promise<string[]> =>
    (await rspamd.scan(text.replaceAll('\n', '\r\n'))).filter((name) => name.startsWith('HELO_STREAM'));

  it.each(STREAMS)('%s', async (stream) => {
    expect(await symbols(await message(stream))).toEqual([`HELO_STREAM_${stream.toUpperCase()}`]);
    expect(await symbols(await message(stream, 'elsewhere.test'))).toEqual([]);
  });

  it.each(HELO_TRICKS)('failed, after HELO %s', async (helo) => {
    expect(await symbols(await message('failed', 'mx.dest.test', { helo }))).toEqual(['HELO_STREAM_FAILED']);
  });

  it.each(STREAMS.flatMap((stream) => forged(stream).map(([name, field]) => [stream, name, field] as const)))(
    'does not believe %s by %s',
    async (_, __, field) => {
      expect(await symbols(await message('verified', 'elsewhere.test', { below: field }))).toEqual([]);
    },
  );
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
    // rspamd looks up the names in its own rules at the start, and there is no DNS here.
    const off = 'enabled = false;\nrule "rspamd.com" { enabled = false; servers = "127.0.0.1:1"; }\n';
    writeFileSync(join(directory, 'local.d', 'fuzzy_check.conf'), off);
    const { stderr } = await run('rspamadm', [`--var=LOCAL_CONFDIR=${directory}`, 'configtest', '-s']).catch(
      (error: unknown) => error as { readonly stderr: string },
    );
    expect(stderr.replace(/^cannot parse resolv\.conf .*\n/m, '')).toMatch(wanted);
  });
});

describeWith(['postfix', 'nsd', 'own network'], 'milter_header_checks', () => {
  /** Adds the fields that pretend to be ours. */
  let added = 0;
  const another = new MilterServer({
    newSession: () => ({
      endOfMessage: (message) => {
        for (const [, field] of forged('failed')) {
          const [name = '', ...value] = field.split(': ');
          message.insertHeader(0, name, value.join(': '));
          added++;
        }
        return 'accept';
      },
    }),
    actions: ['addHeaders'],
    onError: (error) => expect.fail(String(error)),
  });
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
      milters: [null, formatSocketAddress(await another.listen('inet:127.0.0.1:0'))],
    });
  });

  afterAll(async () => {
    await postfix.stop();
    await another.close();
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

  it('holds nothing for what a sender or another milter writes', async () => {
    const before = (await postfix.messages()).length;
    const client = await SmtpClient.connect(postfix.ports[1] ?? 0, SENDER);
    await client.say('EHLO mail.sender.org');
    const fields = forged('failed').map(([, field]) => field.replaceAll('\n', '\r\n'));
    expect((await client.send(['user@dest.test'], [...fields, '', 'body'].join('\r\n'))).code).toBe(250);
    client.close();
    expect(added).toBe(fields.length);
    expect(await postfix.messages()).toHaveLength(before);
  });
});

/**
 * `check` and `publish --verify` say what this installation does: its own options count, and the two agree.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assess } from '../../src/core/assess.ts';
import { PRESETS } from '../../src/core/check.ts';
import { checks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { judge } from '../../src/policy/judge.ts';
import { regularsText } from '../../src/state/regulars-text.ts';
import { DECISIONS } from '../fixtures/decisions.ts';
import { SENDERS } from '../fixtures/senders.ts';
import { runCommand, type Told } from '../support/run-command.ts';
import { RULES } from '../support/service.ts';

const ZONE = 'examples/senders.zone';
let directory: string;
const at = (name: string): string => join(directory, name);
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'installation-'));
  writeFileSync(
    at('access'),
    '# ours\nallow nowhere.example.org ip=203.0.113.0/24\ndeny mail.small.example.org\n',
  );
  writeFileSync(at('recipients'), 'dest.test strict\nopen@dest.test off\n');
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const run = (...args: readonly string[]): Promise<Told> => runCommand(args);

interface Report {
  verdicts: Record<string, { disposition: string; reply: string | null }>;
  findings: readonly { id: string }[];
  yours: {
    action: string;
    exempt: string | null;
    policy: { preset: string; own: boolean };
    disposition: string;
    cause: string | null;
    reply: string | null;
    weights: Record<string, number>;
    access: { action: string; line: number } | null;
    shadow: { preset: string; disposition: string } | null;
  };
  advice: readonly { kind: string }[];
}

async function report(...args: string[]): Promise<Report> {
  const { code, out, err } = await run('check', ...args, '--dns-zone', ZONE, '--json');
  expect(err).toBe('');
  expect(code).toBe(0);
  return JSON.parse(out) as Report;
}

/** A relay that is only aligned: accepted by all presets but strict. */
const RELAY = ['203.0.113.10', 'relay.multihomed.example.org'];
const GONE = ['203.0.113.50', 'nowhere.example.org'];
const SOUND = ['192.0.2.5', 'mail.small.example.org'];

/** Options as flags, and as lines of a configuration file. */
const CASES: readonly (readonly [
  what: string,
  pair: readonly string[],
  options: Readonly<Record<string, string | true>>,
  recipient: string | null,
  yours: object,
  text: RegExp,
])[] = [
  [
    'a line that allows',
    GONE,
    { policy: 'strict', access: 'DIR/access' },
    null,
    { action: 'accept', exempt: 'access', disposition: 'reject', access: { action: 'allow', line: 2 } },
    /line 2 of the access list matches: allow nowhere[^]*never refused: a line of the access list allows it\n +done: accept\n/,
  ],
  [
    'a line that denies',
    SOUND,
    { access: 'DIR/access' },
    null,
    { action: 'reject', exempt: null, disposition: 'reject', cause: 'helo-denied', access: { line: 3 } },
    /your options +reject +score 10: helo-denied 10\n +550 [^]*line 3 of the access list/,
  ],
  [
    'the policy of the recipient',
    RELAY,
    { 'recipient-policy': 'DIR/recipients' },
    'u@dest.test',
    { action: 'reject', policy: { preset: 'strict', own: true }, cause: 'helo-mismatch' },
    /by the policy of the recipient, strict/,
  ],
  [
    'a recipient that takes all',
    GONE,
    { policy: 'strict', 'recipient-policy': 'DIR/recipients' },
    'open@dest.test',
    { action: 'accept', exempt: 'opted-out', disposition: 'reject' },
    /never refused: the recipient is off in the list/,
  ],
  [
    'the postmaster',
    GONE,
    { policy: 'strict' },
    'Postmaster@dest.test',
    { action: 'accept', exempt: 'postmaster', disposition: 'reject' },
    /never refused: the mail is for postmaster/,
  ],
  [
    'a trusted network',
    GONE,
    { policy: 'strict', trust: '203.0.113.0/24' },
    null,
    { action: 'accept', exempt: 'trusted' },
    /never refused: it is in a network of --trust/,
  ],
  [
    'a name of ours',
    ['203.0.113.99', 'nowhere.example.org'],
    { 'our-name': 'example.org' },
    null,
    { action: 'reject', cause: 'helo-claims-us' },
    /helo-claims-us/,
  ],
  [
    'a shadow policy',
    RELAY,
    { 'shadow-policy': 'strict' },
    null,
    { action: 'accept', shadow: { preset: 'strict', disposition: 'reject' } },
    /the shadow policy strict would reject, score 10/,
  ],
  [
    'watching',
    GONE,
    { policy: 'strict', observe: true },
    null,
    { action: 'accept', exempt: null, disposition: 'reject' },
    /done: accept, as you only observe this client/,
  ],
];

describe('check does what this installation does, by flags and by file:', () => {
  it.each(CASES)('%s', async (_, [ip = '', helo = ''], options, recipient, yours, text) => {
    const given = Object.entries(options).map(
      ([key, value]) => [key, value === true ? value : value.replace('DIR', directory)] as const,
    );
    const whom = recipient === null ? [] : ['--recipient', recipient];
    const flags = given.flatMap(([key, value]) => [`--${key}`, ...(value === true ? [] : [value])]);
    const told = await report(ip, helo, ...whom, ...flags);
    expect(told.yours).toMatchObject(yours);
    const lines = given.map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
    writeFileSync(at('config.toml'), lines.join(''));
    expect(await report(ip, helo, ...whom, '--config', at('config.toml'))).toEqual(told);
    const { out } = await run('check', ip, helo, ...whom, ...flags, '--dns-zone', ZONE);
    expect(out).toMatch(text);
    // The presets are what they are without any option of the operator's, but for names of ours.
    if (!('our-name' in options)) expect((await report(ip, helo, ...whom)).verdicts).toEqual(told.verdicts);
  });

  it('tells a sender that is denied nothing to publish', async () => {
    expect((await report(...SOUND, '--access', at('access'))).advice).toEqual([]);
  });

  it('names the postmaster of the recipient', async () => {
    const { verdicts } = await report(...GONE, '--recipient', 'u@dest.test');
    expect(verdicts['strict']?.reply).toMatch(/; ask postmaster@dest\.test$/);
  });

  it('knows its regulars by the file', async () => {
    const [ip = '', helo = ''] = GONE;
    const today = Math.floor(Date.now() / 86_400_000);
    const one = { client: `${ip}/32`, helo, messages: 5, days: 5, firstDay: today - 9, lastDay: today - 1 };
    writeFileSync(at('regulars'), regularsText([one]));
    const flags = (limit: string, file = at('regulars')): string[] => [
      ...['--policy', 'strict', '--regulars', limit, '--regulars-file', file, '--dns-zone', ZONE],
    ];
    const told = async (...more: readonly string[]): Promise<object> =>
      (JSON.parse((await run('check', ...GONE, ...more, '--json')).out) as Report).yours;
    expect(await told(...flags('5/5'))).toMatchObject({
      regular: true,
      action: 'accept',
      disposition: 'accept',
    });
    expect(await told(...flags('6/5'))).toMatchObject({ regular: false, action: 'reject' });
    expect(await told(...flags('5/5', at('gone')))).toMatchObject({ regular: false, action: 'reject' });
    expect((await run('check', ...GONE, ...flags('5/5'))).out).toMatch(
      / {4}a regular: known by its mail, so that/,
    );
    writeFileSync(at('foreign'), 'not ours\n');
    expect(await told(...flags('5/5', at('foreign')))).toMatchObject({ regular: null, action: 'reject' });
    expect((await run('check', ...GONE, ...flags('5/5', at('foreign')))).out).toContain(
      'whether it is a regular is not known: ',
    );
  });

  it('says nothing of options that change nothing', async () => {
    expect((await run('check', ...RELAY, '--dns-zone', ZONE)).out).not.toContain('your options');
  });
});

describe('publish --verify', () => {
  it('blames our own resolver where it denies whole top-level domains, and so does check', async () => {
    const zone = at('cut-off');
    writeFileSync(zone, 'else.test. A 192.0.2.1\n');
    const published = await run('publish', 'mail.sender.org', '192.0.2.7', '--verify', '--dns-zone', zone);
    expect(published.out).toMatch(/^; unknown: the name leads to the host$/m);
    expect(published.out).not.toContain('; missing: ');
    expect(published.out).toMatch(/^; the fault may be in your own resolver: /m);
    const checked = await run('check', '192.0.2.7', 'mail.sender.org', '--dns-zone', zone);
    expect(checked.out).toMatch(/^The fault may be in your own resolver: /m);
    expect(checked.out).not.toContain('To fix it');
    const { out } = await run('check', '192.0.2.7', 'mail.sender.org', '--dns-zone', zone, '--json');
    expect(JSON.parse(out)).toMatchObject({ advice: [] });
  });

  const hosts = SENDERS.filter(({ helo }) => /^[\w-]+(\.[\w-]+)+$/.test(helo) && !helo.endsWith('.local'));
  it.each(hosts)('agrees with check: $title', async ({ ip, helo }) => {
    const { code, out } = await run('publish', helo, ip, '--verify', '--dns-zone', ZONE);
    const held = await Promise.all(
      PRESETS.map(async (policy) => Object.keys((await report(ip, helo, '--policy', policy)).yours.weights)),
    );
    expect(code).toBe(held.flat().length === 0 ? 0 : 1);
    for (const id of held.flat()) expect(out).toContain(`; ${ip}: a check holds ${id} against it`);
  });

  const verify = async (zone: string, ...ips: string[]): ReturnType<typeof run> => {
    writeFileSync(at('zone'), zone);
    return run('publish', 'mail.sender.org', ...ips, '--verify', '--dns-zone', at('zone'));
  };

  it('takes any SPF record that permits the host, and says what it found', async () => {
    const { code, out } = await verify(
      'mail.sender.org. A 192.0.2.7\nmail.sender.org. TXT "v=spf1 a -all"\n',
      '192.0.2.7',
    );
    expect(out).toMatch(/^; ok: SPF .*; found v=spf1 a -all$/m);
    // Another one beside it would make both worthless.
    expect(out).not.toMatch(/^[^;].*v=spf1/m);
    expect(out).toMatch(/^; missing: .*\n7\.2\.0\.192\.in-addr\.arpa\. IN PTR mail\.sender\.org\.$/m);
    expect(out).toMatch(/\n; a check holds nothing against this host\n$/);
    expect(code).toBe(0);
  });

  it('writes the change of a record that is there, and what it writes is enough', async () => {
    const old = 'mail.sender.org. TXT "v=spf1 ip4:198.51.100.1 -all"';
    const zone = `mail.sender.org. A 192.0.2.7\nmail.sender.org. AAAA 2001:db8::7\n${old}\n`;
    const { code, out } = await verify(zone, '192.0.2.7', '2001:db8::7');
    expect(code).toBe(1);
    expect(out).toMatch(/^; different: SPF /m);
    expect(out.match(/^[^;].*v=spf1/gm)).toHaveLength(1);
    expect(out).toContain(
      '192.0.2.7: a check holds helo-spf-fail against it (rfc5321 10, emailcore 10, strict 10)',
    );
    const again = await verify(zone.replace(old, '') + out, '192.0.2.7', '2001:db8::7');
    expect(again.out).not.toMatch(/missing|different/);
    expect(again.code).toBe(0);
  });

  it('writes nothing of a stranger’s that a terminal would obey', async () => {
    const { out } = await verify('mail.sender.org. TXT "v=spf1 \x1b[31m -all"\n', '192.0.2.7');
    expect(out).toMatch(/found v=spf1 \\x1b\[31m -all/);
    expect(out).not.toMatch(/[^\x20-\x7e\n]/);
  });
});

describe('check --ref', () => {
  async function logged(helo: string): Promise<string> {
    const zone = `gone.example.org. A 198.51.100.9\nexample.org. NS ns.example.org.\n`;
    const cached = await assess(makeClient('203.0.113.50', helo), {
      resolver: zoneFileResolver(zone, 'zone'),
      checks,
      onCheckError: () => undefined,
    });
    const session = {
      previousHelo: 'other.example.org',
      namesSeen: 1,
      regular: false,
      mta: { name: null, address: null },
    };
    const judged = judge(cached, RULES, { session, dnsIll: false, elapsedMs: 1, at: 0 });
    const decision = {
      ...DECISIONS.full,
      ...{ reference: 'mwtthiz8.5.1', client: '203.0.113.50', helo, judged, exempt: null },
      recipients: ['<u@dest.test>'],
      recipientCount: 1,
    };
    const other = { ...decision, reference: 'mwtthiz8.5.10' };
    return [other, decision]
      .map((each) => `${decisionRecord(each, '2026-11-26T08:28:36.832Z', null)}\n`)
      .join('');
  }

  it.each(['plain', 'gz'])(
    'shows a decision with its evidence, beside the answer of now (%s)',
    async (form) => {
      const text = await logged('gone.example.org');
      const file = at(form === 'gz' ? 'log.gz' : 'log');
      writeFileSync(file, form === 'gz' ? gzipSync(text) : text);
      writeFileSync(at('later'), 'gone.example.org. A 203.0.113.50\nexample.org. NS ns.example.org.\n');
      const args = ['check', '--ref', 'mwtthiz8.5.1', file, '--dns-zone', at('later')];
      const { out, code } = await run(...args);
      expect(code).toBe(0);
      expect(out).toMatch(/^Decision mwtthiz8\.5\.1 of 2026-11-26T08:28:36\.832Z: accept at rcpt\n/);
      expect(out).toMatch(/for <u@dest\.test>\n/);
      const [then = '', now = ''] = out.split('What is there now');
      expect(then).toMatch(
        /gone\.example\.org +A +found +198\.51\.100\.9[^]*so: none, stream failed[^]*helo-changed 2/,
      );
      expect(now).toMatch(/gone\.example\.org +A +found +203\.0\.113\.50[^]*so: exact, stream verified/);
      const past = JSON.parse((await run(...args, '--json')).out) as {
        reference: string;
        evidence: Report & { correspondence: string };
        now: Report & { correspondence: string };
      };
      expect([past.reference, past.evidence.correspondence, past.now.correspondence]).toEqual([
        'mwtthiz8.5.1',
        'none',
        'exact',
      ]);
      expect(past.evidence.findings.map(({ id }) => id)).toContain('helo-changed');
    },
  );

  it('reads records of version 1', async () => {
    const record = readFileSync('test/fixtures/records/v1-exact.json', 'utf8');
    writeFileSync(at('old'), record);
    const { out, code } = await run('check', '--ref', 'mwxaj3i1.1.1', at('old'), '--dns-zone', ZONE);
    expect(out).toMatch(/so: exact[^]*What is there now[^]*so: exact/);
    expect(code).toBe(0);
  });

  it('escapes what strangers wrote', async () => {
    writeFileSync(at('hostile'), await logged('\x1b]0;x\x07\xe9'));
    const { out } = await run('check', '--ref', 'mwtthiz8.5.1', at('hostile'), '--dns-zone', ZONE);
    expect(out).toMatch(/says HELO \\x1b\]0;x\\x07\\xe9/);
    expect(out).not.toMatch(/[^\x20-\x7e\n]/);
  });

  it('escapes them in JSON too, where a terminal would obey controls that JSON does not escape', async () => {
    const helo = 'a\x9b31m\xe9';
    writeFileSync(at('hostile'), await logged(helo));
    const past = await run('check', '--ref', 'mwtthiz8.5.1', at('hostile'), '--json', '--dns-zone', ZONE);
    const pair = await run('check', '203.0.113.50', 'a\x9b\u202e', '--json', '--dns-zone', ZONE);
    for (const { out } of [past, pair]) expect(out).toMatch(/^[\n\x20-\x7e]*$/);
    expect(JSON.parse(past.out)).toMatchObject({ evidence: { helo } });
    expect(JSON.parse(pair.out)).toMatchObject({ helo: 'a\x9b\u202e' });
  });

  it.each([
    [['--ref', 'x.1', 'LOG'], /no decision with the reference "x\.1" is there/],
    [['--ref', 'x.1', '/no/such/file'], /\/no\/such\/file: no such file or directory$/m],
    [['--ref', 'x.1', 'LOG', '--recipient', 'u@dest.test'], /--recipient does not go with --ref/],
    [['192.0.2.1'], /missing required argument 'HELO'/],
    [['192.0.2.1', 'a', 'b'], /too many arguments: "b"/],
  ])('%j ends with 64', async (args, message) => {
    writeFileSync(at('LOG'), await logged('gone.example.org'));
    const { err, code } = await run('check', ...args.map((each) => (each === 'LOG' ? at('LOG') : each)));
    expect(err).toMatch(message);
    expect(code).toBe(64);
  });
});

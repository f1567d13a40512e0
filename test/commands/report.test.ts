/** `report` as a command: who is told, in which order, in which form, and what is written where. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageData } from '../../src/report/page-data.ts';
import { observedLog, type Sent } from '../support/observed-log.ts';
import { linesOf, takeApart } from '../support/page-file.ts';
import { runCommand, type Told } from '../support/run-command.ts';
import { zoneResolver } from '../support/zone.ts';

const directory = mkdtempSync(join(tmpdir(), 'hm-report-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const runWith = (...args: readonly string[]): Promise<Told> => runCommand(['report', ...args]);
const run = (...args: readonly string[]): Promise<Told> => runWith('--no-config', ...args);

const DAY_MS = 86_400_000;
const now = Date.now();
/** The same, once a day, the last time so many days ago. */
const daily = (days: number, message: Omit<Sent, 'time'>, ago = 1): Sent[] =>
  Array.from({ length: days }, (_, i) => ({ ...message, time: now - (ago + days - 1 - i) * DAY_MS }));

/** The reverse name of the usual client is mail.sender.org. */
const PARTNER: Omit<Sent, 'time'> = { helo: 'other.sender.org', to: ['alice@dest.test', 'bob@dest.test'] };
const FORGER: Omit<Sent, 'time'> = { client: '192.0.2.66', helo: 'other.sender.org', aborted: true };
const JUNK: Omit<Sent, 'time'> = { client: '192.0.2.67', helo: 'Jupiter' };
const GOOD: Omit<Sent, 'time'> = { helo: 'mail.sender.org' };
const TRAFFIC = [
  ...daily(3, FORGER),
  ...daily(2, JUNK),
  ...daily(6, PARTNER),
  ...daily(4, GOOD),
  ...daily(1, { client: '192.0.2.68', helo: 'laptop', login: true }),
].toSorted((a, b) => a.time - b.time);

let log = '';
beforeAll(async () => {
  log = file('log', `${(await observedLog(TRAFFIC)).join('\n')}\n`);
});

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

interface Report {
  readonly step: string;
  readonly policy: string;
  readonly decisions: number;
  readonly senders: number;
  readonly messages: number;
  readonly hit: readonly {
    readonly name: string;
    readonly origin: string;
    readonly points: number;
    readonly messages: number;
    readonly days: number;
    readonly history: Record<string, unknown>;
    readonly recipients: readonly string[];
    readonly cases: readonly { readonly helo: string; readonly sender: string }[];
    readonly access: readonly { readonly line: string; readonly letsIn: number }[];
    readonly letter: { readonly to: string; readonly body: string };
  }[];
}

async function report(...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await run(...args, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Report;
}

describe('who is told', () => {
  it('is whoever would be hit, those first that look like legitimate senders; not one that only uses their name', async () => {
    const { decisions, senders, messages, hit } = await report('--policy', 'strict', log);
    expect([decisions, senders, messages]).toEqual([TRAFFIC.length, 3, 11]);
    expect(hit.map(({ name, origin, messages: each }) => [name, origin, each])).toEqual([
      ['sender.org', 'sender.org', 6],
      ['192.0.2.0/24', '192.0.2.0/24', 2],
      ['sender.org', '192.0.2.0/24', 3],
    ]);
    const [partner, junk, forger] = hit;
    expect(partner?.history).toMatchObject({ decisions: 10, days: 6, accepted: 10, authenticated: 0 });
    // Somebody in its network has logged in.
    expect(junk?.history).toMatchObject({ authenticated: 1 });
    expect(forger?.history).toMatchObject({ decisions: 3, accepted: 0, aborted: 3 });
  });

  it('is nobody where nothing would be stricter', async () => {
    const { out, code } = await run('--weight', 'helo-not-fqdn=0', '--policy', 'rfc5321', log);
    expect([code, out]).toEqual([0, expect.stringMatching(/nobody would be hit, of 16\sdecisions/)]);
  });

  it('of the last days only is hit, while all of the logs is history', async () => {
    const old = file('log.1.gz', gzipSync(`${(await observedLog(daily(5, PARTNER, 30))).join('\n')}\n`));
    const { decisions, hit } = await report('--policy', 'strict', '--days', '7', log, old);
    expect(decisions).toBe(TRAFFIC.length);
    expect(hit[0]).toMatchObject({ name: 'sender.org', messages: 6, days: 6, history: { days: 11 } });
    expect((await report('--policy', 'strict', log, old)).hit[0]).toMatchObject({ messages: 11, days: 11 });
  });

  it('is bounded', async () => {
    const { senders, hit } = await report('--policy', 'strict', '--top', '1', log);
    expect([senders, hit.length]).toEqual([3, 1]);
  });
});

describe('the next step', () => {
  const told = async (config: string, ...args: readonly string[]): Promise<Report> => {
    const { out, err } = await runWith('--config', file('next.toml', config), ...args, '--json', log);
    expect(err).toBe('');
    return JSON.parse(out) as Report;
  };
  const SHADOW = 'shadow-policy = "strict"\n';
  const NONE = 'weight = { helo-not-fqdn = 0 }\n';
  const ALL = ['--policy', 'strict'];

  it.each<[string, string, readonly string[], step: string, policy: string, messages: number]>([
    ['is to act, where we only watch', `observe = true\n${SHADOW}`, [], 'enforce', 'rfc5321', 2],
    ['is to act with what is given', 'observe = true', ['--our-name', 'x.test'], 'given', 'rfc5321', 2],
    ['is the shadow policy, where the policy is in force', SHADOW, [], 'shadow-policy', 'strict', 11],
    ['takes what else is configured along', SHADOW + NONE, [], 'shadow-policy', 'strict', 9],
    [
      'comes after the share that is acted on',
      `enforce-percent = 0\n${SHADOW}`,
      [],
      'enforce-percent',
      'rfc5321',
      2,
    ],
    ['is what is given', `policy = "emailcore"\n${SHADOW}`, ['--policy', 'rfc5321'], 'given', 'rfc5321', 2],
    ['is a line of a list that is given', SHADOW, ['--our-name', 'x.test'], 'given', 'rfc5321', 2],
    ['may be given as such', '', ['--shadow-policy', 'strict'], 'shadow-policy', 'strict', 11],
    [
      'does not depend on what else is said',
      SHADOW,
      ['--contact', 'x@y.test'],
      'shadow-policy',
      'strict',
      11,
    ],
    [
      'is the policy, where the shadow policy is the same',
      'shadow-policy = "rfc5321"',
      [],
      'given',
      'rfc5321',
      2,
    ],
  ])('%s', async (_, config, args, step, policy, messages) => {
    expect(await told(config, ...args)).toMatchObject({ step, policy, messages });
  });

  it('given before the name of the command counts too', async () => {
    const config = file('next.toml', SHADOW);
    const { out } = await runCommand(['--config', config, ...ALL, 'report', '--json', log]);
    expect(JSON.parse(out)).toMatchObject({ step: 'given', policy: 'strict' });
  });

  it('is told', async () => {
    const text = async (config: string): Promise<string> =>
      (await runWith('--config', file('next.toml', config), log)).out.replaceAll('\n', ' ');
    expect(await text('observe = true')).toMatch(
      /^With the policy acted on in place of only watched \(observe = false, policy rfc5321\) \d+ senders? would/,
    );
    expect(await text(SHADOW)).toMatch(
      /^With your shadow policy in place of .* \(policy strict\) 3 senders would/,
    );
    expect(await text('enforce-percent = 5')).toMatch(
      /^With all client networks .* \(.*policy rfc5321\) 1 sender /,
    );
  });
});

it('counts the messages that a line of the access list lets in by judging them again', async () => {
  const { hit } = await report('--policy', 'strict', log);
  for (const { access, messages } of hit) {
    for (const { line, letsIn } of access) {
      const list = file('list', `${line}\n`);
      const after = await report('--policy', 'strict', '--access', list, log);
      expect(after.messages, line).toBe(11 - letsIn);
      expect(letsIn).toBe(messages);
    }
  }
  expect(hit.map(({ access }) => access.length)).toEqual([1, 1, 1]);
  // What the list has already comes first.
  const deny = file('deny', 'deny other.sender.org\n');
  expect((await report('--policy', 'strict', '--access', deny, log)).hit[0]?.access).toEqual([]);
});

/** Everything in a page that depends on the log. */
function inPage(file: string): string {
  const page = takeApart(readFileSync(file, 'latin1'));
  return [page.report, page.data, ...linesOf(page)].join('\n');
}

describe('addresses', () => {
  it('are told, or their domains alone', async () => {
    const [open] = (await report('--policy', 'strict', log)).hit;
    expect(open?.recipients).toEqual(['alice@dest.test', 'bob@dest.test']);
    for (const form of [[], ['--json'], ['--mail', 'root'], ['--html', join(directory, 'masked')]]) {
      const { out, code } = await run('--policy', 'strict', '--mask', 'recipients', ...form, log);
      const told = form[0] === '--html' ? inPage(join(directory, 'masked')) : out;
      expect(code).toBe(0);
      expect(told).toContain('*@dest.test');
      expect(told).not.toMatch(/alice|bob|s@sender/);
    }
  });

  it('are hidden in names that clients give, too', async () => {
    const odd = { client: '192.0.2.69', helo: 'Carla (home)@pc.test', time: now - DAY_MS };
    const one = file('odd', `${(await observedLog([odd])).join('\n')}\n`);
    const open = await run('--policy', 'strict', one);
    expect(open.out).toContain('Carla');
    const page = join(directory, 'odd.html');
    for (const form of [[], ['--json'], ['--mail', 'root'], ['--html', page]]) {
      const { out, code } = await run('--policy', 'strict', '--mask', 'recipients', ...form, one);
      const told = form[0] === '--html' ? inPage(page) : out;
      expect(code).toBe(0);
      expect(told).toContain('@pc.test');
      expect(told).not.toMatch(/carla|home/i);
    }
  });

  it('in the access list are hidden in the page, and it counts as before', async () => {
    const list =
      '# asked for by alice@dest.test\ndeny jupiter text="ask bob@dest.test # now" # s@sender.org\n';
    const out = join(directory, 'masked');
    const deep = `${log}.deep`;
    const [first = ''] = readFileSync(log, 'latin1').split('\n');
    writeFileSync(deep, `${first.slice(0, -1)},"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}\n`);
    const flags = ['--access', file('with-people', list), '--mask', 'recipients', '--html', out];
    expect((await run('--policy', 'strict', ...flags, log, deep)).code).toBe(0);
    const { access, notes } = JSON.parse(takeApart(readFileSync(out, 'latin1')).data) as PageData;
    expect(access).toBe('\ndeny jupiter\n');
    expect(notes.join()).toMatch(/1 line/);
  });

  it('of recipients are in no letter', async () => {
    for (const { letter } of (await report('--policy', 'strict', log)).hit)
      expect(letter.body).not.toMatch(/alice|bob|s@sender|r@dest/);
  });
});

describe('a mail', () => {
  it('is one that sendmail -t takes', async () => {
    const { out } = await run('--policy', 'strict', '--mail', 'postmaster@example.org', log);
    const [head = '', body = ''] = out.split(/\n\n(.*)/s);
    expect(head.split('\n')).toEqual([
      'To: postmaster@example.org',
      'Subject: helo-milter: 3 senders would be hit by strict',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=us-ascii',
      'Auto-Submitted: auto-generated',
    ]);
    expect(body).toBe((await run('--policy', 'strict', log)).out);
  });

  it('may be one letter', async () => {
    const { out } = await run('--policy', 'strict', '--letter', 'sender.org', log);
    expect(out).toMatch(
      /^To: postmaster@sender\.org\nSubject: Mail from 198\.51\.100\.7 will be refused for its HELO name\n/,
    );
    expect(out).toMatch(/^ +other\.sender\.org\. IN A 198\.51\.100\.7$/m);
    expect(out).toMatch(/^ +EHLO mail\.sender\.org$/m);
    expect(out).toMatch(/^ +EHLO \[198\.51\.100\.7\]$/m);
  });
});

describe('the page', () => {
  const page = join(directory, 'page.html');
  const write = (to = page): Promise<{ code: number; out: string; err: string }> =>
    run('--policy', 'strict', '--html', to, log);

  it('is for its owner only, replaced as a whole, and leaves nothing behind', async () => {
    writeFileSync(page, 'old', { mode: 0o644 });
    expect(await write()).toEqual({ code: 0, out: '', err: '' });
    expect(statSync(page).mode & 0o777).toBe(0o600);
    expect(readFileSync(page, 'utf8')).toMatch(/^<!DOCTYPE html>/);
    expect(readdirSync(directory).filter((name) => name.startsWith('page'))).toEqual(['page.html']);
  });

  it('follows no symlink, neither by its name nor by that of the file written first', async () => {
    const other = file('other', 'mine');
    const link = join(directory, 'link');
    symlinkSync(other, link);
    const { code, err } = await write(link);
    expect([code, err]).toEqual([64, expect.stringMatching(/link is there and is not a regular file/)]);
    symlinkSync(other, `${page}.new`);
    expect((await write()).code).toBe(0);
    expect(readFileSync(other, 'utf8')).toBe('mine');
    expect(lstatSync(page).isFile()).toBe(true);
    expect(existsSync(`${page}.new`)).toBe(false);
  });

  it('replaces no directory, and says where it cannot be written', async () => {
    mkdirSync(join(directory, 'folder'));
    expect((await write(join(directory, 'folder'))).code).toBe(64);
    expect(await write(join(directory, 'nowhere/page'))).toMatchObject({
      code: 64,
      err: expect.stringMatching(/^helo-milter: --html: /) as unknown,
    });
  });
});

describe('is a usage error', () => {
  it.each([
    ['a mask of something else', ['--mask', 'all'], /--mask/],
    ['an address that would be more than one header line', ['--mail', 'a@b\nBcc: c@d'], /--mail/],
    ['an address that would be an option', ['--mail', '-oQ@b'], /--mail/],
    ['two forms', ['--json', '--mail', 'root'], /give one/],
    ['a letter to nobody', ['--letter', 'gone.test'], /nobody called/],
    ['a letter to a host without a domain', ['--letter', '192.0.2.0/24'], /nobody is known/],
    ['no number', ['--days', '0'], /--days/],
  ])('%s', async (_, args, message) => {
    const { code, err } = await run(...args, '--policy', 'strict', log);
    expect([code, err]).toEqual([64, expect.stringMatching(message)]);
  });

  it('a mistake of the configuration is 78', async () => {
    const { code, err } = await runWith('--config', file('bad.toml', 'policy = "none"\n'), log);
    expect([code, err]).toEqual([78, expect.stringMatching(/bad\.toml:1/)]);
  });

  it('a file that is not there', async () => {
    expect((await run(join(directory, 'none'))).code).toBe(64);
  });
});

it('docs/report.md shows what is printed', async () => {
  const zone = {
    'mail.example.org': { A: ['192.0.2.10'] },
    'example.org': { NS: ['ns.example.org'] },
    '10.2.0.192.in-addr.arpa': { PTR: ['mail.example.org'] },
  };
  const sent = Array.from({ length: 5 }, (_, i) => ({
    client: '192.0.2.10',
    helo: 'smtp.example.org',
    from: 'news@example.org',
    to: ['anna@dest.test'],
    time: Date.UTC(2026, 10, 2 + i, 8, 15),
  }));
  const shown = file('shown', `${(await observedLog(sent, zoneResolver(zone))).join('\n')}\n`);
  const { out } = await run('--policy', 'strict', shown);
  // These differ each time.
  const same = (text: string): string =>
    text.replaceAll(/until=[\d-]+/g, 'until=DAY').replaceAll(/(ref(?:erence:)?) \w+\.\w+\.\w+/g, '$1 REF');
  const page = readFileSync(new URL('../../docs/report.md', import.meta.url), 'utf8');
  const [, example = ''] = /^## What it says\n\n```\n(.*?)^```$/ms.exec(page) ?? [];
  expect(same(example), out).toBe(same(out));
});

it('agrees with replay on how much would be stricter', async () => {
  const { hit } = await report('--policy', 'strict', log);
  const { out } = await runCommand(['replay', '--no-config', '--policy', 'strict', '--json', log]);
  const { stricter } = JSON.parse(out) as { stricter: number };
  expect(hit.reduce((sum, { messages }) => sum + messages, 0)).toBe(stricter);
});

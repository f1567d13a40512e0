/** `replay` as a command: what it prints, of which files, held against an independent count by awk. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib, { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { flagOf } from '../../src/config/option.ts';
import { ROWS } from '../../src/config/options.ts';
import { csvText } from '../../src/commands/replay-text.ts';
import type { Decision } from '../../src/decisions/decision.ts';
import { findings } from '../../src/core/checks/index.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import type { Rules } from '../../src/policy/rules.ts';
import * as mta from '../support/mta.ts';
import { runCommand, type Told } from '../support/run-command.ts';
import { CLIENT, hello, service } from '../support/service.ts';

const directory = mkdtempSync(join(tmpdir(), 'hm-replay-'));

const run = (...args: readonly string[]): Promise<Told> => runCommand(['replay', '--no-config', ...args]);

interface Traffic {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly rules?: Partial<Rules>;
}

/** A log of what a service decided about clients that say these names, one a day. */
async function logOf(
  sent: readonly (string | readonly [name: string, client: string])[],
  { from = '2026-11-01', to = ['r@dest.test'], rules = {} }: Traffic = {},
): Promise<string[]> {
  const lines: string[] = [];
  let day = Date.parse(`${from}T10:00:00Z`);
  const { connection } = service({
    rules,
    wallClock: () => day,
    decided: (decision: Decision) => lines.push(decisionRecord(decision, new Date(day).toISOString(), null)),
  });
  for (const each of sent) {
    const [name, client] = typeof each === 'string' ? [each, CLIENT] : each;
    const { say } = connection();
    await say(...hello(name, client), mta.mail('s@sender.org'), ...to.map((one) => mta.rcpt(one)), mta.abort);
    day += 86_400_000;
  }
  return lines;
}

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

interface Counted {
  readonly decisions: number;
  readonly messages: number;
  readonly then: Record<string, number>;
  readonly now: Record<string, number>;
  readonly days: number;
  readonly first: string;
  readonly last: string;
}

interface Changed {
  readonly stricter: number;
  readonly milder: number;
  readonly unknown: number;
}

interface Report extends Counted, Changed {
  readonly notes: readonly string[];
  readonly unreadable: number;
  readonly groups: Record<string, (Counted & Changed & { readonly name: string })[]>;
}

async function report(...args: readonly string[]): Promise<Report> {
  const { code, out } = await run(...args, '--json');
  expect(code).toBe(0);
  return JSON.parse(out) as Report;
}

const NAMES = ['mail.sender.org', 'other.sender.org', 'gone.strange.org', 'Jupiter', 'other.sender.org'];

/** Everything that is counted, by dimension and name: decisions, what was done, days, first and last. */
const AWK = String.raw`
function text(field) {
  if (!match($0, "\"" field "\":\"[^\"]*\"")) return ""
  split(substr($0, RSTART, RLENGTH), part, "\""); return part[4]
}
function domain(address) { sub(/^.*@/, "", address); sub(/>$/, "", address); return address }
function add(by, name,   key) {
  key = by " " name; n[key]++; act[key, action]++
  if (!((key, message) in met)) { met[key, message] = 1; messages[key]++ }
  shadowed[key, shadow]++
  if (!((key, day) in seen)) { seen[key, day] = 1; days[key]++ }
  if (!(key in first) || time < first[key]) first[key] = time
  if (time > last[key]) last[key] = time
}
{
  action = text("action"); if (text("reference") != before) number++
  before = text("reference"); message = number; time = text("time"); day = substr(time, 1, 10)
  shadow = match($0, /"preset":"strict","disposition":"[a-z]*"/) ? substr($0, RSTART, RLENGTH) : ""
  gsub(/^.*:"|"$/, "", shadow)
  add("all", "all")
  add("stream", text("stream"))
  ip = text("ip"); network = ip; sub(/[0-9]+$/, "0/24", network); add("network", network)
  sender = text("domain"); if (sender == "") sender = text("reverseDomain")
  add("sender", sender == "" ? network : sender)
  rest = $0; delete told
  while (match(rest, /"id":"[^"]*","basis":"[^"]*","weight":[1-9]/)) {
    split(substr(rest, RSTART, RLENGTH), part, "\""); add("finding", part[4]); rest = substr(rest, RSTART + RLENGTH)
  }
  list = match($0, /"recipients":\[[^\]]*\]/) ? substr($0, RSTART + 13, RLENGTH - 14) : text("recipient")
  count = split(list, to, ",")
  for (i = 1; i <= count; i++) {
    gsub(/"/, "", to[i]); whose = domain(to[i])
    if (!(whose in told)) { told[whose] = 1; add("recipient", whose) }
  }
}
END {
  for (key in n)
    print key, n[key], messages[key], act[key, "accept"] + 0, act[key, "tempfail"] + 0, act[key, "reject"] + 0, days[key], first[key], last[key],
      shadowed[key, "accept"] + 0, shadowed[key, "tempfail"] + 0, shadowed[key, "reject"] + 0
}`;

/** What `replay` counts, in the words of the program above; `now` is what the strict policy would do. */
function lines(told: Report): string[] {
  const line = (key: string, { decisions, messages, then, now, days, first, last }: Counted): string =>
    [key, decisions, messages, ...counts(then), days, first, last, ...counts(now)].join(' ');
  const counts = (each: Record<string, number>) => [each['accept'], each['tempfail'], each['reject']];
  return [
    line('all all', told),
    ...Object.entries(told.groups).flatMap(([by, groups]) =>
      groups.map((group) => line(`${by} ${group.name}`, group)),
    ),
  ].toSorted();
}

describe('the counts', () => {
  it('equal those of awk over the same log', async () => {
    // What the strict policy says stands in the records of the session, as that of a shadow policy.
    const shadowPolicy = makePolicy('strict', findings);
    const to = ['a@dest.test', 'b@dest.test', 'c@other.test'];
    const sent = [
      ...NAMES.map((name) => [name, CLIENT] as const),
      ...['gone.strange.org', 'mail.sender.org', '[203.0.113.9]', 'Jupiter'].map(
        (name) => [name, '203.0.113.9'] as const,
      ),
    ];
    const found = await logOf(sent, { rules: { shadowPolicy }, to });
    const log = file('plain.log', `${[...found, ...found.toReversed()].join('\n')}\n`);
    const awk = execFileSync('awk', [AWK, log], { encoding: 'utf8' }).trim().split('\n');
    const strict = await report(log, '--policy', 'strict');
    // What weighs is that of the session, and not what would weigh now.
    const by = (wanted: boolean) => (line: string) => /^(?:finding|stream) /.test(line) === wanted;
    expect(lines(strict).filter(by(false))).toEqual(awk.filter(by(false)).toSorted());
    const plain = (line: string): string => line.split(' ').slice(0, -3).join(' ');
    expect(lines(await report(log)).map(plain)).toEqual(awk.map(plain).toSorted());
  });

  it('say what a stricter policy would have done, and to whom', async () => {
    const log = file('strict.log', `${(await logOf(NAMES)).join('\n')}\n`);
    const before = await report(log);
    const after = await report(log, '--policy', 'strict');
    expect(before.stricter).toBe(0);
    expect(after.now).not.toEqual(before.now);
    expect(after.stricter).toBeGreaterThan(0);
    const [worst] = after.groups['sender'] ?? [];
    expect(worst).toMatchObject({ name: 'sender.org', decisions: 4, now: { accept: 1, reject: 3 } });
    expect((await run(log, '--policy', 'strict')).out).toMatch(
      /^sender\.org +4 +4 +2026-11-01\/11-05 +3\/0\/1 +1\/0\/3 +2 stricter$/m,
    );
  });
});

describe('the files', () => {
  it('may be compressed and rotated, and given in any order', async () => {
    const old = file('log.1.gz', gzipSync(`${(await logOf(NAMES, { from: '2026-10-01' })).join('\n')}\n`));
    const young = file('log', `${(await logOf(NAMES)).join('\n')}\n`);
    const all = await report(young, old);
    expect(all).toMatchObject({ decisions: 10, first: '2026-10-01T10:00:00.000Z', days: 10, unreadable: 0 });
    expect(await report(old, young)).toEqual(all);
  });

  it('may have lines that are none, which are counted and told', async () => {
    const [first = '', second = ''] = await logOf(NAMES);
    const log = file(
      'torn.log',
      [first, 'x'.repeat(2_000_000), second.slice(0, 99), '{}', second, ''].join('\n'),
    );
    const { decisions, unreadable } = await report(log);
    expect([decisions, unreadable]).toEqual([2, 3]);
    expect((await run(log)).out.replaceAll('\n', ' ')).toMatch(
      /note: 3 lines are no decisions and were left out: .*torn\.log:2: it is too long/,
    );
  });

  const { zstdCompressSync } = zlib as { readonly zstdCompressSync?: (text: string) => Buffer };
  const names = NAMES.slice(0, 2);
  it('may be compressed with zstd, or says what to do where Node has none', async () => {
    const text = `${(await logOf(names)).join('\n')}\n`;
    const log = file('log.zst', zstdCompressSync?.(text) ?? text);
    const { code, out, err } = await run(log, '--json');
    if (zstdCompressSync === undefined) {
      expect(err).toMatch(/log\.zst: this Node cannot read zstd; use "zstd -dc"/);
      expect(code).toBe(64);
    } else expect(JSON.parse(out)).toMatchObject({ decisions: 2, unreadable: 0 });
  });

  it.each([
    ['that is not there', () => join(directory, 'none'), /none: no such file or directory$/m],
    ['that is not what its name says', () => file('bad.gz', 'no gzip'), /bad\.gz: incorrect header check/],
  ])('one %s is a usage error', async (_, path, message) => {
    const { code, err } = await run(path());
    expect([code, err]).toEqual([64, expect.stringMatching(message)]);
  });
});

it('is inert in a terminal, in CSV and in JSON, whatever names strangers give', async () => {
  const hostile = '=cmd()"\x1b[31m\u202e<script>';
  const log = file('hostile.log', `${(await logOf([hostile], { to: [`x@${hostile}`] })).join('\n')}\n`);
  for (const flags of [[], ['--csv'], ['--json']]) {
    expect((await run(log, ...flags)).out).toMatch(/^[\x20-\x7e\r\n]*$/);
  }
  const { out } = await run(log, '--csv');
  expect(out).not.toMatch(/(?:^|,)"?[=+@-]/m);
  expect(out.split('\r\n')[0]).toMatch(/^by,name,decisions,.*,messages$/);
});

it('says the same in CSV as in JSON', async () => {
  const log = file('csv.log', `${(await logOf([...NAMES, ...NAMES])).join('\n')}\n`);
  const told = await report(log, '--policy', 'strict');
  const [head = '', ...rows] = (await run(log, '--policy', 'strict', '--csv')).out.trim().split('\r\n');
  const columns = head.split(',');
  const read = rows.map((row) => {
    const cells = row.split(',').map((cell) => cell.replaceAll('"', ''));
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']));
  });
  const groups = Object.entries(told.groups).flatMap(([by, all]) => all.map((group) => ({ by, ...group })));
  const wanted = [{ by: 'all', name: 'all', ...told }, ...groups].map(
    ({ by, name, decisions, days, first, last, then, now, stricter, milder, unknown, messages }) => ({
      ...{ by, name, decisions, days, first, last },
      ...Object.fromEntries(Object.entries(then).map(([word, count]) => [`then_${word}`, count])),
      ...Object.fromEntries(Object.entries(now).map(([word, count]) => [`now_${word}`, count])),
      ...{ stricter, milder, unknown, messages },
    }),
  );
  const asText = (each: object): object =>
    Object.fromEntries(Object.entries(each).map(([column, value]) => [column, String(value)]));
  expect(read).toEqual(wanted.map(asText));
  expect(new Set(groups.map(({ first }) => first)).size).toBeGreaterThan(1);
});

it('reads delivered mail, looks its names up now, and says so', async () => {
  const box = join(directory, 'box');
  for (const each of ['cur', 'new', 'tmp']) mkdirSync(join(box, each), { recursive: true });
  const names = ['mail.sender.org', 'gone.sender.org', 'Jupiter'];
  for (const [i, name] of names.entries()) {
    const mail = `Received: from ${name} (unknown [198.51.100.7])
	by mx.dest.test (Postfix) with ESMTP id 4F1B2A3C
	for <user@dest.test>; Thu, 26 Nov 2026 10:30:0${i} +0000 (UTC)
Subject: t

body
`;
    writeFileSync(join(box, 'cur', `${i}`), mail);
  }
  const zone = file('zone', 'mail.sender.org. 300 IN A 198.51.100.7\nsender.org. 300 IN NS ns.sender.org.\n');
  const given = ['--received', box, '--by', 'mx.dest.test', '--rate', '1000', '--dns-zone', zone];
  const told = await report(...given);
  expect(told).toMatchObject({ decisions: 3, messages: 3, then: { accept: 3 }, now: { accept: 1 } });
  expect(told.notes.join(' ')).toMatch(/Today's DNS is not that of the sessions/);
  const { out } = await run(...given);
  expect(out.replaceAll(/\s+/g, ' ')).toMatch(/Today's DNS is not that of the sessions/);
  expect((await run(...given, '--csv')).out).toMatch(/^"?sender"?,"sender\.org",2,/m);
  const others = ['--received', box, '--by', 'mx.other.test', '--dns-zone', zone];
  expect((await report(...others)).decisions).toBe(0);
});

it('says how far it is on a terminal, and leaves nothing of it', async () => {
  const log = file('long.log', `${(await logOf(NAMES)).join('\n')}\n`);
  const { code, err } = await runCommand(['replay', '--no-config', log], {
    wanted: { screen: { colour: false, columns: 80 } },
  });
  expect(code).toBe(0);
  const [, first, ...more] = err.split('\r\x1b[K');
  expect([first, more.at(-1)]).toEqual(['100 % 1 decision', '']);
});

it.each(['replay', 'report'])(
  '%s takes every option of policy, of exemptions and of who we are',
  async (name) => {
    // What only the MTA knows, or was counted at the time, stands in the record.
    const recorded = ['churnWindow', 'exemptDaemon', 'regularsFile'];
    const rows = ROWS.filter(([, { group }]) => ['Policy', 'Who we are', 'Exemptions'].includes(group));
    const wanted = rows.flatMap(([key]) => (recorded.includes(key) ? [] : [flagOf(key)]));
    const { out } = await runCommand([name, '--help']);
    expect(wanted.length).toBeGreaterThan(15);
    expect(wanted.filter((flag) => !new RegExp(`^  ${flag}(?: |$)`, 'm').test(out))).toEqual([]);
  },
);

it.each([
  ['=1+1', `"'=1+1"`],
  ['a"b', '"a\\""b"'],
  ['-x', `"'-x"`],
  ['+x', `"'+x"`],
  ['@x', `"'@x"`],
  ['\tx', '"\\x09x"'],
  ['plain.org', '"plain.org"'],
])('%j is %s in CSV', (text, wanted) => {
  expect(csvText(text)).toBe(wanted);
});

it('does not take --observe from a file for what would be done', async () => {
  const log = file('observed.log', `${(await logOf(['Jupiter'])).join('\n')}\n`);
  const config = file('observe.toml', 'observe = true\n');
  const json = async (...args: string[]): Promise<Report> => {
    const { out } = await runCommand(['replay', log, '--json', ...args]);
    return JSON.parse(out) as Report;
  };
  expect((await json('--config', config)).now).toMatchObject({ reject: 1 });
  expect((await json('--no-config', '--observe')).now).toMatchObject({ accept: 1 });
});

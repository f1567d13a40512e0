/** `replay` as a command: what it prints, of which files, held against an independent count by awk. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { csvText } from '../../src/commands/replay-text.ts';
import type { Decision } from '../../src/decisions/decision.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import * as mta from '../support/mta.ts';
import { hello, service } from '../support/service.ts';
import { fakeTerminal } from '../support/terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'hm-replay-'));

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = fakeTerminal({ write: (text) => (out += text), writeError: (text) => (err += text) });
  const code = await runCommandLine(['replay', '--no-config', ...args], '1.2.3', terminal);
  return { code, out, err };
}

/** A log of what a service decided about clients that say these names, one a day. */
async function logOf(names: readonly string[], from = '2026-11-01', to = 'r@dest.test'): Promise<string[]> {
  const lines: string[] = [];
  let day = Date.parse(`${from}T10:00:00Z`);
  const { connection } = service({
    wallClock: () => day,
    decided: (decision: Decision) => lines.push(decisionRecord(decision, new Date(day).toISOString(), null)),
  });
  for (const name of names) {
    const { say } = connection();
    await say(...hello(name), mta.mail('s@sender.org'), mta.rcpt(to), mta.abort);
    day += 86_400_000;
  }
  return lines;
}

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

interface Report {
  readonly decisions: number;
  readonly then: Record<string, number>;
  readonly now: Record<string, number>;
  readonly stricter: number;
  readonly unreadable: number;
  readonly first: string;
  readonly days: number;
  readonly groups: Record<string, { name: string; decisions: number; now: Record<string, number> }[]>;
}

async function report(...args: readonly string[]): Promise<Report> {
  const { code, out } = await run(...args, '--json');
  expect(code).toBe(0);
  return JSON.parse(out) as Report;
}

const NAMES = ['mail.sender.org', 'other.sender.org', 'gone.strange.org', 'Jupiter', 'other.sender.org'];

describe('the counts', () => {
  it('equal those of awk over the same log', async () => {
    const log = file('plain.log', `${(await logOf(NAMES)).join('\n')}\n`);
    const { decisions, then, groups } = await report(log);
    const awk = (program: string): Record<string, number> =>
      Object.fromEntries(
        execFileSync('awk', [program, log], { encoding: 'utf8' })
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
          .map(([key = '', count]) => [key, Number(count)]),
      );
    const counting = (field: string): string =>
      `match($0, /"${field}":"[^"]*"/) { split(substr($0, RSTART, RLENGTH), part, "\\""); n[part[4]]++ } END { for (k in n) print k, n[k] }`;
    const sender =
      `match($0, /"domain":"[^"]*"/) || match($0, /"reverseDomain":"[^"]*"/) ` +
      `{ split(substr($0, RSTART, RLENGTH), part, "\\""); n[part[4]]++ } END { for (k in n) print k, n[k] }`;
    const actions = awk(counting('action'));
    expect(decisions).toBe(NAMES.length);
    expect(then).toEqual({ accept: 0, tempfail: 0, reject: 0, ...actions });
    const byName = (dimension: string): Record<string, number> =>
      Object.fromEntries((groups[dimension] ?? []).map((each) => [each.name, each.decisions]));
    expect(byName('stream')).toEqual(awk(counting('stream')));
    expect(byName('sender')).toEqual(awk(sender));
    // Of the first, which is accepted at MAIL, nobody sees the recipients.
    expect(byName('recipient')).toEqual({ 'dest.test': NAMES.length - 1 });
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
      /^sender\.org +4 +4 +2026-11-05 +3\/0\/1 +1\/0\/3 +2 +0$/m,
    );
  });
});

describe('the files', () => {
  it('may be compressed and rotated, and given in any order', async () => {
    const old = file('log.1.gz', gzipSync(`${(await logOf(NAMES, '2026-10-01')).join('\n')}\n`));
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
    expect((await run(log)).out).toMatch(
      /note: 3 lines are no decisions and were left out: .*torn\.log:2: it is too long/,
    );
  });

  it.each([
    ['that is not there', () => join(directory, 'none'), /ENOENT|no such file|does not exist/],
    ['that is not what its name says', () => file('bad.gz', 'no gzip'), /bad\.gz: incorrect header check/],
  ])('one %s is a usage error', async (_, path, message) => {
    const { code, err } = await run(path());
    expect([code, err]).toEqual([64, expect.stringMatching(message)]);
  });
});

it('is inert in a terminal, in CSV and in JSON, whatever names strangers give', async () => {
  const hostile = '=cmd()"\x1b[31m\u202e<script>';
  const log = file('hostile.log', `${(await logOf([hostile], '2026-11-01', `x@${hostile}`)).join('\n')}\n`);
  for (const flags of [[], ['--csv'], ['--json']]) {
    expect((await run(log, ...flags)).out).toMatch(/^[\x20-\x7e\r\n]*$/);
  }
  const { out } = await run(log, '--csv');
  expect(out).not.toMatch(/(?:^|,)"?[=+@-]/m);
  expect(out.split('\r\n')[0]).toMatch(/^by,name,decisions,/);
});

it.each([
  ['=1+1', `"'=1+1"`],
  ['a"b', '"a\\""b"'],
  ['-x', `"'-x"`],
  ['plain.org', '"plain.org"'],
])('%j is %s in CSV', (text, wanted) => {
  expect(csvText(text)).toBe(wanted);
});

it('does not take --observe from a file for what would be done', async () => {
  const log = file('observed.log', `${(await logOf(['Jupiter'])).join('\n')}\n`);
  const config = file('observe.toml', 'observe = true\n');
  const json = async (...args: string[]): Promise<Report> => {
    let out = '';
    await runCommandLine(
      ['replay', log, '--json', ...args],
      '1.2.3',
      fakeTerminal({ write: (text) => (out += text) }),
    );
    return JSON.parse(out) as Report;
  };
  expect((await json('--config', config)).now).toMatchObject({ reject: 1 });
  expect((await json('--no-config', '--observe')).now).toMatchObject({ accept: 1 });
});

/** The page counts what `replay` counts: the same decisions, the same options, the same numbers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Choice, choiceOf, flagsOf } from '../../web/choice.ts';
import type { PageEngine } from '../../web/engine.ts';
import { OUTCOMES, type WouldBe } from '../../web/overview.ts';
import { EVERYTHING, PAGE_ROWS } from '../../web/search.ts';
import { observedLog, type Sent } from '../support/observed-log.ts';
import { engineOf, linesOf, takeApart } from '../support/page-file.ts';
import { runCommand } from '../support/run-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'hm-page-'));
const log = join(directory, 'log');
const page = join(directory, 'page.html');
const access = join(directory, 'access');
const recipients = join(directory, 'recipients');
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const HELOS = [
  'mail.sender.org',
  'other.sender.org',
  'gone.sender.org',
  'gone.strange.org',
  'broken.org',
  'Jupiter',
  '[198.51.100.7]',
  '[192.0.2.9]',
  'server.local',
  'user7@pc.sender.org',
  'Boss@dest.test',
];
const CLIENTS = ['198.51.100.7', '203.0.113.9', '203.0.113.99', '2001:db8::9'];
const MAILBOXES = ['r@dest.test', 'boss@dest.test', 'postmaster@dest.test', 'sales@shop.test'];

/** Some days of mail in which everything comes several times. */
function traffic(): Sent[] {
  const at = <T>(list: readonly T[], i: number): T => list[i % list.length] as T;
  return Array.from({ length: 160 }, (_, i) => ({
    client: at(CLIENTS, Math.floor(i / 3)),
    helo: at(HELOS, Math.floor(i / 2) * 5 + (i % 2)),
    time: Date.UTC(2026, 10, 1) + i * 1_700_000,
    from: i % 11 === 0 ? '' : `user${i % 5}@sender.org`,
    to: i % 4 === 0 ? [at(MAILBOXES, i), at(MAILBOXES, i + 1)] : [at(MAILBOXES, Math.floor(i / 5))],
    login: i % 13 === 0,
    aborted: i % 9 === 0,
  }));
}

beforeAll(async () => {
  writeFileSync(log, `${(await observedLog(traffic())).join('\n')}\n`, 'latin1');
  writeFileSync(access, 'allow mail.sender.org ip=203.0.113.0/24 until=2026-11-02\ndeny *.strange.org\n');
  writeFileSync(recipients, 'boss@dest.test strict\nshop.test off\n');
});

async function run(...args: readonly string[]): Promise<string> {
  const { code, out } = await runCommand([...args, log]);
  expect(code).toBe(0);
  return out;
}

async function pageWith(...options: readonly string[]): Promise<PageEngine> {
  await run('report', '--no-config', '--html', page, ...options);
  return engineOf(takeApart(readFileSync(page, 'latin1')));
}

interface Replay {
  readonly groups: Record<string, { name: string; decisions: number; now: object; stricter: number }[]>;
}

/** Both ways in which the page counts must give what `replay` gives. */
async function expectSameCounts(
  engine: PageEngine,
  choice: Choice,
  options: readonly string[],
): Promise<void> {
  const flags = flagsOf(choice).split(' ');
  const told = JSON.parse(await run('replay', '--no-config', '--json', ...options, ...flags)) as Replay;
  const { all, streams, findings, uncertain, exempt, scores, slices } = engine.overview(choice);
  expect(told).toMatchObject({ ...all, exempt });
  const { unknown } = told as unknown as { unknown: number };
  expect(uncertain).toBe(unknown);
  for (const group of [...streams.filter(({ decisions }) => decisions > 0), ...findings]) {
    const { name, decisions, now, stricter } = group;
    const same = [...(told.groups['stream'] ?? []), ...(told.groups['finding'] ?? [])];
    expect(same.find((each) => each.name === name)).toMatchObject({ decisions, now, stricter });
  }
  const sum = (counts: readonly { readonly now: Record<string, number> }[]): number =>
    counts.reduce((total, { now }) => total + Object.values(now).reduce((a, b) => a + b), 0);
  expect(sum(slices)).toBe(all.decisions);
  expect(sum(scores)).toBeLessThanOrEqual(all.decisions);
  const detail = await engine.detail(choice, () => true);
  const count = (is: (outcome: WouldBe) => boolean): number => detail?.outcomes.filter(is).length ?? -1;
  const by = (when: 'then' | 'now'): object =>
    Object.fromEntries(OUTCOMES.map((each) => [each, count((outcome) => outcome[when] === each)]));
  expect({ decisions: count(() => true), then: by('then'), now: by('now') }).toEqual({
    decisions: all.decisions,
    then: all.then,
    now: all.now,
  });
  const changed = (list: { senders: readonly { decisions: number }[] } | undefined): number =>
    list?.senders.reduce((total, each) => total + each.decisions, 0) ?? -1;
  // A decision on which nothing was judged has no sender.
  expect(changed(detail?.refused)).toBe(all.stricter);
  expect(changed(detail?.letIn)).toBe(all.milder);
}

const SOME: readonly Partial<Choice>[] = [
  {},
  { policy: 'strict' },
  { policy: 'emailcore', rejectAt: 4, tempfailAt: 2 },
  { policy: 'emailcore', require: 'exact' },
  { rejectAt: 20, tempfailAt: 1 },
  {
    weight: [
      ['helo-mismatch', 7],
      ['iprev-none', 0],
    ],
  },
  { policy: 'strict', enforcePercent: 40 },
];

const WITH: readonly (readonly [string, () => readonly string[]])[] = [
  ['nothing else', () => []],
  ['another policy in force', () => ['--policy', 'emailcore', '--weight', 'iprev-none=9']],
  ['names of ours and trusted networks', () => ['--our-name', 'other.sender.org', '--trust', '203.0.113.9']],
  ['an access list', () => ['--access', access]],
  ['policies of recipients', () => ['--recipient-policy', recipients]],
  ['hidden recipients', () => ['--recipient-policy', recipients, '--mask', 'recipients']],
  ['what depends on other mail', () => ['--ramp', 'helo-not-fqdn=2/1h', '--regulars', '1/1']],
  ['a limit that is soon used up', () => ['--tempfail-limit', '2/1h', '--access', access]],
  ['limits of streams', () => ['--stream-limit', 'failed=1/12h', '--tempfail-limit', '1/1h']],
];

describe.each(WITH)('with %s', (_, options) => {
  let engine: PageEngine;
  beforeAll(async () => {
    engine = await pageWith(...options());
  });

  it.each(SOME)('counts the same: %j', async (changes) => {
    const given = options().filter((each, i, all) => each !== '--mask' && all[i - 1] !== '--mask');
    await expectSameCounts(engine, { ...choiceOf(engine.data.options), ...changes }, given);
  });
});

it('finds, sorts and opens decisions', async () => {
  const engine = await pageWith();
  const choice: Choice = { ...choiceOf(engine.data.options), policy: 'strict' };
  await engine.detail(choice, () => true);
  const all = engine.find(EVERYTHING);
  expect(all.total).toBe(engine.size);
  expect(all.rows).toHaveLength(PAGE_ROWS);
  expect(all.rows.map(({ time }) => time)).toEqual(
    all.rows.map(({ time }) => time).toSorted((a, b) => b - a),
  );
  const jupiter = engine.find({ ...EVERYTHING, text: 'JUPITER dest.test', sort: 'score' });
  expect(jupiter.total).toBeGreaterThan(0);
  expect(jupiter.rows.every(({ helo }) => helo === 'Jupiter')).toBe(true);
  const stricter = engine.find({ ...EVERYTHING, change: 'stricter' });
  expect(stricter.total).toBe(engine.overview(choice).all.stricter);
  expect(engine.find({ ...EVERYTHING, finding: 'helo-not-fqdn' }).total).toBeGreaterThan(0);
  expect(engine.find({ ...EVERYTHING, page: 1e6 }).rows.length).toBeGreaterThan(0);

  const [row] = engine.find({ ...EVERYTHING, text: 'gone.sender.org', now: 'reject' }).rows;
  const opened = engine.open(row?.index ?? -1, choice) ?? expect.fail();
  expect(opened).toMatchObject({ then: { action: 'accept' }, now: { action: 'reject' } });
  expect(opened.replyThen).toBeNull();
  const reference = new Map(opened.facts).get('Reference') ?? '';
  expect(opened.replyNow).toMatch(/^550 5\.\S+ \[helo-nxdomain\] .*gone\.sender\.org/);
  expect(opened.replyNow).toContain(`(ref ${reference})`);
  expect(opened.dns).toContainEqual(
    expect.objectContaining({ name: 'gone.sender.org', type: 'A', status: 'nxdomain' }),
  );
  expect(opened.checks.map(({ name }) => name)).toContain('iprev');
  expect(opened.findings.map(({ id }) => id)).toContain('helo-nxdomain');
  expect(engine.open(1e9, choice)).toBeNull();
});

it('is masked in all of it', async () => {
  await run('report', '--no-config', '--policy', 'strict', '--html', page, '--mask', 'recipients');
  const file = takeApart(readFileSync(page, 'latin1'));
  const told = [file.report, file.data, ...linesOf(file)].join('\n');
  expect(told).toContain('@dest.test');
  expect(told).toContain('postmaster@dest.test');
  expect(told).not.toMatch(/\b(?:r|boss|sales|user\d)@/);
});

it('counts the same however the decisions come, and after the oldest have gone', async () => {
  await run('report', '--no-config', '--html', page, '--tempfail-limit', '2/1h');
  const file = takeApart(readFileSync(page, 'latin1'));
  const lines = linesOf(file);
  const none = { ...file, decisions: '' };
  const choice: Choice = { ...choiceOf(engineOf(none).data.options), policy: 'strict', rejectAt: 12 };
  const growing = engineOf(none);
  for (const [i, line] of lines.entries()) {
    growing.add(line);
    if (i % 7 !== 0) continue;
    growing.overview(choice);
    await growing.detail(choice, () => true);
  }
  const told = async (engine: PageEngine): Promise<unknown> => [
    engine.overview(choice),
    await engine.detail(choice, () => true),
    engine.find({ ...EVERYTHING, change: 'stricter' }).total,
  ];
  expect(await told(growing)).toEqual(await told(engineOf(file)));

  growing.drop(50);
  const rest = engineOf(none);
  for (const line of lines.slice(50)) rest.add(line);
  expect(await told(growing)).toEqual(await told(rest));
  // A row that was shown before still means the same decision.
  const [row] = growing.find({ ...EVERYTHING, descending: false }).rows;
  expect(row?.index).toBe(50);
  expect(growing.open(50, choice)?.facts).toEqual(rest.open(0, choice)?.facts);
  expect(growing.open(49, choice)).toBeNull();
});

it('goes on with a judgement where decisions have been added, and begins anew for other options', async () => {
  const engine = await pageWith();
  const choice = choiceOf(engine.data.options);
  const slow = engine.detail(choice, () => new Promise((resolve) => setTimeout(resolve, 5, true)));
  expect(await engine.detail({ ...choice, policy: 'strict' }, () => true)).not.toBeNull();
  expect(await slow).toBeNull();
});

it('gives up a judgement that nobody waits for any more', async () => {
  const engine = await pageWith();
  expect(await engine.detail(choiceOf(engine.data.options), () => false)).toBeNull();
});

it('knows no decision and no line that is none', async () => {
  const { data } = await pageWith();
  const engine = engineOf({ frame: [], report: '', data: JSON.stringify(data), decisions: '' });
  expect(engine.add('{"version":99}')).toBe(false);
  expect(engine.add('not JSON')).toBe(false);
  expect(engine.overview(choiceOf(data.options)).all.decisions).toBe(0);
});

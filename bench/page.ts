/** What a browser takes to show the page, and to judge everything again when something is moved. */
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { contest, figures, spread } from './contest.ts';
import { writeCorpus } from './corpus.ts';
import { asFigure, figureAtMost, type Findings, round, tableOf } from './report.ts';
import { CLI } from './server.ts';
import { amount, type Setting } from './setting.ts';

/** As many as a page takes. */
const DECISIONS = 100_000;
/** Each takes a minute or two, most of it reading. */
const MOST_ROUNDS = 3;
/** Keys that are pressed on a threshold, in each round. */
const MOVES = 6;
/** By these the table of decisions is sorted in turn: the same once more is the other way round. */
const SORTED = ['HELO', 'HELO', 'HELO', 'HELO'] as const;
/** With these it matters what came before. */
const EARLIER_MAIL = ['--ramp', 'iprev-none=3/24h', '--stream-limit', 'failed=5/1h', '--regulars', '3/2'];
const PATIENCE_MS = 120_000;
const MIB = 1024 * 1024;

interface Cost {
  /** Milliseconds since the navigation. */
  readonly paintMs: number;
  readonly countsMs: number;
  readonly sendersMs: number;
  /** Milliseconds in the worker, and from the key to the counts on the screen; medians of the moves. */
  readonly judgedMs: number;
  readonly shownMs: number;
  /** Milliseconds until the table of decisions is sorted otherwise, and the longest between two frames. */
  readonly sortedMs: number;
  readonly frameMs: number;
}

/** Sorts the table of decisions by one column after the other. */
async function sortTable(page: Page): Promise<Pick<Cost, 'sortedMs' | 'frameMs'>> {
  await page.click('#tab-decisions');
  await page.waitForSelector('.rows tbody tr');
  const [sorted, frames]: [number[], number[]] = [[], []];
  for (const column of SORTED) {
    await page.evaluate(`
      globalThis.sorted = new Promise((done) => {
        const began = performance.now();
        let [last, longest, isSorted] = [began, 0, false];
        const observer = new MutationObserver(() => (isSorted = true));
        observer.observe(document.querySelector('.rows tbody'), { childList: true });
        requestAnimationFrame(function frame() {
          const now = performance.now();
          longest = Math.max(longest, now - last);
          last = now;
          // A few decisions may stay where they are.
          if (!isSorted && now - began < 10_000) return requestAnimationFrame(frame);
          observer.disconnect();
          done([now - began, longest]);
        });
      });
      undefined`);
    await page.focus(`.rows th button:has-text("${column}")`);
    await page.keyboard.press('Enter');
    const [sortedMs, frameMs] = await page.evaluate<[number, number]>('globalThis.sorted');
    sorted.push(sortedMs);
    frames.push(frameMs);
  }
  return { sortedMs: spread(sorted).median, frameMs: spread(frames).most };
}

/** Opens the page, moves a threshold, and sorts the table. */
async function look(browser: Browser, file: string): Promise<Cost> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 960 } });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(pathToFileURL(file).href, { waitUntil: 'commit' });
  await page.waitForSelector('[data-judged]');
  const countsMs = await page.evaluate('performance.now()');
  const paintMs = await page.evaluate(
    'performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN',
  );
  // Who is treated otherwise is worked out in the quiet before somebody moves something.
  await page.waitForSelector('#tab-refused .note');
  const sendersMs = await page.evaluate('performance.now()');
  await page.focus('[data-slider=rejectAt]');
  const [judged, shown]: [number[], number[]] = [[], []];
  for (let move = 0; move < MOVES; move++) {
    const before = await page.getAttribute('[data-judged]', 'data-judged');
    await page.evaluate(`
      globalThis.seen = new Promise((seen) => {
        const told = document.querySelector('[data-judged]');
        const began = performance.now();
        new MutationObserver((_, observer) => {
          observer.disconnect();
          requestAnimationFrame(() => seen(performance.now() - began));
        }).observe(told, { attributes: true });
      });
      undefined`);
    await page.keyboard.press(move % 2 === 0 ? 'ArrowLeft' : 'ArrowRight');
    shown.push(Number(await page.evaluate('globalThis.seen')));
    const [, tookMs] = ((await page.getAttribute('[data-judged]', 'data-judged')) ?? before ?? '').split(' ');
    judged.push(Number(tookMs));
  }
  const table = await sortTable(page);
  await page.close();
  return {
    ...table,
    paintMs: Number(paintMs),
    countsMs: Number(countsMs),
    sendersMs: Number(sendersMs),
    judgedMs: spread(judged).median,
    shownMs: spread(shown).median,
  };
}

export async function pageBench(setting: Setting): Promise<Findings> {
  const decisions = amount(setting, DECISIONS);
  const log = join(setting.workdir, 'page.jsonl');
  await writeCorpus(log, decisions);
  const list = join(setting.workdir, 'page.access');
  writeFileSync(list, 'allow .s0000003.org ptr=.s0000003.org\ndeny .s0000004.org\ndeny WIN-SERVER\n');
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const made = (name: string, ...flags: readonly string[]): { name: string; file: string } => {
    const file = join(setting.workdir, `${name.replaceAll(/\W/g, '-')}.html`);
    execFileSync(process.execPath, [CLI, 'report', '--no-config', '--html', file, ...flags, log], {
      stdio: 'inherit',
    });
    return { name, file };
  };
  const pages = [
    made('no options'),
    made('enforce-percent 50', '--enforce-percent', '50'),
    made('an access list', '--access', list),
    made('what depends on earlier mail', ...EARLIER_MAIL),
  ];
  const rounds = { pairs: Math.min(setting.pairs, MOST_ROUNDS), settle: false };
  const contenders = pages.map(({ name, file }) => ({ name, run: () => look(browser, file) }));
  const results = await contest(rounds, contenders);
  const version = browser.version();
  await browser.close();
  const rows = pages.map(({ name }) => ({
    what: `${round(decisions)} decisions judged again in the page, ${name}`,
    against: '–',
    target: '≤ 100 ms',
    measured: [figureAtMost(100, spread(figures(results, name, ({ judgedMs }) => judgedMs)), 'ms')],
  }));
  const [first] = pages;
  const paint = spread(figures(results, first?.name ?? '', ({ paintMs }) => paintMs));
  return {
    rows: [
      ...rows,
      {
        what: `first paint of a page with ${round(decisions)} decisions (${round(statSync(first?.file ?? '').size / MIB)} MiB)`,
        against: '–',
        target: 'stated',
        measured: [{ text: asFigure(paint, 'ms'), met: null }],
      },
    ],
    tables: [
      tableOf(`The page with ${round(decisions)} decisions, in Chromium ${version}`, results, {
        'first paint, ms': ({ paintMs }) => paintMs,
        'counts are there, ms': ({ countsMs }) => countsMs,
        'senders are there, ms': ({ sendersMs }) => sendersMs,
        'judged again, ms': ({ judgedMs }) => judgedMs,
        'from the key to the screen, ms': ({ shownMs }) => shownMs,
        'table sorted, ms': ({ sortedMs }) => sortedMs,
        'longest frame of that, ms': ({ frameMs }) => frameMs,
      }),
    ],
  };
}

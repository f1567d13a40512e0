/**
 * The page from a file in a real browser: with weeks of mail, used with a mouse, with the keyboard alone,
 * on a phone and at twice the size; and where there is nothing, or something wrong, to show.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { observedLog } from '../support/observed-log.ts';
import {
  blankPage,
  BY_SIZE,
  BUSY,
  controls,
  counts,
  drag,
  expectAccessible,
  expectAsReplayed,
  expectToFit,
  printed,
  type WindowOptions,
  PHONE,
  settled,
  shot,
  startBrowser,
  walk,
  ZOOMED,
} from './kit/page.ts';
import { describeWith } from './kit/present.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const HELOS = [
  ...['mail.sender.org', 'other.sender.org', 'gone.sender.org', 'gone.strange.org', 'Jupiter'],
  ...['[192.0.2.9]', 'broken.org', 'server.local'],
];
const CLIENTS = ['198.51.100.7', '203.0.113.9', '203.0.113.99'];
const MONTH = 600;
/** Stands in the log where a stranger writes. */
const MARK = 'Jupiter';
const HOSTILE = [
  '<script>document.title="taken"</script><img src=x onerror=document.title="taken">',
  '</script></style><script>document.title="taken"</script>',
  '\u202eevil\u2066 \u{1f4a3}\u0000\u001b[31m" onmouseover="document.title=1',
  'x'.repeat(255),
];

describeWith(['chromium'], 'the page from a file', () => {
  let workdir: string;
  let browser: Browser;
  /** Decisions of the program, and weeks of mail made of them. */
  let lines: readonly string[];
  let month: string;
  /** Decisions of it on names that begin alike. */
  let strange: number;
  /** The page of it, made with these options. */
  let file: string;
  let given: readonly string[];

  beforeAll(async () => {
    workdir = makeWorkdir();
    const started = startBrowser();
    lines = await observedLog(
      HELOS.flatMap((name, i) =>
        CLIENTS.map((client) => ({ client, helo: name, time: Date.UTC(2026, 0, 5, i) })),
      ),
    );
    month = join(workdir, 'month.jsonl');
    // Numbers that look random and are the same in every run (Lehmer).
    let random = 20_260_105;
    const many = Array.from({ length: MONTH }, (_, i) =>
      (lines[(random = (random * 48_271) % 2_147_483_647) % lines.length] ?? '')
        .replace(/"time":"[^"]*"/, `"time":"${new Date(Date.UTC(2026, 0, 5) + i * 2_000_000).toISOString()}"`)
        .replace(/"reference":"[^"]*"/, `"reference":"month.${i}.1"`)
        // So many senders that they do not fit on one page of the table.
        .replaceAll('strange.org', `strange${i % 41}.org`),
    );
    strange = many.filter((line) => line.includes('"helo":"gone.strange')).length;
    writeFileSync(month, `${many.join('\n')}\n`);
    const access = join(workdir, 'access');
    writeFileSync(access, 'allow mail.sender.org ip=203.0.113.9\ndeny *.strange7.org\n');
    given = [
      ...['--access', access, '--ramp', 'helo-not-fqdn=3/24h', '--regulars', '3/2'],
      ...['--stream-limit', 'failed=2/1h', '--tempfail-limit', '5/24h'],
    ];
    file = await made('month', month, ...given);
    browser = await started;
  }, BUSY);

  afterAll(async () => {
    await browser.close();
    removeWorkdir(workdir);
  });

  /** Makes a page of a log. */
  async function made(name: string, log: string, ...options: readonly string[]): Promise<string> {
    const path = join(workdir, `${name}.html`);
    await printed('report', '--no-config', '--html', path, ...options, log);
    return path;
  }

  /** Opens a page, which must load nothing. */
  async function open(path: string, fragment = '', options: WindowOptions = {}): Promise<Page> {
    const page = await blankPage(browser, options);
    page.on('request', (request) => {
      expect(request.url()).toMatch(/^(?:file|blob):/);
    });
    await page.goto(`${pathToFileURL(path).href}${fragment}`);
    return page;
  }

  /** The texts of a column of the table that is shown, from 1. */
  const column = (page: Page, nth: number): Promise<string[]> =>
    page.locator(`#view tbody tr > td:nth-child(${nth})`).allInnerTexts();
  /** How its head says that it is sorted. */
  const sorting = (page: Page, label: string): Promise<string | null> =>
    page.getAttribute(`#view th:has-text("${label}")`, 'aria-sort');

  it('counts what replay counts, whatever is moved', { timeout: BUSY }, async () => {
    const page = await open(file);
    await settled(page);
    await expectAsReplayed(page, month, given);
    // Both thresholds by their lines.
    const moved = await drag(page, 'rejectAt', 150);
    expect(moved).toBeLessThan(10);
    const before = Number(await page.inputValue('[data-slider=tempfailAt]'));
    expect(await drag(page, 'tempfailAt', 60)).toBeLessThan(before);
    await expectAsReplayed(page, month, given);
    // A weight, a policy, what is required and a share of networks, by keyboard.
    await page.focus('[data-weight=helo-not-fqdn]');
    await page.keyboard.press('Home');
    await page.focus('input[value=rfc5321]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await page.isChecked('input[value=strict]')).toBe(true);
    await page.selectOption('.settings select', 'exact');
    await page.focus('[data-slider=enforcePercent]');
    for (let i = 0; i < 4; i++) await page.keyboard.press('PageDown');
    await expectAsReplayed(page, month, given);
    expect(await page.inputValue('#export-flags')).toContain('--enforce-percent 60');

    // The link holds all of it, and a page that is loaded anew follows it.
    expect(await page.inputValue('#export-link')).toBe(page.url());
    const told = await counts(page);
    expect(await page.inputValue('#export-toml')).toContain(`reject-at = ${moved}\n`);
    await page.reload();
    await settled(page);
    expect(await counts(page)).toEqual(told);
    await page.close();
  });

  it('sorts and turns the pages of its tables', { timeout: BUSY }, async () => {
    const page = await open(file, '#policy=strict');
    await settled(page);
    const sorted = (texts: readonly string[]): string[] =>
      texts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));

    // Decisions, by mouse: the latest first, as nothing was asked for.
    await page.click('#tab-decisions');
    await page.fill('input[type=search]', 'gone.strange');
    await page.waitForSelector(`text=/^${strange} decisions$/`);
    const last = Math.ceil(strange / 50);
    const latest = await column(page, 1);
    expect(latest).toEqual(sorted(latest).toReversed());
    await page.click('th button:has-text("HELO")');
    await page.waitForSelector(`#view th[aria-sort=ascending] >> text=HELO`);
    const first = await column(page, 3);
    await page.click('text=Next');
    await page.waitForSelector(`text=Page 2 of ${last}`);
    const second = await column(page, 3);
    expect([...first, ...second]).toEqual(sorted([...first, ...second]));
    expect(first).toHaveLength(50);
    await page.click('th button:has-text("HELO")');
    await page.waitForSelector(`text=Page 1 of ${last}`);
    expect(await sorting(page, 'HELO')).toBe('descending');
    const back = await column(page, 3);
    expect(back).toEqual(sorted(back).toReversed());

    // By keyboard: whoever presses a button still has it, also at the last page.
    await page.focus('th button:has-text("Score")');
    await page.keyboard.press('Enter');
    await expect.poll(() => sorting(page, 'Score')).toBe('descending');
    const scores = (await column(page, 6)).map(Number);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    await page.keyboard.press('Space');
    await expect.poll(() => sorting(page, 'Score')).toBe('ascending');
    await page.focus('text=Next');
    for (let i = 2; i <= last; i++) {
      await page.keyboard.press('Enter');
      await page.waitForSelector(`text=Page ${i} of ${last}`);
    }
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Next');
    const least = (await column(page, 6)).map(Number);
    expect(least).toEqual(least.toSorted((a, b) => a - b));
    expect(Math.max(...least)).toBe(Math.max(...scores));

    // Senders.
    await page.click('#tab-refused');
    const points = async (): Promise<number[]> => (await column(page, 1)).map((text) => parseInt(text, 10));
    const likely = await points();
    expect(likely).toHaveLength(25);
    expect(likely).toEqual(likely.toSorted((a, b) => b - a));
    await page.click('#view th button:has-text("Sender")');
    const names = async (): Promise<string[]> =>
      (await column(page, 2)).map((text) => text.split(/\s/)[0] ?? '');
    const senders = await names();
    await page.focus('text=Next');
    await page.keyboard.press('Space');
    await page.waitForSelector('text=/^Page 2 of/');
    senders.push(...(await names()));
    expect(senders.length).toBeGreaterThan(25);
    expect(senders).toEqual(sorted(senders));
    await page.focus('#view th button:has-text("Messages")');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=/^Page 1 of/');
    const messages = (await column(page, 3)).map(Number);
    expect(messages).toEqual(messages.toSorted((a, b) => b - a));
    await page.close();
  });

  it('moves nothing under the pointer while it works out who is hit', { timeout: BUSY }, async () => {
    for (const options of [{}, PHONE]) {
      const page = await open(file, '', options);
      await settled(page);
      // In each frame, where everything is that can be pressed, apart from the weights, of which there are
      // others with another policy.
      await page.evaluate(`{
        globalThis.moves = [];
        const places = () => new Map(
          [...document.querySelectorAll('#app :is(button, input, select)')]
            .filter((each) => each.closest('#view, li') === null)
            .map((each) => {
              const { x, y, width } = each.getBoundingClientRect();
              return [each, [x + scrollX, y + scrollY, width].map(Math.round).join(' ')];
            }),
        );
        const before = places();
        const look = () => {
          for (const [each, place] of places())
            if (place !== before.get(each)) moves.push([each.id || each.value, before.get(each), place].join(', '));
          requestAnimationFrame(look);
        };
        look();
      }`);
      for (const policy of ['strict', 'emailcore', 'strict', 'rfc5321']) {
        const judged = (await page.getAttribute('[data-judged]', 'data-judged')) ?? '';
        await page.check(`input[value=${policy}]`);
        await page.waitForSelector(`[data-judged]:not([data-judged="${judged}"])`);
        await settled(page);
      }
      expect(await page.evaluate('moves')).toEqual([]);
      await page.close();
    }
  });

  it('is used by the keyboard alone', { timeout: BUSY }, async () => {
    const page = await open(file, '#policy=strict&weight=helo-not-fqdn%3D2', { colorScheme: 'dark' });
    await settled(page);
    // In each view the key leads to all there is, in its order, and out of the page again: also backwards.
    await page.focus('#tab-refused');
    for (const tab of ['letin', 'findings', 'decisions']) {
      await page.keyboard.press('ArrowRight');
      expect(await page.evaluate('document.activeElement.id')).toBe(`tab-${tab}`);
      if (tab === 'decisions') break;
      expect(await walk(page, 'Tab')).toEqual(await controls(page));
      await page.focus(`#tab-${tab}`);
    }
    await page.waitForSelector('.rows .link');
    await page.keyboard.press('Tab');
    await page.keyboard.type('strange1');
    await expect.poll(() => page.locator('.rows tbody tr').count(), { timeout: 30_000 }).toBeLessThan(40);
    const all = await controls(page);
    expect(all.filter((each) => each.includes('Open the decision')).length).toBeGreaterThan(1);
    expect(await walk(page, 'Tab')).toEqual(all);
    expect(await walk(page, 'Shift+Tab')).toEqual(all.toReversed());

    // A decision takes the focus, keeps it while it is open, and gives it back.
    await page.focus('.rows .link');
    const row = await page.evaluate('document.activeElement.ariaLabel');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    const told = (await page.textContent('dialog')) ?? '';
    expect(told).toMatch(/gone\.strange1\d*\.org.*DNS at the time of the session/s);
    expect(told).toMatch(/What it would be told550 5\.\S+ \[\S+\].*\(ref \w+\.\w+\.\w+\)/s);
    await expectAccessible(page);
    await shot(page, 'decision-dark');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe(row);

    // What is taken back leaves the focus beside it.
    await page.focus('[aria-label="Weight of helo-not-fqdn as given"]');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.dataset.weight')).toBe('helo-not-fqdn');
    await page.focus('text=Reset');
    await page.keyboard.press('Enter');
    await page.waitForSelector('input[value=rfc5321]:checked');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Reset');
    await page.close();
  });

  it.each([
    ['page', {}],
    ['phone', PHONE],
    ['zoom', ZOOMED],
  ])('is fit to be shown, light and dark: %s', { timeout: BUSY }, async (name, options) => {
    const page = await open(file, '#policy=emailcore&reject-at=8&tempfail-at=4', options);
    await settled(page);
    await expectToFit(page);
    for (const tab of ['findings', 'decisions', 'export', 'refused']) {
      await page.click(`#tab-${tab}`);
      await page.waitForSelector('#view :is(table, textarea)');
      await expectToFit(page);
    }
    await expectAccessible(page, name === 'zoom' ? BY_SIZE : null);
    await shot(page, `${name}-dark`, name !== 'page');
    await page.emulateMedia({ colorScheme: 'light' });
    await shot(page, name);
    await page.click('#tab-decisions');
    await page.click('.rows .link >> nth=0');
    await page.waitForSelector('dialog[open]');
    await expectToFit(page);
    await shot(page, `${name}-decision`);
    await page.close();
  });

  it('shows what is hostile as text', { timeout: BUSY }, async () => {
    const log = join(workdir, 'hostile.jsonl');
    // Each was accepted once and refused once, so that some are newly refused and others let in.
    const hostile = HOSTILE.flatMap((text) =>
      lines.map((line) => line.replaceAll(MARK, JSON.stringify(text).slice(1, -1))),
    );
    const refused = hostile.map((line) => line.replace('"action":"accept"', '"action":"reject"'));
    expect(refused).not.toEqual(hostile);
    writeFileSync(log, `${[...hostile, ...refused].join('\n')}\n`, 'utf8');
    const path = await made('hostile', log, '--policy', 'strict');
    for (const [view, fragment] of [
      ['refused', ''],
      ['letin', '#reject-at=1000&tempfail-at=1000'],
    ] as const) {
      const page = await open(path, fragment);
      await settled(page);
      await page.click(`#tab-${view}`);
      await page.waitForSelector('#view tbody tr');
      for (const tab of ['refused', 'letin', 'findings', 'decisions', 'export', 'report']) {
        await page.click(`#tab-${tab}`);
        expect(await page.evaluate('document.body.innerText')).not.toMatch(
          /[\u202a-\u202e\u2066-\u2069\u{1f4a3}]/u,
        );
      }
      expect(await page.title()).toBe('helo-milter');
      await page.close();
    }
    const page = await open(path);
    await settled(page);
    await page.click('#tab-decisions');
    await page.fill('input[type=search]', 'script');
    // Asked from outside: the policy of the page lets no text be evaluated in it.
    await expect
      .poll(() => page.locator('.rows tbody tr').count(), { timeout: 30_000 })
      .toBe(4 * CLIENTS.length);
    await page.click('.rows .link >> nth=0');
    await page.waitForSelector('dialog[open]');
    expect(await page.textContent('dialog')).toContain('<script>');
    expect(await page.title()).toBe('helo-milter');
    expect(await page.locator('img, dialog script').count()).toBe(0);
    await page.close();
  });

  it(
    'says so where there is nothing to show, or not yet, or something is wrong',
    { timeout: BUSY },
    async () => {
      writeFileSync(join(workdir, 'empty'), '');
      const empty = await made('empty', join(workdir, 'empty'));
      const page = await open(empty, '', { viewport: { width: 800, height: 500 } });
      await page.waitForSelector('text=There is no decision in this page');
      await expectAccessible(page);
      await page.emulateMedia({ colorScheme: 'light' });
      await shot(page, 'empty');
      await page.close();
      const plain = await browser.newPage({ javaScriptEnabled: false });
      await plain.goto(pathToFileURL(empty).href);
      expect(await plain.innerText('#report')).toContain('There is no decision in these files.');
      await plain.close();

      // A worker that has read a part, and one that a browser does not start.
      for (const [name, worker, text] of [
        [
          'loading',
          `class {
          addEventListener(type, listen) {
            if (type === 'message') setTimeout(listen, 0, { data: { kind: 'progress', done: 37, total: 100 } });
          }
          postMessage() {}
        }`,
          '37 %',
        ],
        [
          'error',
          `class { constructor() { throw new Error('this browser starts no worker'); } }`,
          'does not work',
        ],
      ] as const) {
        const other = await blankPage(browser, { viewport: { width: 800, height: 500 } });
        await other.addInitScript(`globalThis.Worker = ${worker}`);
        await other.goto(pathToFileURL(empty).href);
        await other.waitForSelector(`text=${text}`);
        // What it says in plain words is there where the program is not.
        expect(await other.isVisible('#report')).toBe(name === 'error');
        await expectAccessible(other);
        await shot(other, `${name}-dark`);
        await other.emulateMedia({ colorScheme: 'light' });
        await shot(other, name);
        await other.close();
      }
    },
  );
});

/**
 * The page in a real browser, made from the decision log of a service behind a real Postfix: what it shows is
 * what `replay` says with the flags that it gives, with a mouse, with the keyboard alone and on a phone.
 * Pictures of it are left in `.shots/`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { OURS, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const SHOTS = fileURLToPath(new URL('../../.shots/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const BUSY = 240_000;

/** Each comes from an address of its own. */
const CLIENTS = [
  'mail.good.org',
  'mail.good.org',
  'gone.good.org',
  'elsewhere.good.org',
  'JUPITER',
  '[192.0.2.9]',
  `${`${'x'.repeat(60)}.`.repeat(4)}test`,
];
/** Stands in the log where a stranger writes. */
const MARK = 'JUPITER';
const HOSTILE = [
  '<script>document.title="taken"</script><img src=x onerror=document.title="taken">',
  '</script></style><script>document.title="taken"</script>',
  '\u202eevil\u2066 \u{1f4a3}\u0000\u001b[31m" onmouseover="document.title=1',
  'x'.repeat(255),
];

describeWith(['postfix', 'nsd', 'chromium'], 'the page', () => {
  let workdir: string;
  let log: string;
  let file: string;
  let nsd: Nsd;
  let browser: Browser;

  beforeAll(async () => {
    workdir = makeWorkdir();
    log = join(workdir, 'decisions.jsonl');
    file = join(workdir, 'page.html');
    mkdirSync(SHOTS, { recursive: true });
    const started = chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    nsd = await startNsd(workdir, {
      'good.org': 'mail A 198.51.100.10\nmail A 198.51.100.11\nelsewhere A 203.0.113.1',
      '100.51.198.in-addr.arpa': '10 PTR mail.good.org.',
      org: 'good.org. IN NS ns.good.org.',
    });
    const program = await startProgram([
      ...['--dns-server', nsd.server, '--grace', '0s', '--observe', '--decision-log', log],
    ]);
    const postfix = await startPostfix(workdir, { mainCf: '', milters: [program.socket] });
    for (const [i, helo] of CLIENTS.entries()) {
      const client = await SmtpClient.connect(postfix.ports[0] ?? 0);
      await client.become(`198.51.100.${10 + i}`, helo);
      await client.send();
      client.close();
    }
    await vi.waitFor(() => {
      const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
      expect(text.trim().split('\n')).toHaveLength(CLIENTS.length);
    }, 10_000);
    await postfix.stop();
    await program.stop();
    browser = await started;
  }, BUSY);

  afterAll(async () => {
    await browser.close();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  function helo(...args: readonly string[]): string {
    return execFileSync(OURS.node, [OURS.cli, ...args], { encoding: 'utf8' });
  }

  /** Opens it; whatever goes wrong in it fails the test. */
  async function open(fragment = '', options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 960 }, ...options });
    page.setDefaultTimeout(BUSY);
    page.on('pageerror', (error) => expect.unreachable(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') expect.unreachable(message.text());
    });
    page.on('request', (request) => {
      expect(request.url()).toMatch(/^(?:file|blob):/);
    });
    await page.goto(`${pathToFileURL(file).href}${fragment}`);
    await settled(page);
    return page;
  }

  /** Waits until what is shown belongs to what is chosen. */
  async function settled(page: Page): Promise<void> {
    await page.waitForSelector('[data-count=accept]');
    await page.waitForSelector('#tab-refused .note');
  }

  async function counts(page: Page): Promise<Record<string, number>> {
    const entries = ['accept', 'tempfail', 'reject', 'stricter', 'milder'].map(async (name) => {
      const text = (await page.textContent(`[data-count=${name}]`)) ?? '';
      return [name, Number(text.replaceAll(',', ''))] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /** What is shown is what `replay` says with the flags that the page gives. */
  async function expectAsReplayed(page: Page): Promise<void> {
    await page.click('#tab-export');
    const flags = (await page.inputValue('#export-flags')).split(' ');
    const told = JSON.parse(helo('replay', '--no-config', '--json', ...flags, log)) as {
      now: Record<string, number>;
      stricter: number;
      milder: number;
    };
    await vi.waitFor(async () => {
      expect(await counts(page)).toEqual({ ...told.now, stricter: told.stricter, milder: told.milder });
    }, 30_000);
  }

  async function expectAccessible(page: Page): Promise<void> {
    await page.evaluate(AXE);
    const serious = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await axe.run();
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
    });
    expect(serious).toEqual([]);
  }

  it('counts what replay counts, whatever is moved', { timeout: BUSY }, async () => {
    helo('report', '--no-config', '--html', file, log);
    const page = await open();
    await expectAsReplayed(page);

    // A threshold by its line.
    const handle = page.locator('[data-threshold=rejectAt] circle');
    await handle.scrollIntoViewIfNeeded();
    const grip = await handle.boundingBox();
    const { x = 0, y = 0 } = grip ?? {};
    await page.mouse.move(x + 4, y + 4);
    await page.mouse.down();
    await page.mouse.move(x - 150, y + 4, { steps: 3 });
    await page.mouse.up();
    const moved = Number(await page.inputValue('[data-slider=rejectAt]'));
    expect(moved).toBeLessThan(10);
    await expectAsReplayed(page);

    // A weight, a policy and what is required, by keyboard.
    await page.focus('[data-weight=helo-not-fqdn]');
    await page.keyboard.press('Home');
    await expectAsReplayed(page);
    await page.focus('input[value=rfc5321]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await page.isChecked('input[value=strict]')).toBe(true);
    await expectAsReplayed(page);
    await page.selectOption('.settings select', 'exact');
    await expectAsReplayed(page);

    // The link holds all of it, and a page that is loaded anew follows it.
    const link = await page.inputValue('#export-link');
    expect(link).toBe(page.url());
    const before = await counts(page);
    const toml = await page.inputValue('#export-toml');
    expect(toml).toContain(`reject-at = ${moved}\n`);
    const again = await open(`#${link.split('#')[1] ?? ''}`);
    expect(await counts(again)).toEqual(before);
    await again.click('#tab-refused');
    await again.waitForSelector('#view .link');
    await again.screenshot({ path: join(SHOTS, 'light.png') });
    await expectAccessible(again);
    await page.close();
    await again.close();
  });

  it('is used by the keyboard alone', { timeout: BUSY }, async () => {
    helo('report', '--no-config', '--policy', 'strict', '--html', file, log);
    const page = await open('', { colorScheme: 'dark' });
    await page.focus('#tab-refused');
    for (const tab of ['letin', 'findings', 'decisions']) {
      await page.keyboard.press('ArrowRight');
      expect(await page.evaluate('document.activeElement.id')).toBe(`tab-${tab}`);
    }
    await page.waitForSelector('.rows .link');
    await page.keyboard.press('Tab');
    await page.keyboard.type('gone.good');
    await vi.waitFor(async () => {
      expect(await page.locator('.rows tbody tr').count()).toBe(1);
    }, 30_000);
    await page.focus('.rows .link');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    const told = (await page.textContent('dialog')) ?? '';
    expect(told).toMatch(/helo-nxdomain.*gone\.good\.org A.*nxdomain/s);
    expect(told).toMatch(/What it would be told550 5\.\S+ \[helo-nxdomain\].*\(ref \w+\.\w+\.\w+\)/s);
    await page.screenshot({ path: join(SHOTS, 'decision-dark.png') });
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.screenshot({ path: join(SHOTS, 'dark.png'), fullPage: true });
    await page.close();
  });

  it('is fit to be shown with a month of mail', { timeout: BUSY }, async () => {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    const many = Array.from({ length: 1200 }, (_, i) => {
      const time = new Date(Date.UTC(2026, 0, 5) + i * 2_000_000).toISOString();
      return (lines[(i * i) % lines.length] ?? '')
        .replace(/"time":"[^"]*"/, `"time":"${time}"`)
        .replace(/"reference":"[^"]*"/, `"reference":"month.${i}.1"`);
    });
    const month = join(workdir, 'month.jsonl');
    writeFileSync(month, `${many.join('\n')}\n`);
    helo('report', '--no-config', '--html', file, month);
    const page = await open('#policy=emailcore&reject-at=8&tempfail-at=4');
    await page.screenshot({ path: join(SHOTS, 'page.png') });
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page);
    await page.screenshot({ path: join(SHOTS, 'page-dark.png') });
    await page.close();
  });

  it.each([
    ['a phone', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
    ['200 % zoom', { viewport: { width: 640, height: 480 }, deviceScaleFactor: 2 }],
  ])('fits on %s', { timeout: BUSY }, async (name, options) => {
    const page = await open('#policy=strict', options);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.screenshot({ path: join(SHOTS, `${name.replaceAll(/\W+/g, '-')}.png`), fullPage: true });
    await page.close();
  });

  it('shows what is hostile as text', { timeout: BUSY }, async () => {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    const hostile = HOSTILE.flatMap((text) =>
      lines.map((line) => line.replaceAll(MARK, JSON.stringify(text).slice(1, -1))),
    );
    const other = join(workdir, 'hostile.jsonl');
    writeFileSync(other, `${hostile.join('\n')}\n`, 'utf8');
    helo('report', '--no-config', '--policy', 'strict', '--html', file, other);
    const page = await open();
    for (const tab of ['refused', 'letin', 'findings', 'decisions', 'export', 'report']) {
      await page.click(`#tab-${tab}`);
      expect(await page.evaluate('document.body.innerText')).not.toMatch(
        /[\u202a-\u202e\u2066-\u2069\u{1f4a3}]/u,
      );
    }
    await page.click('#tab-decisions');
    await page.fill('input[type=search]', 'script');
    // Asked from outside: the policy of the page lets no text be evaluated in it.
    await expect.poll(() => page.locator('.rows tbody tr').count(), { timeout: 30_000 }).toBe(2);
    await page.click('.rows .link >> nth=0');
    await page.waitForSelector('dialog[open]');
    expect(await page.textContent('dialog')).toContain('<script>');
    expect(await page.title()).toBe('helo-milter');
    expect(await page.locator('img, dialog script').count()).toBe(0);
    await page.close();
  });

  it('says so where there is nothing to show', { timeout: BUSY }, async () => {
    writeFileSync(join(workdir, 'empty'), '');
    helo('report', '--no-config', '--html', file, join(workdir, 'empty'));
    const page = await browser.newPage({ viewport: { width: 800, height: 500 } });
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('text=There is no decision in this page');
    await page.screenshot({ path: join(SHOTS, 'empty.png') });
    const plain = await browser.newPage({ javaScriptEnabled: false });
    await plain.goto(pathToFileURL(file).href);
    expect(await plain.innerText('#report')).toContain('There is no decision in these files.');
    await Promise.all([page.close(), plain.close()]);
  });
});

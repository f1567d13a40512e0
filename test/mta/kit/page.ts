/**
 * What a test does with the page in a browser. Pictures are left in `$SHOTS`, or else in `.shots/`; with
 * WRITE_DOCS=1 those of the tour are put into `docs/pictures/` too.
 */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, vi } from 'vitest';
import { runCommand } from '../../support/run-command.ts';

const SHOTS = process.env['SHOTS'] ?? fileURLToPath(new URL('../../../.shots/', import.meta.url));
const PICTURES = fileURLToPath(new URL('../../../docs/pictures/', import.meta.url));
const OF_TOUR: readonly string[] = ['page', 'decision-dark', 'live'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** For a busy machine. */
export const BUSY = 240_000;
export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
/** A window of 1280 by 960 whose reader wants everything twice as large. */
export const ZOOMED = { viewport: { width: 640, height: 480 }, deviceScaleFactor: 2 };

export type WindowOptions = NonNullable<Parameters<Browser['newPage']>[0]>;

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** An empty page; whatever goes wrong in it fails the test. */
export async function blankPage(browser: Browser, options: WindowOptions = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 960 }, ...options });
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => expect.unreachable(error.message));
  page.on('console', (message) => {
    // A service that is not there is one of the tests.
    if (message.type() === 'error' && !message.text().includes('ERR_')) expect.unreachable(message.text());
  });
  return page;
}

/** Runs a command to its end, and returns what it printed. */
export async function printed(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runCommand(args);
  expect(code, err).toBe(0);
  return out;
}

/** Waits until what is shown belongs to what is chosen. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('[data-count=accept]');
  await page.waitForSelector('#tab-refused .note[aria-busy=false]');
}

/** The numbers on top, by what they count. */
export async function counts(page: Page): Promise<Record<string, number>> {
  const entries = await page.$$eval('[data-count]', (all) =>
    all.map((each) => [each.getAttribute('data-count') ?? '', each.textContent.replaceAll(',', '')]),
  );
  return Object.fromEntries(entries.map(([name = '', count]) => [name, Number(count)]));
}

/**
 * What is shown is what `replay` says of the log with the flags that the page gives, and with those that it
 * was made with.
 */
export async function expectAsReplayed(
  page: Page,
  log: string,
  given: readonly string[] = [],
): Promise<void> {
  await page.click('#tab-export');
  const flags = (await page.inputValue('#export-flags')).split(' ');
  const told = JSON.parse(await printed('replay', '--no-config', '--json', ...given, ...flags, log)) as {
    now: Record<string, number>;
    stricter: number;
    milder: number;
  };
  await vi.waitFor(async () => {
    expect(await counts(page)).toEqual({ ...told.now, stricter: told.stricter, milder: told.milder });
  }, 30_000);
}

/** Drags the line of a threshold to the left. */
export async function drag(page: Page, threshold: string, by: number): Promise<number> {
  const handle = page.locator(`[data-threshold=${threshold}] circle`);
  await handle.scrollIntoViewIfNeeded();
  const { x = 0, y = 0 } = (await handle.boundingBox()) ?? {};
  await page.mouse.move(x + 4, y + 4);
  await page.mouse.down();
  await page.mouse.move(x - by, y + 4, { steps: 3 });
  await page.mouse.up();
  return Number(await page.inputValue(`[data-slider=${threshold}]`));
}

export async function shot(page: Page, name: string, fullPage = false): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  if (!fullPage) await page.evaluate('scrollTo(0, 0)');
  const path = join(SHOTS, `${name}.png`);
  await page.screenshot({ path, fullPage });
  if (process.env['WRITE_DOCS'] === '1' && OF_TOUR.includes(name))
    copyFileSync(path, join(PICTURES, `${name}.png`));
}

/** The rules of axe that depend on how large things are shown. */
export const BY_SIZE: readonly string[] = ['color-contrast', 'scrollable-region-focusable', 'target-size'];

/** Nothing that axe calls serious or critical, in light and in dark colours; all `rules` if it is null. */
export async function expectAccessible(page: Page, rules: readonly string[] | null = null): Promise<void> {
  if ((await page.evaluate('typeof axe')) !== 'object') await page.evaluate(AXE);
  // Nothing but colours is another thing in the dark.
  for (const [colorScheme, asked] of [
    ['light', rules],
    ['dark', ['color-contrast']],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    const serious = await page.evaluate(async (only) => {
      interface Violation {
        readonly id: string;
        readonly impact: string;
        readonly nodes: readonly { readonly html: string }[];
      }
      const { axe } = globalThis as unknown as {
        axe: { run(options: object): Promise<{ violations: readonly Violation[] }> };
      };
      const { violations } = await axe.run({
        resultTypes: ['violations'],
        ...(only === null ? {} : { runOnly: only }),
      });
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
    }, asked);
    expect(serious, colorScheme).toEqual([]);
  }
}

/** Nothing is wider than the window. */
export async function expectToFit(page: Page): Promise<void> {
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
}

/** How a control is called in a list of them. */
const NAME_OF = `(each) => [
  each.tagName.toLowerCase(),
  each.id || each.dataset.weight || each.dataset.slider || each.value || '',
  each.getAttribute('aria-label') ?? each.textContent.slice(0, 40),
].join(' ')`;

/** Controls of the page in the order of the page, of each set of radio buttons the one that is chosen. */
export async function controls(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`
    [...document.querySelectorAll('#app :is(a[href], button, input, select, textarea, summary, [tabindex])')]
      .filter((each) => !each.disabled && each.tabIndex >= 0 && each.checkVisibility({ visibilityProperty: true }))
      .filter((each) => each.type !== 'radio' || each.checked)
      .map(${NAME_OF})`);
}

/** Where the key leads from the edge of the page until it leaves it; each must be seen to have the focus. */
export async function walk(page: Page, key: 'Tab' | 'Shift+Tab'): Promise<string[]> {
  await page.evaluate('document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)');
  // From the very beginning: an element at the top takes the focus, and goes.
  await page.evaluate(`{
    const edge = document.createElement('span');
    edge.tabIndex = -1;
    document.body.${key === 'Tab' ? 'prepend' : 'append'}(edge);
    edge.focus();
  }`);
  const found: string[] = [];
  for (;;) {
    await page.keyboard.press(key);
    const [name, isSeen] = await page.evaluate<[string | null, boolean]>(`(() => {
      const at = document.activeElement;
      if (at === null || at === document.body || at.parentElement === document.body) return [null, true];
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      const { top, bottom, width, height } = at.getBoundingClientRect();
      const isIn = width > 0 && height > 0 && bottom > 0 && top < innerHeight;
      return [(${NAME_OF})(at), isIn && outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2];
    })()`);
    if (name === null) return found;
    expect(isSeen, `the focus on ${name} is seen`).toBe(true);
    found.push(name);
    expect(found.length).toBeLessThan(500);
  }
}

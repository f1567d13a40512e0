/** What a test does with the page in a browser. Pictures are left in `.shots/`. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const SHOTS = fileURLToPath(new URL('../../../.shots/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Waits until what is shown belongs to what is chosen. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('[data-count=accept]');
  await page.waitForSelector('#tab-refused .note');
}

/** The numbers on top, by what they count. */
export async function counts(page: Page): Promise<Record<string, number>> {
  const entries = await page.$$eval('[data-count]', (all) =>
    all.map((each) => [each.getAttribute('data-count') ?? '', each.textContent.replaceAll(',', '')]),
  );
  return Object.fromEntries(entries.map(([name = '', count]) => [name, Number(count)]));
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
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage });
}

/** Nothing that axe calls serious or critical. */
export async function expectAccessible(page: Page): Promise<void> {
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

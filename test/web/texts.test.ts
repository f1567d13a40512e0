/** What the page says: presets in the words of the README, periods, and one sentence where it fails. */
import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { PRESETS } from '../../src/core/check.ts';
import { PRESET_WORDS } from '../../web/choice.ts';
import { spanText } from '../../src/report/figures.ts';
import { Guard } from '../../web/guard.ts';

it.each(PRESETS)('%s is told as in the README', (preset) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const plain = readme.replaceAll('`', '').replaceAll(/\s+/g, ' ');
  const [, told] = new RegExp(`- ${preset}(?: \\(default\\))?: (.*?)(?: - |## |$)`).exec(plain) ?? [];
  expect(told).toContain(PRESET_WORDS[preset].replace('\u2019', "'"));
});

it.each([
  ['2026-11-26T00:00:00Z', '2026-11-26T23:59:59Z', '2026-11-26'],
  ['2026-11-26T23:59:59Z', '2026-11-27T00:00:00Z', '2026-11-26 to 2026-11-27'],
])('from %s to %s is %s', (first, last, told) => {
  expect(spanText(Date.parse(first), Date.parse(last))).toBe(told);
});

it('a part of the page that throws is replaced, and the report shown', () => {
  const onFailure = vi.fn();
  const guard = new Guard();
  guard.props = { children: 'the page', otherwise: (why) => `it failed: ${why}`, onFailure };
  expect(guard.render()).toBe('the page');
  guard.state = Guard.getDerivedStateFromError(new RangeError('Invalid time value'));
  guard.componentDidCatch();
  expect(guard.render()).toBe('it failed: Invalid time value');
  expect(onFailure).toHaveBeenCalledOnce();
});

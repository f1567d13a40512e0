import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { NEEDED_NODE, nodeSuffices } from '../../src/system/node-version.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

it.each([
  ['v0.10.48', false],
  ['v12.22.12', false],
  ['v18.19.0', false],
  ['v18.20.8', false],
  ['v19.19.0', false],
  ['v20.18.3', false],
  ['v20.19.0', true],
  ['v20.19.2', true],
  ['v21.19.0', false],
  ['v22.12.0', false],
  ['v22.13.0', true],
  ['v23.13.0', false],
  ['v24.0.0', true],
  ['v25.0.0-nightly2026', true],
  ['v100.1.0', true],
])('%s: %s', (version, wanted) => {
  expect(nodeSuffices(version)).toBe(wanted);
});

it('is what package.json and the README say', () => {
  const { engines } = JSON.parse(read('package.json')) as { readonly engines: { readonly node: string } };
  const range = engines.node.split(' || ').map((each) => /^(\^|>=)(\d+)\.(\d+)\.0$/.exec(each) ?? []);
  const words = range.map(([, , line, minor]) => (minor === '0' ? line : `${String(line)}.${String(minor)}`));
  expect(NEEDED_NODE).toBe(`${words.slice(0, -1).join('+, ')}+, or ${String(words.at(-1))} and later`);
  for (const [, , line = '', minor = ''] of range) {
    expect(nodeSuffices(`v${line}.${minor}.0`)).toBe(true);
    expect(
      nodeSuffices(minor === '0' ? `v${Number(line) - 1}.99.0` : `v${line}.${Number(minor) - 1}.9`),
    ).toBe(false);
  }
  expect(range.map(([, operator]) => operator)).toEqual(['^', '^', '>=']);
  expect(read('README.md')).toContain(`Node ${NEEDED_NODE}`);
});

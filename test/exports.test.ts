/**
 * The references of exports in docs/: complete, and as the built types have it. `npm run docs` writes them.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exportsOf, exportsReference } from './support/exports-reference.ts';
import { expectTable } from './support/generated.ts';

describe.each([
  ['helo-milter', 'src/index.ts', 'dist/index.d.ts', 'service'],
  ['helo-milter/core', 'src/embed.ts', 'dist/embed.d.ts', 'core'],
  ['helo-milter/milter', 'src/milter/index.ts', 'dist/milter/index.d.ts', 'milter'],
])('%s', (_, source, built, name) => {
  const page = new URL(`../docs/${name}.md`, import.meta.url);

  it('says of each export what it is', () => {
    const exports = [...exportsOf(built).values()];
    expect(exports.filter(({ about }) => !/^\S.*[.:]$/.test(about)).map((each) => each.name)).toEqual([]);
  });

  it('has all exports on its page, and no other', async () => {
    expectTable(page, 'exports', await exportsReference(source, built));
    const told = [...readFileSync(page, 'utf8').matchAll(/^#### `(\w+)`$/gm)].map(([, word]) => word);
    expect(told.sort()).toEqual([...exportsOf(built).keys()].sort());
  });
});

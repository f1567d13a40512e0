/** Comments fit into 110 columns: prettier does not wrap them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { commentFaults } from './support/comments.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDERS = ['src', 'test', 'bench', 'scripts', 'examples'];
const KINDS = /\.(?:ts|js|mjs|c|h|sh|pl|py|lua|toml|conf|cf|sieve|yml)$|_checks$|own-network$/;

const files = FOLDERS.flatMap((folder) =>
  readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => KINDS.test(name))
    .map((name) => `${folder}/${name}`),
);

it('every line of a comment fits into its width', () => {
  expect(files.length).toBeGreaterThan(500);
  expect(files.flatMap((file) => commentFaults(file, readFileSync(`${ROOT}${file}`, 'utf8')))).toEqual([]);
});

const LONG = 'word '.repeat(22).trim();
const WIDE = 'wrap the comment at 110';

it.each<[what: string, file: string, text: string, faults: string[]]>([
  ['a line comment', 'a.ts', `\n// ${LONG}`, [`a.ts:2 has 112 columns: ${WIDE}`]],
  ['a comment after code', 'a.ts', `x(); // ${LONG}`, [`a.ts:1 has 117 columns: ${WIDE}`]],
  ['one line of a block', 'a.mjs', `/**\n * short\n * ${LONG}\n */`, [`a.mjs:3 has 112 columns: ${WIDE}`]],
  [
    'a comment at the end of a list',
    'a.ts',
    `f([\n  1,\n  // ${LONG}\n]);`,
    [`a.ts:3 has 114 columns: ${WIDE}`],
  ],
  ['a comment in C', 'a.c', `/* ${LONG} */`, [`a.c:1 has 115 columns: ${WIDE}`]],
  ['a comment of a configuration', 'a.conf', `# ${LONG} x`, [`a.conf:1 has 113 columns: ${WIDE}`]],
  ['the mark of a merge', 'a.ts', '/**\n<<<<<<< HEAD\n */', ['a.ts:2 has the mark of a merge in a comment']],
  ['but not a string', 'a.ts', `x('// ${LONG}');`, []],
  ['nor a template', 'a.ts', `x(\`\n// ${LONG}\n\`);`, []],
  ['nor characters of several octets', 'a.ts', `// ${'é'.repeat(107)}`, []],
])('tells %s', (_, file, text, faults) => {
  expect(commentFaults(file, text)).toEqual(faults);
});

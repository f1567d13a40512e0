/** What `npm pack` would ship: what a user needs, and nothing else. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pack, ROOT } from './support/packed.ts';

function below(directory: string): string[] {
  return readdirSync(`${ROOT}${directory}`, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => `${each.parentPath}/${each.name}`.slice(ROOT.length));
}

it('has the program with its types, documents, examples, units, manual page and completions', () => {
  const packed = pack();
  const compiled = below('src')
    .map((path) => path.replace(/^src\//, 'dist/').replace(/\.ts$/, ''))
    .flatMap((path) => [`${path}.js`, `${path}.d.ts`]);
  const wanted = [
    'CHANGELOG.md',
    'LICENSE',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'README.md',
    'package.json',
    'completion/_helo-milter',
    'completion/helo-milter.bash',
    'completion/helo-milter.fish',
    'man/helo-milter.8',
    ...compiled,
    'dist/page.html',
    ...below('docs'),
    ...below('examples'),
    ...below('postfix-conf'),
    ...below('systemd'),
  ];
  expect(packed.files.map(({ path }) => path).sort()).toEqual(wanted.sort());
  expect(wanted).toContain('examples/helo-milter.toml');
});

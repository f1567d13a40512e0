/** The shipped files that are generated from the option table are up to date. `npm run docs` writes them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bashCompletion, fishCompletion, zshCompletion } from '../scripts/manual/completion.ts';
import { commandTree } from '../scripts/manual/command-tree.ts';
import { manPage } from '../scripts/manual/man-page.ts';
import { sampleConfig } from '../scripts/manual/sample-config.ts';
import { parseConfigFile } from '../src/config/file.ts';
import { EXIT_CODES } from '../src/commands/exit-codes.ts';
import { flagOf } from '../src/config/option.ts';
import { readConfig } from '../src/config/config.ts';
import { ROWS } from '../src/config/options.ts';
import { textsOf } from '../src/config/given.ts';

const MADE = [
  ['man/helo-milter.8', manPage],
  ['completion/helo-milter.bash', bashCompletion],
  ['completion/_helo-milter', zshCompletion],
  ['completion/helo-milter.fish', fishCompletion],
  ['examples/helo-milter.toml', sampleConfig],
] as const;

it.each(MADE)('%s', (path, make) => {
  const file = new URL(`../${path}`, import.meta.url);
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(file, make());
  expect(readFileSync(file, 'utf8'), 'run "npm run docs" and commit what it writes').toBe(make());
});

describe('the manual page', () => {
  const page = manPage().replaceAll('\\-', '-');
  it.each(ROWS.map(([key]) => flagOf(key)))('has %s', (flag) => {
    expect(page).toMatch(new RegExp(`^\\.B ${flag}(?: [^\\n]+)?$`, 'm'));
  });

  it('has every command, exit code and signal', () => {
    for (const { name } of commandTree().slice(1)) expect(page).toContain(`\n.SS ${name}\n`);
    for (const [code] of EXIT_CODES) expect(page).toContain(`\n.B ${code}\n`);
    for (const signal of ['SIGHUP', 'SIGTERM']) expect(page).toMatch(new RegExp(`^\\.B ${signal}`, 'm'));
  });
});

it('the manual page has optional arguments in brackets', () => {
  const told = new Map(commandTree().map(({ name, synopsis }) => [name, synopsis]));
  expect(told.get('check')).toBe('helo-milter check [OPTION]... IP [HELO] [FILE]...');
  expect(told.get('publish')).toBe('helo-milter publish [OPTION]... NAME IP...');
});

it('the manual page names documents that there are', () => {
  const named = [
    ...manPage()
      .replaceAll('\\-', '-')
      .matchAll(/\b(?:docs|examples)\/[\w.-]+\.\w+/g),
  ];
  expect(named.map(([path]) => path)).toContain('docs/doctor.md');
  expect(named.filter(([path]) => !existsSync(new URL(`../${path}`, import.meta.url)))).toEqual([]);
});

describe('the sample configuration', () => {
  it('changes nothing as it is', () => {
    expect(readConfig(textsOf(parseConfigFile(sampleConfig(), 'f')))).toEqual(readConfig(new Map()));
  });

  it('is sound without its comment signs, too, and all defaults are those of the program', () => {
    const open = sampleConfig().replaceAll(/^#(?=[a-z])/gm, '');
    const config = readConfig(textsOf(parseConfigFile(open, '/etc/helo-milter.toml')));
    const defaults = readConfig(new Map());
    for (const [key, row] of ROWS) {
      if (row.default === null && row.value !== undefined)
        expect(config[key], key).not.toEqual(defaults[key]);
      else expect(config[key], key).toEqual(defaults[key]);
    }
  });
});

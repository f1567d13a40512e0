/** The files that README and docs show are what the program reads: configuration, lists, policy tests. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config/config.ts';
import { parseConfigFile } from '../src/config/file.ts';
import { textsOf } from '../src/config/given.ts';
import { checks } from '../src/core/checks/index.ts';
import { parseAccess } from '../src/policy/access.ts';
import { parseRecipientRules } from '../src/policy/recipients.ts';
import { type Block, blocksOf, PAGES, ROOT } from './support/documented.ts';
import { runCommand } from './support/run-command.ts';

const CASES = 'docs/policy-tests.md';

const blocks = PAGES.flatMap(blocksOf);
const title = ({ page, line }: Block): string => `${page}:${line}`;
/** The rows of blocks without a language that begin with one of these words. */
const listed = (page: string, words: RegExp): string =>
  blocks.find((each) => each.page === page && each.language === '' && words.test(each.text))?.text ?? '';

const configurations = blocks.filter(({ page, language }) => language === 'toml' && page !== CASES);

describe('a configuration', () => {
  it.each(configurations.map((block) => [title(block), block.text]))('at %s is sound', (_, text) => {
    expect(readConfig(textsOf(parseConfigFile(text, '/etc/helo-milter.toml')))).toBeTypeOf('object');
  });

  it('is on several pages', () => {
    expect(configurations.length).toBeGreaterThan(4);
  });
});

it('docs/access.md and the lines of the list that other pages name are sound', () => {
  const list = listed('docs/access.md', /^(?:allow|deny) /m);
  expect(parseAccess(list, 'list', 0, checks).entries).toHaveLength(6);
  const lines = PAGES.flatMap((page) =>
    [...readFileSync(ROOT + page, 'utf8').matchAll(/`((?:allow|deny) [^`]*\w)`/g)].map(
      ([, line = '']) => line,
    ),
  );
  expect(lines.length).toBeGreaterThan(1);
  expect(parseAccess(lines.join('\n'), 'pages', 0, checks).entries).toHaveLength(lines.length);
});

it('docs/recipients.md has a sound table', () => {
  expect(parseRecipientRules(listed('docs/recipients.md', /@dest\.test /), 'table').size).toBe(3);
});

it('the cases of docs/policy-tests.md hold with the files that they name', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'documented-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const [cases] = blocks.filter(({ page, language }) => page === CASES && language === 'toml');
  file('hosts.zone', 'net. NS ns.net.\npartner.example.net. NS ns.net.\n');
  const record = readFileSync(`${ROOT}test/fixtures/records/v1-exact.json`, 'utf8').split('\n')[0] ?? '';
  file('decisions.jsonl', `${record.replace(/"reference":"[^"]+"/, '"reference":"mwtthiz8.5.1"')}\n`);
  file('access', 'allow gone.partner.example.net ip=203.0.113.91 until=2027-01-31\n');
  const config = file('helo-milter.toml', 'access = "access"\n');
  const { code, out, err } = await runCommand([
    'test',
    '--config',
    config,
    file('cases.toml', cases?.text ?? ''),
  ]);
  rmSync(directory, { recursive: true });
  expect(err).toBe('');
  expect(out).toBe('3 cases passed\n');
  expect(code).toBe(0);
});

/** `helo-milter regulars`, and that what it exports says no more than it should. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { accessLines } from '../../src/commands/regulars.ts';
import { checks } from '../../src/core/checks/index.ts';
import { parseAccess } from '../../src/policy/access.ts';
import { regularsText } from '../../src/state/regulars-text.ts';
import { runCommand, type Told } from '../support/run-command.ts';

const dir = mkdtempSync(join(tmpdir(), 'regulars-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const file = join(dir, 'regulars');

const run = (...args: readonly string[]): Promise<Told> => runCommand(['regulars', '--no-config', ...args]);

const today = Math.floor(Date.now() / 86_400_000);
const entry = (helo: string, days: number) => ({
  client: '192.0.2.25/32',
  helo,
  messages: 9,
  days,
  firstDay: today - 10,
  lastDay: today,
});

it('lists them, the best known first, with what a stranger wrote made inert', async () => {
  writeFileSync(
    file,
    regularsText([entry('b.example.org', 2), entry('\x1b[31m', 1), entry('a.example.org', 5)]),
  );
  const { out } = await run('--regulars-file', file, '--regulars', '5/3');
  const [table = '', total] = out.trimEnd().split('\n\n');
  expect(total).toBe('3 pairs; regular by 5 messages on 3 days: 1');
  const rows = table.split('\n').map((line) => line.split(/\s{2,}/));
  expect(rows.map((row) => [row[1], row[6]])).toEqual([
    ['helo', 'regular'],
    ['a.example.org', 'yes'],
    ['b.example.org', 'no'],
    ['"\\x1b[31m"', 'no'],
  ]);
  const { out: json } = await run('--regulars-file', file, '--json');
  expect(JSON.parse(json)).toMatchObject({
    version: 1,
    regulars: [{ helo: 'a.example.org', days: 5, regular: false }, {}, {}],
  });
});

it('exports those that are regular', async () => {
  writeFileSync(file, regularsText([entry('b.example.org', 2), entry('a.example.org', 5)]));
  const { out } = await run('--regulars-file', file, '--regulars', '5/3', '--export');
  const { entries } = parseAccess(out, 'access', 0, checks);
  expect(entries).toMatchObject([{ action: 'allow', subject: { kind: 'name', name: 'a.example.org' } }]);
  expect(entries[0]?.expiredFrom).toBe((today + 36) * 86_400_000);
});

it('exports no name that a list would take for more', () => {
  const names = [
    '*',
    '*.example.org',
    '.example.org',
    'a b',
    'x ip=0.0.0.0/0',
    '"',
    '#',
    '[',
    '[192.0.2.25]',
    '',
    'ok.org',
  ];
  const text = accessLines(names.map((name) => entry(name, 3)));
  const { entries } = parseAccess(text, 'access', 0, checks);
  expect(entries.map(({ subject }) => subject)).toMatchObject([
    { kind: 'literal' },
    { kind: 'name', name: 'ok.org' },
  ]);
  expect(text).toContain('# left out, as what they say is no name: 9');
});

it('says what is missing', async () => {
  expect(await run()).toMatchObject({
    code: 64,
    err: 'helo-milter: regulars: there is no --regulars-file to read\n',
  });
  writeFileSync(file, 'x');
  expect(await run('--regulars-file', file)).toMatchObject({ code: 78 });
  writeFileSync(file, regularsText([]));
  expect(await run('--regulars-file', file, '--export')).toMatchObject({ code: 64 });
  expect(await run('--regulars-file', join(dir, 'gone'))).toMatchObject({ code: 64 });
});

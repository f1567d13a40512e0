/** The tables of the README are those of the program. `npm run docs` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PRESETS } from '../src/core/check.ts';
import { findings } from '../src/core/checks/index.ts';
import { flagOf, OPTIONS, type OptionRow } from '../src/options.ts';
import { presetWeight } from '../src/policy.ts';
import { SENDERS } from './fixtures/senders.ts';

const README = new URL('../README.md', import.meta.url);

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function findingsTable(): string {
  const rows = [...findings].map(([id, spec]) => [
    `\`${id}\``,
    spec.basis,
    ...PRESETS.map((preset) => String(presetWeight(spec, preset))),
    spec.summary,
    spec.reference,
  ]);
  return markdown(['finding', 'basis', ...PRESETS, 'meaning', 'rests on'], rows);
}

function optionsTable(): string {
  const rows = (Object.entries(OPTIONS) as [string, OptionRow<unknown>][]).map(([key, row]) => [
    `\`${flagOf(key)}${row.value === undefined ? '' : ` ${row.value}`}\`${row.repeatable ? ', repeatable' : ''}`,
    row.default === null ? '' : `\`${row.default}\``,
    row.help,
  ]);
  return markdown(['option', 'default', 'what it does'], rows);
}

function sendersTable(): string {
  const words = { a: 'accept', t: 'tempfail', r: 'reject' } as const;
  const rows = SENDERS.map(({ title, helo, correspondence, stream, dispositions }) => [
    title,
    `\`${helo}\``,
    correspondence,
    stream,
    ...Array.from(dispositions).map((letter) => words[letter as keyof typeof words]),
  ]);
  return markdown(['sender', 'HELO', 'correspondence', 'stream', ...PRESETS], rows);
}

it.each([
  ['findings', findingsTable],
  ['senders', sendersTable],
  ['options', optionsTable],
])('the table of %s is up to date', (name, table) => {
  const text = readFileSync(README, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  expect(from).toBeGreaterThan(-1);
  expect(to).toBeGreaterThan(from);
  const wanted = `${start}\n\n${table()}\n\n`;
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(README, text.slice(0, from) + wanted + text.slice(to));
  expect(readFileSync(README, 'utf8')).toContain(wanted);
});

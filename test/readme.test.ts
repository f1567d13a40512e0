/** The README's tables match the program. `npm run docs` writes them. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PRESETS } from '../src/core/check.ts';
import { findings } from '../src/core/checks/index.ts';
import { flagOf } from '../src/config/option.ts';
import { ROWS } from '../src/config/options.ts';
import { presetWeight } from '../src/policy/policy.ts';
import { FAILURES } from './fixtures/failures.ts';
import { SENDERS } from './fixtures/senders.ts';
import { expectTable, markdown } from './support/generated.ts';

const README = new URL('../README.md', import.meta.url);

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
  const rows = ROWS.map(([key, row]) => [
    `\`${flagOf(key)}${row.value === undefined ? '' : ` ${row.value}`}\`${row.repeatable ? ', repeatable' : ''}`,
    row.default === null ? '' : `\`${row.default}\``,
    row.restart === true ? `${row.help} (read at the start only)` : row.help,
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

function failuresTable(): string {
  const rows = FAILURES.map(({ what, postfix, sendmail, shutdown }) => [
    what,
    postfix,
    shutdown ?? 'not tried',
    sendmail,
  ]);
  return markdown(['the milter is', 'Postfix 3.7', 'Postfix 3.10.13, `shutdown`', 'Sendmail 8.17'], rows);
}

/**
 * The rows of bench/results.md that the README quotes: those that an operator notices, missed targets as well
 * as those that are met.
 */
const QUOTED = [
  'messages/s through Postfix, cache hit, unix, no header wanted | no milter',
  'messages/s through Postfix, cache hit, unix, Authentication-Results | no milter',
  'messages/s through Postfix, cache hit, unix, Authentication-Results | empty libmilter, all callbacks, unix',
  'CPU of Postfix + milter a message, unix, no header wanted | no milter',
  'EHLO-only sessions/s through Postfix, unix | empty libmilter, all callbacks, unix',
  'CPU at 1,000 sessions/s, whole program: accepted from the cache, log line, unix | empty libmilter',
  'session p99 at 2,000/s, 17900 addresses cached | none cached but the clients that come',
  'cold verdict of the exact host, DNS 20 ms away | one DNS round trip',
  'whole process with 10000 idle sessions | go-milter 77 MiB',
];

function benchTable(): string {
  const lines = readFileSync(new URL('../bench/results.md', import.meta.url), 'utf8').split('\n');
  const rows = QUOTED.map((start) => {
    const row = lines.find((line) => line.startsWith(`| ${start} |`)) ?? expect.fail(start);
    const [what = '', against = '', target = '', on24 = '', met = '', on20 = ''] = row
      .split('|')
      .slice(1)
      .map((cell) => cell.trim());
    return [what, against, target, on24, met, on20];
  });
  return markdown(['what', 'against', 'we wanted', 'Node 24', '', 'Node 20'], rows);
}

it.each([
  ['bench', benchTable],
  ['failures', failuresTable],
  ['findings', findingsTable],
  ['senders', sendersTable],
  ['options', optionsTable],
])('the table of %s is up to date', (name, table) => {
  expectTable(README, name, table());
});

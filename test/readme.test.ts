/** The README's tables match the program. `npm run docs` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PRESETS, type Proof, PROOFS } from '../src/core/check.ts';
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
    const row = lines.find((line) => line.startsWith(`| ${start} |`)) ?? raise(start);
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

/**
 * A section for each finding, for the sender who was sent there: `--help-url .../docs/findings.md` leads to
 * `#FINDING-ID`.
 */
function findingsPage(): string {
  const sections = [...findings].map(
    ([
      id,
      {
        basis,
        denies = 'none',
        summary,
        reference,
        reason,
        reply,
        replyWith = {},
        fix,
        fixWith = {},
        rejectCode,
        tempfailCode,
        status,
        excusedByProof = {},
      },
    ]) => {
      const stream = denies === 'none' ? '' : ' Stream: failed, whatever else is shown.';
      const weights = PRESETS.map(
        (preset) => `${preset} ${presetWeight(findings.get(id) ?? raise(id), preset)}`,
      ).join(', ');
      const excuses = PROOFS.flatMap((proof) => {
        const most = excusedByProof[proof];
        return most === undefined
          ? []
          : [
              `${PROOF_WORDS[proof]}: ${PRESETS.map((preset) => (typeof most === 'number' ? most : most[preset])).join(', ')}`,
            ];
      });
      const lines = [
        `## ${id}\n`,
        `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.\n`,
        `What the sender is told, with the names filled in:\n`,
        `> ${basis === 'dns' ? '' : `${rejectCode ?? 550} 5.${status ?? '7.1'} or `}${tempfailCode ?? 450} 4.${tempfailCode === undefined ? '7.1' : (status ?? '7.1')} [${id}] ${withFix(reply, fix)}\n`,
        ...Object.entries(replyWith).map(
          ([seen, words]) => `Or, where that was seen:\n\n> ${withFix(words, fixWith[seen])}\n`,
        ),
        ...(fix === undefined ? [] : [`${RECORDS}\n`]),
        `Rests on: ${reference}. Basis: ${basis}.${stream} Weight: ${weights}. Why: ${reason}.\n`,
        ...(excuses.length === 0 ? [] : [`At most, under ${PRESETS.join(', ')}, ${excuses.join('; ')}.\n`]),
      ];
      return lines.join('\n');
    },
  );
  return `# Findings\n\nWhat helo-milter can find wrong with a HELO name, what a refused sender reads, and how to fix it. Generated; do not edit.\n\n${sections.join('\n')}`;
}

/** Said of findings with a cure in DNS. */
const RECORDS =
  'In place of the general advice at the end, the reply has the very records, where they would be enough.';

function withFix(words: string, fix: string | undefined): string {
  return [words, ...(fix === undefined ? [] : [fix])].join('; ').replaceAll(/[{}]/g, '*');
}

/** What is shown, in the words of the page. */
const PROOF_WORDS: Readonly<Record<Proof, string>> = {
  exact: 'where an address of the name is the client’s',
  authorized: 'where the owner of the name permits the client',
  aligned: 'where a verified reverse name without the address in it belongs to the same organisation',
  reverse: 'where there is a verified reverse name without the address in it',
};

function raise(id: string): never {
  throw new Error(id);
}

it('the page of findings is up to date', () => {
  const page = new URL('../docs/findings.md', import.meta.url);
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(page, findingsPage());
  expect(readFileSync(page, 'utf8'), 'run \"npm run docs\" and commit what it writes').toBe(findingsPage());
});

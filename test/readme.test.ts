/** Tables in the docs match the program, and the README stays short. `npm run docs` writes the tables. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { flagOf } from '../src/config/option.ts';
import { ROWS } from '../src/config/options.ts';
import { PRESETS } from '../src/core/check.ts';
import { FAILURES } from './fixtures/failures.ts';
import { SENDERS } from './fixtures/senders.ts';
import { expectTable, markdown } from './support/generated.ts';

const page = (name: string): URL => new URL(`../docs/${name}.md`, import.meta.url);

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
 * The rows of bench/results.md that docs/cost.md quotes, by how they begin: those that an operator notices,
 * missed targets as well as those that are met.
 */
const QUOTED = [
  'messages/s through Postfix, cache hit, unix, no header wanted | no milter',
  'messages/s through Postfix, cache hit, unix, Authentication-Results | no milter',
  'messages/s through Postfix, cache hit, unix, Authentication-Results | empty libmilter, all callbacks, unix',
  'messages/s through Postfix, cache hit, unix, no header wanted | opendkim',
  'messages/s through Postfix, cache hit, unix, no header wanted | rspamd',
  'messages/s through Postfix, cache hit, unix, no header wanted | policyd-spf',
  'CPU of Postfix + milter a message, unix, no header wanted | no milter',
  'EHLO-only sessions/s through Postfix, unix | empty libmilter, all callbacks, unix',
  'CPU at 1,000 sessions/s, whole program: accepted from the cache, log line, unix | empty libmilter',
  'session p99 at 2000 a second in windows of ',
  'cold verdict of the exact host, DNS 20 ms away | one DNS round trip',
  'whole process with 10000 idle sessions | go-milter 77 MiB',
];

interface BenchRow {
  readonly what: string;
  readonly against: string;
  readonly target: string;
  readonly on24: string;
  readonly met: string;
  readonly on20: string;
}

/** The only row of bench/results.md that begins so. */
function benchRow(start: string): BenchRow {
  const lines = readFileSync(new URL('../bench/results.md', import.meta.url), 'utf8').split('\n');
  const [row = expect.fail(start), ...others] = lines.filter((line) => line.startsWith(`| ${start}`));
  expect(others, start).toEqual([]);
  const [what = '', against = '', target = '', on24 = '', met = '', on20 = ''] = row
    .split('|')
    .slice(1)
    .map((cell) => cell.trim());
  return { what, against, target, on24, met, on20 };
}

function benchTable(): string {
  const rows = QUOTED.map((start) => {
    const { what, against, target, on24, met, on20 } = benchRow(start);
    return [what, against, target, on24, met, on20];
  });
  return markdown(['what', 'against', 'we wanted', 'Node 24', '', 'Node 20'], rows);
}

it.each([
  'messages/s through Postfix, cache hit, unix, no header wanted | no milter',
  'messages/s through Postfix, cache hit, unix, no header wanted | policyd-spf',
  'session p99 at 2000 a second in windows of ',
])('the README quotes %s as it was measured', (start) => {
  const { target, on24, met } = benchRow(start);
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');
  const [median] = on24.split(' ');
  expect(text).toContain(`${median} (wanted ${target}, ${met.replaceAll('*', '')})`);
});

it.each([
  ['bench', 'cost', benchTable],
  ['failures', 'failures', failuresTable],
  ['senders', 'verdicts', sendersTable],
  ['options', 'options', optionsTable],
])('the table of %s in docs/%s.md is up to date', (name, where, table) => {
  expectTable(page(where), name, table());
});

it('the README can be read in ten minutes', () => {
  expect(readFileSync(new URL('../README.md', import.meta.url), 'utf8').split('\n').length).toBeLessThan(201);
});

it.each([
  [
    'README',
    ['You run it', 'Your mail was refused', 'You write a check', 'You embed it', 'You run several MX hosts'],
  ],
  [
    'faq',
    [
      'Microsoft 365 is refused',
      'Our own users are refused',
      'EXCH01.local',
      'let one sender in',
      'relay or proxy of ours',
      'Our DNS is down',
      'Are bounces treated',
      'Which resolver',
      'What does the sender see',
      'GDPR',
    ],
  ],
])('docs/%s.md has a section for each reader or question', (name, wanted) => {
  const headings = [...readFileSync(page(name), 'utf8').matchAll(/^## (.*)$/gm)].map(
    ([, heading = '']) => heading,
  );
  expect(wanted.filter((each) => !headings.some((heading) => heading.includes(each)))).toEqual([]);
});

it.each(['announce', 'send-by-relay'])(
  'the page for refused senders says how to %s with each product',
  (way) => {
    const text = readFileSync(page('findings'), 'utf8');
    const [, section = ''] = text.split(`<a id="how-to-${way}"></a>`);
    const told = section.slice(0, section.indexOf('<a id='));
    for (const product of [
      'Postfix',
      'Exim',
      'Sendmail',
      'Exchange',
      'Microsoft 365',
      'cPanel',
      'Plesk',
      'Printers, cameras',
    ])
      expect(told).toContain(`**${product}`.replace('**Exchange', '**Microsoft Exchange'));
  },
);

it('the page for refused senders has no weights and no policies', () => {
  const [, ...sections] = readFileSync(page('findings'), 'utf8').split(/^## /m);
  expect(
    sections.filter((each) => /\b(?:weighs|score|preset|rfc5321|strict)\b|weight \d/.test(each)),
  ).toEqual([]);
});

it('every page of the docs is in their index', () => {
  const index = readFileSync(page('README'), 'utf8');
  const pages = readdirSync(new URL('../docs', import.meta.url)).filter(
    (name) => name.endsWith('.md') && name !== 'README.md',
  );
  expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

it('every link within the docs leads to a file, and to a place in it that exists', () => {
  const root = new URL('../', import.meta.url);
  const texts = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...readdirSync(new URL('docs', root)).map((name) => `docs/${name}`),
  ];
  const lost = texts
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => {
      const text = readFileSync(new URL(name, root), 'utf8').replaceAll(/^```.*?^```/gms, '');
      return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, to = '']) => {
        if (/^https?:/.test(to)) return [];
        const [file = '', anchor] = to.split('#');
        const target = file === '' ? new URL(name, root) : new URL(file, new URL(name, root));
        if (!existsSync(target)) return [`${name}: ${to}`];
        return anchor === undefined || anchors(readFileSync(target, 'utf8')).has(anchor)
          ? []
          : [`${name}: ${to}`];
      });
    });
  expect(lost).toEqual([]);
});

/** As forges make them of headings, and those that are written out. */
function anchors(text: string): ReadonlySet<string> {
  return new Set([
    ...[...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
    ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id),
  ]);
}

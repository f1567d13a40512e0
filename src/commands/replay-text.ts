/**
 * The counts of a replay for a terminal, as JSON and as comma-separated values. Names in them come from
 * strangers.
 */
import type { ReadingProgress } from '../decisions/log-reader.ts';
import { escape } from '../log/value.ts';
import { type Counts, DIMENSIONS, type Dimension, type Group, type DecisionTally } from '../report/tally.ts';
import { table } from './table.ts';

/** What was replayed. */
export interface ReplayResult {
  readonly tally: DecisionTally;
  readonly reading: ReadingProgress;
  /** What an administrator has to know about the result, one sentence for each point. */
  readonly notes: readonly string[];
}

const DISPOSITIONS = ['accept', 'tempfail', 'reject'] as const;

const HEADINGS: Readonly<Record<Dimension, string>> = {
  finding: 'By what weighs now',
  stream: 'By stream',
  sender:
    'By sender: the registrable domain that HELO claims, else that of the reverse name, else the network',
  network: 'By network of the client',
  recipient: 'By domain of the recipient',
};

export function replayText({ tally, notes }: ReplayResult, top: number): string {
  const { all } = tally;
  const parts = [
    ...(all.decisions === 0
      ? []
      : [
          `${all.decisions} decision${all.decisions === 1 ? '' : 's'}, ${day(all.first)} to ${day(all.last)}\n`,
        ]),
    table([
      ['', 'then', 'now'],
      ...DISPOSITIONS.map((each) => [each, String(all.then[each]), String(all.now[each])]),
    ]),
    `stricter: ${all.stricter}; milder: ${all.milder}\n`,
    ...DIMENSIONS.map((dimension) => section(dimension, [...tally.of(dimension).values()], top)),
    ...notes.map((note) => `note: ${note}\n`),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function section(dimension: Dimension, groups: readonly Group[], top: number): string {
  if (groups.length === 0) return '';
  const sorted = groups.toSorted(byChange);
  const rows = sorted
    .slice(0, top)
    .map((each) => [
      escape(each.name),
      String(each.decisions),
      String(each.days),
      day(each.last),
      counts(each.then),
      counts(each.now),
      String(each.stricter),
      String(each.milder),
    ]);
  const more = sorted.length - rows.length;
  const head = ['', 'decisions', 'days', 'last', 'then', 'now', 'stricter', 'milder'];
  return `${HEADINGS[dimension]}\n${table([head, ...rows])}${more === 0 ? '' : `and ${more} more\n`}`;
}

/** Those for whom most would change come first; then those with the most decisions. */
function byChange(a: Group, b: Group): number {
  return (
    b.stricter - a.stricter ||
    b.milder - a.milder ||
    b.decisions - a.decisions ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}

/** Accepted, delayed, refused. */
function counts({ accept, tempfail, reject }: Counts): string {
  return `${accept}/${tempfail}/${reject}`;
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The object that `--json` prints. Its member names are public API. */
export function replayReport({ tally, reading, notes }: ReplayResult): object {
  return {
    version: 1,
    ...groupReport(tally.all),
    exempt: tally.exempt,
    notLookedUp: tally.unknown['not-looked-up'],
    settled: tally.unknown.settled,
    earlierMail: tally.unknown['earlier-mail'],
    unreadable: reading.unreadable,
    notes,
    groups: Object.fromEntries(
      DIMENSIONS.map((dimension) => [
        dimension,
        [...tally.of(dimension).values()].toSorted(byChange).map((each) => ({
          name: each.name,
          ...groupReport(each),
        })),
      ]),
    ),
  };
}

function groupReport({ decisions, then, now, stricter, milder, unknown, first, last, days }: Group): object {
  const time = (at: number): string | null => (decisions === 0 ? null : new Date(at).toISOString());
  return { decisions, then, now, stricter, milder, unknown, first: time(first), last: time(last), days };
}

const COLUMNS = [
  'by',
  'name',
  'decisions',
  'days',
  'first',
  'last',
  ...DISPOSITIONS.map((each) => `then_${each}`),
  ...DISPOSITIONS.map((each) => `now_${each}`),
  'stricter',
  'milder',
  'unknown',
] as const;

/** RFC 4180, including its line ends. */
export function replayCsv(tally: DecisionTally): string {
  const rows = [
    ...(tally.all.decisions === 0 ? [] : [csvRow('all', tally.all)]),
    ...DIMENSIONS.flatMap((dimension) =>
      [...tally.of(dimension).values()].toSorted(byChange).map((each) => csvRow(dimension, each)),
    ),
  ];
  return [COLUMNS.join(','), ...rows].map((line) => `${line}\r\n`).join('');
}

function csvRow(by: string, group: Group): string {
  const { name, decisions, days, first, last, then, now, stricter, milder, unknown } = group;
  return [
    by,
    csvText(name),
    decisions,
    days,
    new Date(first).toISOString(),
    new Date(last).toISOString(),
    ...DISPOSITIONS.map((each) => then[each]),
    ...DISPOSITIONS.map((each) => now[each]),
    stricter,
    milder,
    unknown,
  ].join(',');
}

/** Escaped, quoted, and never a formula for the spreadsheet that opens it (CWE-1236). */
export function csvText(text: string): string {
  const safe = escape(text);
  const inert = /^[=+\-@\t\r]/.test(safe) ? `'${safe}` : safe;
  return `"${inert.replaceAll('"', '""')}"`;
}

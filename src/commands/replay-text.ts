/**
 * The counts of a replay for a terminal, as JSON and as comma-separated values. Names in them come from
 * strangers.
 */
import type { ReadingProgress } from '../decisions/log-reader.ts';
import { escape } from '../log/value.ts';
import { DISPOSITIONS } from '../policy/policy.ts';
import { count, dayText, spanText } from '../report/figures.ts';
import { type Counts, DIMENSIONS, type Dimension, type Group, type DecisionTally } from '../report/tally.ts';
import { wrap } from '../report/wrap.ts';
import { table } from './table.ts';

/** What was replayed. */
export interface ReplayResult {
  readonly tally: DecisionTally;
  readonly reading: ReadingProgress;
  /** What an administrator has to know about the result, one sentence for each point. */
  readonly notes: readonly string[];
}

const HEADINGS: Readonly<Record<Dimension, string>> = {
  finding: 'By finding that weighs now',
  stream: 'By stream (whether the host has shown who it is)',
  sender: 'By sender (the domain that HELO claims, else of the reverse name, else network)',
  network: 'By network of the client',
  recipient: 'By domain of the recipient',
};

export function replayText({ tally, notes }: ReplayResult, top: number): string {
  const { all } = tally;
  const parts = [
    ...(all.decisions === 0
      ? []
      : [
          `${count(all.messages, 'message')} with ${count(all.decisions, 'decision')}, ${spanText(all.first, all.last)}\n`,
        ]),
    table([
      ['', 'then', 'now'],
      ...DISPOSITIONS.map((each) => [each, String(all.then[each]), String(all.now[each])]),
    ]),
    `Would be treated more strictly: ${all.stricter}; more mildly: ${all.milder}; as before: ${all.decisions - all.stricter - all.milder}\n`,
    ...(all.decisions === 0 ? [] : ['In the columns below, then and now: accepted/delayed/refused.\n']),
    ...DIMENSIONS.map((dimension) => section(dimension, [...tally.of(dimension).values()], top)),
    ...notes.map((note) => `${wrap(`note: ${note}`)}\n`),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** Columns of a name; a longer one has a line of its own, so that 80 columns are enough. */
const MAX_NAME = 24;

function section(dimension: Dimension, groups: readonly Group[], top: number): string {
  if (groups.length === 0) return '';
  const sorted = groups.toSorted(byChange);
  const shown = sorted.slice(0, top).map((each) => ({ each, name: escape(each.name) }));
  const head = ['', 'messages', 'days', 'last', 'then', 'now', 'change'];
  const rows = shown.map(({ each, name }) => [
    name.length > MAX_NAME ? '' : name,
    String(each.messages),
    String(each.days),
    dayText(each.last),
    counts(each.then),
    counts(each.now),
    changeText(each),
  ]);
  const [title = '', ...lines] = table([head, ...rows])
    .trimEnd()
    .split('\n');
  const told = shown.flatMap(({ name }, i) => [
    ...(name.length > MAX_NAME ? [name] : []),
    (lines[i] ?? '').trimEnd(),
  ]);
  const more = sorted.length - shown.length;
  return [HEADINGS[dimension], title, ...told, ...(more === 0 ? [] : [`and ${more} more`]), ''].join('\n');
}

function changeText({ stricter, milder }: Group): string {
  return [
    ...(stricter === 0 ? [] : [`${stricter} stricter`]),
    ...(milder === 0 ? [] : [`${milder} milder`]),
  ].join(', ');
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

function groupReport(group: Group): object {
  const { decisions, messages, then, now, stricter, milder, unknown, first, last, days } = group;
  const time = (at: number): string | null => (decisions === 0 ? null : new Date(at).toISOString());
  return {
    decisions,
    messages,
    then,
    now,
    stricter,
    milder,
    unknown,
    first: time(first),
    last: time(last),
    days,
  };
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
  'messages',
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
  const { name, decisions, messages, days, first, last, then, now, stricter, milder, unknown } = group;
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
    messages,
  ].join(',');
}

/** Escaped, quoted, and never a formula for the spreadsheet that opens it (CWE-1236). */
export function csvText(text: string): string {
  const safe = escape(text);
  const inert = /^[=+\-@\t\r]/.test(safe) ? `'${safe}` : safe;
  return `"${inert.replaceAll('"', '""')}"`;
}

/**
 * The counts of a replay for a terminal, as JSON and as comma-separated values. Names in them come from
 * strangers.
 */
import type { ReadingProgress } from '../decisions/log-reader.ts';
import { asciiJson, escape } from '../log/value.ts';
import { DISPOSITIONS } from '../policy/policy.ts';
import { count, intervalText, spanText } from '../report/figures.ts';
import type { Counts, Group } from '../report/group.ts';
import type { GroupTable } from '../report/group-table.ts';
import { DIMENSIONS, type Dimension, type DecisionTally } from '../report/tally.ts';
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
    ...DIMENSIONS.map((dimension) => section(dimension, tally.of(dimension), top)),
    ...notes.map((note) => `${wrap(`note: ${note}`)}\n`),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** Columns of a name; a longer one has a line of its own, so that 80 columns are enough. */
const MAX_NAME = 24;

function section(dimension: Dimension, groups: GroupTable, top: number): string {
  if (groups.size === 0) return '';
  const shown = firstOf(groups.byChange(), top).map((each) => ({ each, name: escape(each.name) }));
  const head = ['', 'messages', 'days', 'seen', 'then', 'now', 'change'];
  const rows = shown.map(({ each, name }) => [
    name.length > MAX_NAME ? '' : name,
    String(each.messages),
    String(each.days),
    intervalText(each.first, each.last),
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
  const more = groups.size - shown.length;
  return [HEADINGS[dimension], title, ...told, ...(more === 0 ? [] : [`and ${more} more`]), ''].join('\n');
}

function changeText({ stricter, milder }: Group): string {
  return [
    ...(stricter === 0 ? [] : [`${stricter} stricter`]),
    ...(milder === 0 ? [] : [`${milder} milder`]),
  ].join(', ');
}

function firstOf(groups: Iterable<Group>, most: number): readonly Group[] {
  const first: Group[] = [];
  for (const group of groups) {
    if (first.length >= most) break;
    first.push(group);
  }
  return first;
}

/** Accepted, delayed, refused. */
function counts({ accept, tempfail, reject }: Counts): string {
  return `${accept}/${tempfail}/${reject}`;
}

/**
 * The object that `--json` prints, in pieces: with a month of strangers it is longer than a string can be.
 * Its member names are public API.
 */
export function* replayJson({ tally, reading, notes }: ReplayResult): Generator<string> {
  const head = {
    version: 1,
    ...groupReport(tally.all),
    exempt: tally.exempt,
    notLookedUp: tally.unknown['not-looked-up'],
    settled: tally.unknown.settled,
    earlierMail: tally.unknown['earlier-mail'],
    unreadable: reading.unreadable,
    notes,
  };
  yield `${asciiJson(head, 2).slice(0, -2)},\n  "groups": {`;
  for (const [i, dimension] of DIMENSIONS.entries()) {
    yield `${i === 0 ? '' : ','}\n    ${asciiJson(dimension)}: [`;
    let isFirst = true;
    for (const each of tally.of(dimension).byChange()) {
      const text = asciiJson({ name: each.name, ...groupReport(each) }, 2);
      yield `${isFirst ? '' : ','}\n      ${text.replaceAll('\n', '\n      ')}`;
      isFirst = false;
    }
    yield isFirst ? ']' : '\n    ]';
  }
  yield '\n  }\n}\n';
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

/** RFC 4180, including its line ends; a piece for each line. */
export function* replayCsv(tally: DecisionTally): Generator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  if (tally.all.decisions > 0) yield csvRow('all', tally.all);
  for (const dimension of DIMENSIONS) {
    for (const each of tally.of(dimension).byChange()) yield csvRow(dimension, each);
  }
}

function csvRow(by: string, group: Group): string {
  const { name, decisions, messages, days, first, last, then, now, stricter, milder, unknown } = group;
  const cells = [
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
  ];
  return `${cells.join(',')}\r\n`;
}

/** Escaped, quoted, and never a formula for the spreadsheet that opens it (CWE-1236). */
export function csvText(text: string): string {
  const safe = escape(text);
  const inert = /^[=+\-@\t\r]/.test(safe) ? `'${safe}` : safe;
  return `"${inert.replaceAll('"', '""')}"`;
}

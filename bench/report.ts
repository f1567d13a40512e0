/** What was found, as rows against the targets, and as Markdown. */
import type { Spread } from './contest.ts';

/** One target. */
export interface Row {
  readonly what: string;
  readonly against: string;
  readonly target: string;
  /** Of Node 24, then of Node 20; null where it was not measured or is the same for both. */
  readonly measured: readonly (Measured | null)[];
}

export interface Measured {
  readonly text: string;
  /** Null for a figure that is only stated. */
  readonly met: boolean | null;
}

/** Figures beside the targets, as they came. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

export interface Findings {
  readonly rows: readonly Row[];
  readonly tables: readonly Table[];
}

/** A ratio that must not be below `least`. */
export function atLeast(least: number, ratio: Spread): Measured {
  return { text: asRatio(ratio), met: ratio.median >= least };
}

/** A ratio that must not be above `most`. */
export function atMost(most: number, ratio: Spread): Measured {
  return { text: asRatio(ratio), met: ratio.median <= most };
}

export function asRatio({ median, least, most }: Spread): string {
  return `${median.toFixed(2)}× (${least.toFixed(2)}–${most.toFixed(2)})`;
}

/** A figure with its unit, rounded to what it is worth, and its spread. */
export function asFigure({ median, least, most }: Spread, unit = ''): string {
  const after = unit === '' ? '' : ` ${unit}`;
  return `${round(median)}${after} (${round(least)}–${round(most)})`;
}

export function round(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const [whole = '', fraction] = value.toFixed(digits).split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

export function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}

const verdict = ({ met }: Measured): string => (met === null ? 'stated' : met ? 'met' : '**missed**');

/** The page: how it was measured, the targets, then every figure. */
export function page(intro: string, findings: readonly Findings[]): string {
  const rows = findings.flatMap((each) => each.rows);
  const lines = rows.map(({ what, against, target, measured: [newer, older] }) => [
    what,
    against,
    target,
    newer?.text ?? '–',
    newer ? verdict(newer) : '–',
    older?.text ?? '–',
  ]);
  const head = ['what', 'against, in the same run', 'target', 'Node 24', '', 'Node 20'];
  const tables = findings
    .flatMap((each) => each.tables)
    .map((table) => `## ${table.title}\n\n${markdownTable(table.head, table.lines)}`);
  return [intro, `## Targets\n\n${markdownTable(head, lines)}`, ...tables, ''].join('\n\n');
}

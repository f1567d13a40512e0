/** The results: rows that set figures against targets, and the page in Markdown. */
import { figures, type Results, type Spread, spread } from './contest.ts';

/** One target. */
export interface Row {
  readonly what: string;
  readonly against: string;
  readonly target: string;
  /** By version of Node, in the order of the setting. */
  readonly measured: readonly Measured[];
}

export interface Measured {
  readonly text: string;
  /** Null for a figure that has no target. */
  readonly met: boolean | null;
}

/** Figures without a target. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

export type Columns<R> = Readonly<Record<string, (result: R) => number>>;

/** One line a contender. */
export function tableOf<R>(title: string, results: Results<R>, columns: Columns<R>): Table {
  const line = (name: string): string[] => [
    name,
    ...Object.values(columns).map((figure) => asFigure(spread(figures(results, name, figure)))),
  ];
  return { title, head: ['', ...Object.keys(columns)], lines: [...results.keys()].map(line) };
}

export interface Findings {
  readonly rows: readonly Row[];
  readonly tables: readonly Table[];
}

/** A figure that has no target. */
export function stated(text: string): Measured {
  return { text, met: null };
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

/** A figure that must not be above `most`. */
export function figureAtMost(most: number, figure: Spread, unit: string): Measured {
  return { text: asFigure(figure, unit), met: figure.median <= most };
}

/** A figure with its unit and spread, rounded to its significant digits. */
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

function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}

const verdict = ({ met }: Measured): string => (met === null ? 'stated' : met ? 'met' : '**missed**');

/**
 * The page: how it was measured, the targets, then every figure. `majors` are the versions of Node, as
 * measured.
 */
export function page(intro: string, majors: readonly number[], findings: readonly Findings[]): string {
  const rows = findings.flatMap((each) => each.rows);
  const lines = rows.map(({ what, against, target, measured: [newest, ...others] }) => [
    what,
    against,
    target,
    newest?.text ?? '–',
    newest ? verdict(newest) : '–',
    ...others.map((each) => (each.met === false ? `${each.text}, **missed**` : each.text)),
  ]);
  const [newest = 0, ...others] = majors;
  const versions = [`Node ${newest}`, '', ...others.map((major) => `Node ${major}`)];
  const tables = findings
    .flatMap((each) => each.tables)
    .map((table) => `## ${table.title}\n\n${markdownTable(table.head, table.lines)}`);
  const targets = markdownTable(['what', 'against, in the same run', 'target', ...versions], lines);
  return [intro, `## Targets\n\n${targets}`, ...tables, ''].join('\n\n');
}

/** Joins the rows and tables of several parts. */
export function together(all: readonly Findings[]): Findings {
  return { rows: all.flatMap(({ rows }) => rows), tables: all.flatMap(({ tables }) => tables) };
}

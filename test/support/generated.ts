/** Tables in the documentation that are generated from tables of the program. `npm run docs` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Expects `table` between the marks `<!-- name -->` and `<!-- /name -->` of a page, or puts it there. */
export function expectTable(page: URL, name: string, table: string): void {
  const text = readFileSync(page, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  expect(from).toBeGreaterThan(-1);
  expect(to).toBeGreaterThan(from);
  const wanted = `${start}\n\n${table}\n\n`;
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(page, text.slice(0, from) + wanted + text.slice(to));
  expect(
    readFileSync(page, 'utf8'),
    `the table "${name}" is not what the program says: run "npm run docs" and commit what it writes`,
  ).toContain(wanted);
}

/** Expects `text` to be the whole page, or writes it there. */
export function expectPage(page: URL | string, text: string): void {
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(page, text);
  expect(readFileSync(page, 'utf8'), 'run "npm run docs" and commit what it writes').toBe(text);
}

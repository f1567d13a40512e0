/**
 * `--print-config`: every option with its value and where it came from, as a configuration file that can be
 * read back.
 */
import { resolve } from 'node:path';
import { nameOf, type OptionRow } from '../config/option.ts';
import { ROWS } from '../config/options.ts';
import { tomlScalar } from '../config/toml-value.ts';
import type { Setting, Settings } from '../config/given.ts';

export function printConfig(settings: Settings, file: string | null): string {
  const lines = [file === null ? '# No configuration file was named, so none was read.' : `# With ${file}.`];
  let group = '';
  for (const [key, row] of ROWS) {
    if (row.group !== group) lines.push('', `# ${(group = row.group)}`);
    const setting = settings.get(key);
    const value = setting === undefined ? byDefault(row) : given(row, setting);
    const line = value === null ? `# ${nameOf(key)} is not set` : `${nameOf(key)} = ${value}`;
    const place = setting?.place ?? (value === null ? null : 'default');
    lines.push(place === null ? line : `${line} # ${place.replaceAll(/[^\x20-\x7e]/g, '?')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Null if there is no default. */
export function byDefault(row: OptionRow<unknown>): string | null {
  if (row.value === undefined) return 'false';
  if (row.default === null) return row.repeatable ? '[]' : null;
  return row.repeatable ? `[${tomlScalar(row.default)}]` : tomlScalar(row.default);
}

function given(row: OptionRow<unknown>, { values }: Setting): string {
  if (row.value === undefined) return String(values.length > 0);
  // This is read back from a file, which may be in another directory.
  const texts = values.map(({ text }) => (row.path === true ? resolve(text) : text));
  if (row.table === true) {
    const pairs = new Map(texts.map((text) => [text.replace(/=.*/s, ''), text.slice(text.indexOf('=') + 1)]));
    return `{ ${[...pairs].map(([id, text]) => `${id} = ${tomlScalar(text)}`).join(', ')} }`;
  }
  return row.repeatable ? `[${texts.map(tomlScalar).join(', ')}]` : tomlScalar(texts.at(-1) ?? '');
}

/**
 * The configuration file: flat TOML whose keys are the flags without their dashes.
 *
 *     reject-at = 12
 *     trust = ["192.0.2.0/24", "2001:db8::/32"]
 *     weight = { helo-mismatch = 5 }
 */
import { dirname, resolve } from 'node:path';
import { parse, TomlError, type TomlTable } from 'smol-toml';
import { closest } from './closest.ts';
import { nameOf, type OptionRow } from './option.ts';
import { ROWS } from './options.ts';
import type { Setting, Settings, SettingValue } from './given.ts';
import { TomlPlaces } from './toml-places.ts';
import { type Faults, FileError, soundly } from '../errors.ts';

type Toml = TomlTable[string];
type Path = readonly (string | number)[];

const BY_NAME: ReadonlyMap<string, { readonly key: string; readonly row: OptionRow<unknown> }> = new Map(
  ROWS.map(([key, row]) => [nameOf(key), { key, row }]),
);

/**
 * Reads the text of a file. Throws a FileError with file, line and column for the first mistake, which
 * carries the others.
 */
export function parseConfigFile(text: string, file: string): Settings {
  return soundly((faults) => readConfigFile(text, file, faults));
}

/** As `parseConfigFile`, but collects the faults and returns the settings that have none. */
export function readConfigFile(text: string, file: string, faults: Faults): Settings {
  let document: TomlTable;
  try {
    document = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [, problem = ''] = /^Invalid TOML document: (.*)/.exec(error.message) ?? [];
    faults.add(new FileError(`${file}:${error.line}:${error.column}: ${problem}`));
    return new Map();
  }
  const reader = new Reader(new TomlPlaces(text), file);
  const settings = new Map<string, Setting>();
  for (const [name, value] of Object.entries(document)) {
    faults.try(() => {
      const option = BY_NAME.get(name);
      if (option === undefined) throw reader.unknown([name]);
      settings.set(option.key, {
        source: 'file',
        place: reader.place([name], 'key'),
        values: reader.values(name, option.row, value),
      });
    });
  }
  return settings;
}

class Reader {
  readonly #places: TomlPlaces;
  readonly #file: string;

  constructor(places: TomlPlaces, file: string) {
    this.#places = places;
    this.#file = file;
  }

  place(path: Path, of: 'key' | 'value'): string {
    const position = this.#places.position(path, of);
    return position === null ? this.#file : `${this.#file}:${position}`;
  }

  unknown(path: Path): FileError {
    const name = String(path.at(-1));
    return new FileError(
      `${this.place(path, 'key')}: there is no option ${JSON.stringify(name)}${closest(name, [...BY_NAME.keys()])}`,
    );
  }

  values(name: string, row: OptionRow<unknown>, value: Toml): readonly SettingValue[] {
    if (row.value === undefined) return this.#switch(name, value);
    if (row.table === true && isTable(value)) return this.#pairs(name, value);
    if (!Array.isArray(value)) return [this.#value([name], row, value)];
    if (!row.repeatable) throw this.#wrong([name], `takes one ${row.value}, not a list`);
    if (value.length === 0 && row.default !== null) throw this.#wrong([name], 'an empty list leaves nothing');
    return value.map((each, i) => this.#value([name, i], row, each));
  }

  #switch(name: string, value: Toml): readonly SettingValue[] {
    if (typeof value !== 'boolean') throw this.#wrong([name], 'is true or false');
    return value ? [{ text: '', place: this.place([name], 'value') }] : [];
  }

  #pairs(name: string, table: TomlTable): readonly SettingValue[] {
    return Object.entries(table).map(([id, value]) => {
      const path = [name, id];
      // Whatever follows a table's header belongs to that table, which surprises many.
      if (BY_NAME.has(id)) throw this.#wrong(path, `the option ${id} belongs above [${name}]`, 'key');
      return { text: `${id}=${this.#scalar(path, value)}`, place: this.place(path, 'key') };
    });
  }

  #value(path: Path, row: OptionRow<unknown>, value: Toml): SettingValue {
    const text = this.#scalar(path, value);
    return {
      text: row.path === true ? resolve(dirname(this.#file), text) : text,
      place: this.place(path, 'value'),
    };
  }

  #scalar(path: Path, value: Toml): string {
    if (typeof value === 'string') return value;
    if (typeof value !== 'number') throw this.#wrong(path, 'takes text or a number');
    // A mode is octal in any spelling: 0o660 must not become 432.
    const source = this.#places.source(path);
    return source.startsWith('0o') ? source : String(value);
  }

  #wrong(path: Path, problem: string, of: 'key' | 'value' = 'value'): FileError {
    return new FileError(`${this.place(path, of)}: ${String(path[0])}: ${problem}`);
  }
}

function isTable(value: Toml): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

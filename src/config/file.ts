/**
 * The configuration file: flat TOML whose keys are the flags without their dashes.
 *
 *     reject-at = 12
 *     trust = ["192.0.2.0/24", "2001:db8::/32"]
 *     weight = { helo-mismatch = 5 }
 */
import { dirname, resolve } from 'node:path';
import { closest } from './closest.ts';
import { nameOf, type OptionRow } from './option.ts';
import { ROWS } from './options.ts';
import type { Setting, Settings, SettingValue } from './given.ts';
import { isTable, TomlDocument, type TomlPath, type TomlTable, type TomlValue } from './toml-document.ts';
import { type Faults, FileError, soundly } from '../errors.ts';

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
  const document = faults.try(() => new TomlDocument(text, file));
  if (document === null) return new Map();
  const reader = new Reader(document);
  const settings = new Map<string, Setting>();
  for (const [name, value] of Object.entries(document.table)) {
    faults.try(() => {
      const option = BY_NAME.get(name);
      if (option === undefined) throw reader.unknown([name]);
      settings.set(option.key, {
        source: 'file',
        place: document.place([name], 'key'),
        values: reader.values(name, option.row, value),
      });
    });
  }
  return settings;
}

class Reader {
  readonly #document: TomlDocument;

  constructor(document: TomlDocument) {
    this.#document = document;
  }

  unknown(path: TomlPath): FileError {
    const name = String(path.at(-1));
    return new FileError(
      `${this.#document.place(path, 'key')}: there is no option ${JSON.stringify(name)}${closest(name, [...BY_NAME.keys()])}`,
    );
  }

  values(name: string, row: OptionRow<unknown>, value: TomlValue): readonly SettingValue[] {
    if (row.value === undefined) return this.#switch(name, value);
    if (row.table === true && isTable(value)) return this.#pairs(name, value);
    if (!Array.isArray(value)) return [this.#value([name], row, value)];
    if (!row.repeatable) throw this.#wrong([name], `takes one ${row.value}, not a list`);
    if (value.length === 0 && row.default !== null) throw this.#wrong([name], 'an empty list leaves nothing');
    return value.map((each, i) => this.#value([name, i], row, each));
  }

  #switch(name: string, value: TomlValue): readonly SettingValue[] {
    if (typeof value !== 'boolean') throw this.#wrong([name], 'is true or false');
    return value ? [{ text: '', place: this.#document.place([name], 'value') }] : [];
  }

  #pairs(name: string, table: TomlTable): readonly SettingValue[] {
    return Object.entries(table).map(([id, value]) => {
      const path = [name, id];
      // Whatever follows a table's header belongs to that table, which surprises many.
      if (BY_NAME.has(id)) throw this.#wrong(path, `the option ${id} belongs above [${name}]`, 'key');
      return { text: `${id}=${this.#scalar(path, value)}`, place: this.#document.place(path, 'key') };
    });
  }

  #value(path: TomlPath, row: OptionRow<unknown>, value: TomlValue): SettingValue {
    const text = this.#scalar(path, value);
    return {
      text: row.path === true ? resolve(dirname(this.#document.file), text) : text,
      place: this.#document.place(path, 'value'),
    };
  }

  #scalar(path: TomlPath, value: TomlValue): string {
    if (typeof value === 'string') return value;
    if (typeof value !== 'number') throw this.#wrong(path, 'takes text or a number');
    // A mode is octal in any spelling: 0o660 must not become 432.
    const source = this.#document.source(path);
    return source.startsWith('0o') ? source : String(value);
  }

  #wrong(path: TomlPath, problem: string, of: 'key' | 'value' = 'value'): FileError {
    return new FileError(`${this.#document.place(path, of)}: ${String(path[0])}: ${problem}`);
  }
}

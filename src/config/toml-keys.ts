/**
 * A table of a TOML file read key by key: a key that nobody knows, or with a value of another kind, is
 * refused with its place.
 */
import { closest } from './closest.ts';
import {
  isTable,
  type TomlDocument,
  type TomlPath,
  type TomlTable,
  type TomlValue,
} from './toml-document.ts';
import { FileError } from '../errors.ts';

export class TomlKeys {
  readonly #document: TomlDocument;
  readonly #path: TomlPath;
  readonly #table: TomlTable;

  constructor(document: TomlDocument, path: TomlPath = [], table: TomlTable = document.table) {
    this.#document = document;
    this.#path = path;
    this.#table = table;
  }

  /** `FILE:LINE:COLUMN` of a key. */
  place(key: string, of: 'key' | 'value' = 'value'): string {
    return this.#document.place([...this.#path, key], of);
  }

  /** The line on which a text begins. */
  line(key: string): number {
    return this.#document.lineOfText([...this.#path, key]);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#table, key);
  }

  /** A mistake for each key that is not one of these. */
  strangers(known: readonly string[]): readonly FileError[] {
    return Object.keys(this.#table)
      .filter((key) => !known.includes(key))
      .map(
        (key) =>
          new FileError(
            `${this.place(key, 'key')}: there is no key ${JSON.stringify(key)}${closest(key, known)}`,
          ),
      );
  }

  /** Null where the key is not there, here and below. */
  text(key: string): string | null {
    const value = this.#value(key);
    if (value === undefined) return null;
    return typeof value === 'string' ? value : this.fail(key, 'takes text');
  }

  /** Zero or more. */
  number(key: string): number | null {
    const value = this.#value(key);
    if (value === undefined) return null;
    return typeof value === 'number' && value >= 0 ? value : this.fail(key, 'takes a number from 0 up');
  }

  flag(key: string): boolean | null {
    const value = this.#value(key);
    if (value === undefined) return null;
    return typeof value === 'boolean' ? value : this.fail(key, 'is true or false');
  }

  /**
   * Unix time in milliseconds. Takes a date of TOML or text such as 2027-01-31; a day begins at midnight in
   * UTC.
   */
  time(key: string): number | null {
    const value = this.#value(key);
    if (value === undefined) return null;
    const text = value instanceof Date ? value.toISOString() : value;
    const time = typeof text === 'string' && /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
    return Number.isNaN(time) ? this.fail(key, 'takes a date such as 2027-01-31') : time;
  }

  /** One of a few words. */
  word<T extends string>(key: string, words: readonly T[]): T | null {
    const text = this.text(key);
    if (text === null) return null;
    const word = words.find((each) => each === text);
    return word ?? this.fail(key, `"${text}" is none of ${words.join(', ')}${closest(text, words)}`);
  }

  table(key: string): TomlKeys | null {
    const value = this.#value(key);
    if (value === undefined) return null;
    if (!isTable(value)) return this.fail(key, 'takes a table');
    return new TomlKeys(this.#document, [...this.#path, key], value);
  }

  /** Each table of an array of tables. */
  tables(key: string): readonly TomlKeys[] {
    const value = this.#value(key) ?? [];
    if (!Array.isArray(value)) return this.fail(key, `takes tables, each under [[${key}]]`);
    return value.map((each, i) =>
      isTable(each)
        ? new TomlKeys(this.#document, [...this.#path, key, i], each)
        : this.fail(key, `takes tables, each under [[${key}]]`),
    );
  }

  /** Throws FileError. */
  fail(key: string, problem: string): never {
    throw new FileError(`${this.place(key)}: ${key}: ${problem}`);
  }

  #value(key: string): TomlValue | undefined {
    return this.has(key) ? this.#table[key] : undefined;
  }
}

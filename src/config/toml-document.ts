/** A TOML file with the place of everything in it, so that a mistake can be told with its line and column. */
import { parse, TomlError, type TomlTable } from 'smol-toml';
import { FileError } from '../errors.ts';
import { TomlPlaces } from './toml-places.ts';

export type { TomlTable };
export type TomlValue = TomlTable[string];
/** Keys, and indices of arrays from 0. */
export type TomlPath = readonly (string | number)[];

export class TomlDocument {
  readonly file: string;
  readonly table: TomlTable;
  readonly #places: TomlPlaces;

  /** Throws FileError, naming file, line and column, for a text that is not TOML. */
  constructor(text: string, file: string) {
    this.file = file;
    try {
      this.table = parse(text);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const [, said = ''] = /^Invalid TOML document: (.*)/.exec(error.message) ?? [];
      const problem = said.startsWith('trying to redefine') ? setTwice(text, error.line) : said;
      throw new FileError(`${file}:${error.line}:${error.column}: ${problem}`);
    }
    this.#places = new TomlPlaces(text);
  }

  /** `FILE:LINE:COLUMN` of a key or of its value. */
  place(path: TomlPath, of: 'key' | 'value'): string {
    const position = this.#places.position(path, of);
    return position === null ? this.file : `${this.file}:${position}`;
  }

  /** The value as written. */
  source(path: TomlPath): string {
    return this.#places.source(path);
  }

  /**
   * The line, from 1, on which the text of a string begins: a line end right after the opening quotes is not
   * part of it.
   */
  lineOfText(path: TomlPath): number {
    const line = Number(this.#places.position(path, 'value')?.split(':')[0] ?? 1);
    return /^(?:"""|''')\r?\n/.test(this.source(path)) ? line + 1 : line;
  }
}

/**
 * What is told of a key that was there already, as happens to whoever adds a line to a file that has it: the
 * parser names neither the key nor its first line.
 */
function setTwice(text: string, line: number): string {
  const lines = text.split('\n');
  const [, name] = /^[\s[]*([\w.-]+)\s*[=\]]/.exec(lines[line - 1] ?? '') ?? [];
  if (name === undefined) return 'this is set already; keep one of the two';
  const first = firstLineOf(name, lines.slice(0, line - 1).join('\n'));
  return `${name} is set already${first === null ? '' : `, in line ${first}`}; keep one of the two`;
}

/** Null where the key stands in a table, or the text breaks off within a value. */
function firstLineOf(name: string, text: string): number | null {
  try {
    parse(text);
  } catch {
    return null;
  }
  const position = new TomlPlaces(text).position(name.split('.'), 'key');
  return position === null ? null : Number(position.split(':')[0]);
}

export function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

/** A row of the option table, and the kinds of rows. */
import { OptionError, UsageError } from '../errors.ts';

export type OptionGroup =
  | 'Service'
  | 'Policy'
  | 'Who we are'
  | 'Exemptions'
  | 'DNS and cache'
  | 'Farm'
  | 'Replies'
  | 'Logging'
  | 'Monitoring';

export interface OptionDoc {
  /** Placeholder for the value in `--help`; absent for a switch. */
  readonly value?: string;
  readonly group: OptionGroup;
  readonly help: string;
  /** The `check` command understands the option as well. */
  readonly check?: boolean;
  /** The value is a path, in a configuration file relative to that file. */
  readonly path?: boolean;
  /** Values are pairs `ID=…`; a configuration file may have a table of them. */
  readonly table?: boolean;
  /** Values may contain blanks; in the environment each is on a separate line. */
  readonly blanks?: boolean;
  /** Read only at the start; a reload says that it has changed and needs a restart. */
  readonly restart?: boolean;
}

/** One option. `T` is what the program reads. */
export interface OptionRow<T> extends OptionDoc {
  /** As the operator would write it; null if there is none. */
  readonly default: string | null;
  readonly repeatable: boolean;
  /** Makes the value from the texts given (none for a switch that is off). Throws UsageError. */
  readonly read: (texts: readonly string[]) => T;
}

type Parse<T> = (text: string) => T;

/** An option with one value, always set. */
export function one<T>(
  doc: OptionDoc & { readonly parse: Parse<T>; readonly default: string },
): OptionRow<T> {
  const { parse, ...rest } = doc;
  return { ...rest, repeatable: false, read: (texts) => parse(texts.at(-1) ?? doc.default) };
}

/** An option with one value, or none. */
export function optional<T>(doc: OptionDoc & { readonly parse: Parse<T> }): OptionRow<T | null> {
  const { parse, ...rest } = doc;
  const read = (texts: readonly string[]): T | null => {
    const text = texts.at(-1);
    return text === undefined ? null : parse(text);
  };
  return { ...rest, default: null, repeatable: false, read };
}

/** An option that may be given several times; given values replace the default. */
export function many<T>(
  doc: OptionDoc & { readonly parse: Parse<T>; readonly default?: string },
): OptionRow<readonly T[]> {
  const { parse, ...rest } = doc;
  const initial = doc.default === undefined ? [] : [doc.default];
  const read = (texts: readonly string[]): readonly T[] => (texts.length > 0 ? texts : initial).map(parse);
  return { ...rest, default: doc.default ?? null, repeatable: true, read };
}

export function flag(doc: OptionDoc): OptionRow<boolean> {
  return { ...doc, default: null, repeatable: false, read: (texts) => texts.length > 0 };
}

/** `socketMode` → `--socket-mode`. */
export function flagOf(key: string): string {
  return `--${nameOf(key)}`;
}

/** `socketMode` → `socket-mode`, the key in a configuration file. */
export function nameOf(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `socketMode` → `HELO_MILTER_SOCKET_MODE`. */
export function variableOf(key: string): string {
  return `HELO_MILTER_${nameOf(key).replaceAll('-', '_').toUpperCase()}`;
}

/** Reads one option. Throws an OptionError that names the flag and which of several values is wrong. */
export function readOption<T>(key: string, row: OptionRow<T>, texts: readonly string[]): T {
  try {
    return row.read(texts);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new OptionError(flagOf(key), error.message, texts.find((text) => fails(row, text)) ?? '');
  }
}

function fails(row: OptionRow<unknown>, text: string): boolean {
  try {
    row.read([text]);
    return false;
  } catch {
    return true;
  }
}

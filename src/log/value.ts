/**
 * Values as written in a log line. They come from strangers: everything but printable ASCII is escaped, long
 * ones are cut, and what could be misread is quoted.
 */

export type Field = readonly [key: string, value: string | number | null | undefined];

/** Longest value, in characters, before it is cut with `...`. */
export const MAX_VALUE = 256;

const PLAIN = /^[\w.:/@+,*[\]<>-]+$/;
/** Needs no escape in a JSON string, and is printable ASCII. */
const PLAIN_JSON = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A value in a `key=value` line: bare if it is one plain word, else quoted and escaped. */
export function formatValue(value: string): string {
  if (value.length > MAX_VALUE) return formatValue(cut(value, MAX_VALUE));
  return PLAIN.test(value) ? value : `"${escape(value)}"`;
}

/** A JSON string of printable ASCII. */
export function jsonString(value: string, limit = MAX_VALUE): string {
  if (value.length > limit) return jsonString(cut(value, limit), limit);
  if (PLAIN_JSON.test(value)) return `"${value}"`;
  return asciiJson(value);
}

/** JSON of printable ASCII, whatever strangers wrote: on one line, or with lines indented by so much. */
export function asciiJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replaceAll(/[^\n\x20-\x7e]/g, jsonEscape);
}

/** A character as JSON can have it in a string. */
export function jsonEscape(character: string): string {
  return `\\u${hex(character.charCodeAt(0), 4)}`;
}

/** Fields without a value are left out. */
export function formatFields(fields: readonly Field[]): string {
  let text = '';
  for (const [key, value] of fields) {
    if (value === null || value === undefined) continue;
    text += ` ${key}=${typeof value === 'number' ? String(value) : formatValue(value)}`;
  }
  return text;
}

/** The same as members of a JSON object, each after a comma. */
export function jsonFields(fields: readonly Field[]): string {
  let text = '';
  for (const [key, value] of fields) {
    if (value === null || value === undefined) continue;
    text += `,"${key}":${typeof value === 'number' ? String(value) : jsonString(value)}`;
  }
  return text;
}

/** Backslash escapes for quotes, backslashes and everything that is not printable ASCII. */
export function escape(text: string): string {
  return text.replaceAll(/["\\]|[^\x20-\x7e]/g, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    const code = character.charCodeAt(0);
    return code > 0xff ? `\\u${hex(code, 4)}` : `\\x${hex(code, 2)}`;
  });
}

function cut(value: string, limit: number): string {
  return `${value.slice(0, limit - 3)}...`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/**
 * Log lines: `event key=value key=value …`, one event a line. Values come from strangers: everything but printable
 * ASCII is escaped, values are capped, and a value that could be misread is quoted.
 */

export type Field = readonly [key: string, value: string | number | null | undefined];

/** Longest value, in characters, before it is cut with `...`. */
const MAX_VALUE = 256;

/** Formats one event. Fields without a value are left out. */
export function formatEvent(event: string, fields: readonly Field[]): string {
  let line = event;
  for (const [key, value] of fields) {
    if (value === null || value === undefined) continue;
    line += ` ${key}=${typeof value === 'number' ? String(value) : formatValue(value)}`;
  }
  return line;
}

const PLAIN = /^[\w.:/@+,*[\]<>-]+$/;

/** A value as it stands in a log line: bare where it is one plain word, else quoted and escaped. */
export function formatValue(value: string): string {
  const capped = value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE - 3)}...` : value;
  return PLAIN.test(capped) ? capped : `"${escape(capped)}"`;
}

/** Backslash escapes for quotes, backslashes and everything that is not printable ASCII. */
export function escape(text: string): string {
  return text.replaceAll(/["\\]|[^\x20-\x7e]/g, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    const code = character.charCodeAt(0);
    return code > 0xff
      ? `\\u${code.toString(16).padStart(4, '0')}`
      : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

export interface Log {
  /** What an administrator reads every day: decisions, start and stop. */
  info(event: string, fields: readonly Field[]): void;
  /** Something is wrong with us or our surroundings. */
  error(event: string, fields: readonly Field[]): void;
}

/** A log that writes whole lines. `write` must not throw. */
export function createLog(write: (line: string) => void): Log {
  return {
    info: (event, fields) => {
      write(`${formatEvent(event, fields)}\n`);
    },
    error: (event, fields) => {
      write(`${formatEvent(`error ${event}`, fields)}\n`);
    },
  };
}

/**
 * The log: one event per line, as `event key=value key=value …` or as a JSON object with the same names. The
 * events are in events.ts.
 */
import { EVENTS, type EventFields, type EventName, type Level, type LogEvent } from './events.ts';
import type { LEVELS } from './levels.ts';
import { type Field, formatFields, jsonFields } from './value.ts';
import { Repeats } from './repeats.ts';

/** `kv`: lines of `key=value`; `json`: one object a line. */
export type LogFormat = 'kv' | 'json';

/** Priorities of syslog(3), which journald reads from `<N>` before a line (sd-daemon(3)). */
const PRIORITY: Readonly<Record<Level, number>> = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 };

/** How lines are written, and which. */
export interface LogOptions {
  readonly format?: LogFormat;
  /** The least urgent level that is written; `info` by default. */
  readonly level?: (typeof LEVELS)[number];
  /** The lines go to the journal, which takes priorities and has its own times. */
  readonly journal?: boolean;
  /** Begin `key=value` lines with the time; JSON always has it. */
  readonly time?: boolean;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** A log with a least level; a line is an event with its fields. */
export interface Log {
  readonly format: LogFormat;
  /** Writes an event at its level. Errors and warnings that repeat are counted, not repeated. */
  tell<Name extends EventName>(event: Name, fields: EventFields<Name>): void;
  /** Changes the least urgent level that is written. */
  setLevel(level: (typeof LEVELS)[number]): void;
  /** Whether lines of this level are written. */
  wants(level: Level): boolean;
  /**
   * Writes a line made elsewhere for speed: `event key=value …`, or for JSON the members of the object from
   * `"event":…` on. Never counted as a repeat.
   */
  write(level: Level, text: string): void;
  /** Reports what has only been counted so far. */
  flush(): void;
}

/** A log that writes whole lines. `put` must not throw. */
export function createLog(put: (line: string) => void, options: LogOptions = {}): Log {
  const { format = 'kv', journal = false, time = false } = options;
  let least: Level = options.level ?? 'info';
  const stamp = clock(options.now ?? Date.now);
  const wants = (level: Level): boolean => PRIORITY[level] <= PRIORITY[least];
  const heads = Object.fromEntries(
    Object.entries(PRIORITY).map(([level, number]) => [level, journal ? `<${number}>` : '']),
  ) as Readonly<Record<Level, string>>;
  const stamped = time && !journal;
  const write = (level: Level, text: string): void => {
    if (format === 'json') put(`${heads[level]}{"time":"${stamp()}","level":"${level}",${text}}\n`);
    else put(`${stamped ? `${stamp()} ` : heads[level]}${text}\n`);
  };
  const line = (level: Level, event: string, fields: readonly Field[]): string => {
    if (format === 'json') return `"event":"${event}"${jsonFields(fields)}`;
    // A reader without priorities finds faults by the first word.
    const word = level === 'notice' || level === 'info' ? '' : `${level} `;
    return `${word}${event}${formatFields(fields)}`;
  };
  const repeats = new Repeats();
  return {
    format,
    tell: (event, values) => {
      const { level, word, fields: names }: LogEvent & { readonly fields: readonly string[] } = EVENTS[event];
      if (!wants(level)) return;
      const fields = names.map((name): Field => [name, (values as Readonly<Record<string, Field[1]>>)[name]]);
      const text = line(level, word, fields);
      if (PRIORITY[level] > PRIORITY.warning) write(level, text);
      else {
        repeats.note(word, text, (count) => {
          write(level, count === 0 ? text : line(level, word, [...fields, ['repeated', count]]));
        });
      }
    },
    setLevel: (level) => {
      least = level;
    },
    wants,
    write: (level, text) => {
      if (wants(level)) write(level, text);
    },
    flush: () => {
      repeats.flush();
    },
  };
}

/** Times as in RFC 3339, in UTC with milliseconds. The date is computed once per second. */
export function clock(now: () => number): () => string {
  let second = NaN;
  let head = '';
  return () => {
    const time = now();
    const ms = time % 1000;
    if (time - ms !== second) {
      second = time - ms;
      head = new Date(second).toISOString().slice(0, 20);
    }
    return `${head}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
  };
}

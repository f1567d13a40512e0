/**
 * What was given for the options, and where: on the command line, in the environment or in a configuration
 * file. The option table says what it means.
 */
import { flagOf, nameOf, variableOf } from './option.ts';
import { ROWS } from './options.ts';
import { closest } from './closest.ts';
import { type Faults, FileError, OptionError, soundly, UsageError } from '../errors.ts';

/** Where the value of an option comes from, and the value as it was written. */
export interface Setting {
  readonly source: 'flag' | 'environment' | 'file';
  /** `--reject-at`, `HELO_MILTER_REJECT_AT` or `helo-milter.toml:3:1`, the place of the key. */
  readonly place: string;
  /** Empty for a switch that is off and for an empty list. */
  readonly values: readonly SettingValue[];
}

/** One value as it was written, and its place. */
export interface SettingValue {
  /** As on the command line. */
  readonly text: string;
  readonly place: string;
}

/** By the key of the option table. */
export type Settings = ReadonlyMap<string, Setting>;

/** The first layer that has an option decides it. */
export function merge(...layers: readonly Settings[]): Settings {
  return new Map(layers.toReversed().flatMap((layer) => [...layer]));
}

export function textsOf(settings: Settings): ReadonlyMap<string, readonly string[]> {
  return new Map([...settings].map(([key, { values }]) => [key, values.map(({ text }) => text)]));
}

export function fromFlags(texts: ReadonlyMap<string, readonly string[]>): Settings {
  return new Map(
    [...texts].map(([key, given]) => {
      const place = flagOf(key);
      return [key, { source: 'flag', place, values: given.map((text) => ({ text, place })) }];
    }),
  );
}

/** Variables by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names the configuration file; not an option of the table. */
export const CONFIG_VARIABLE = 'HELO_MILTER_CONFIG';
const PREFIX = 'HELO_MILTER_';
/** What Kubernetes and Docker set for a service of our name. */
const OF_THE_CONTAINER = /^HELO_MILTER_(?:SERVICE_(?:HOST|PORT)|PORT)(?:_|$)/;
const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['0', false],
  ['no', false],
]);

/** The variables `HELO_MILTER_*`; an empty one counts as not set. Throws UsageError for unknown ones. */
export function fromEnvironment(environment: Environment): Settings {
  return soundly((faults) => readEnvironment(environment, faults));
}

/** As `fromEnvironment`, but collects the faults and returns the settings that have none. */
export function readEnvironment(environment: Environment, faults: Faults): Settings {
  const rows = new Map(ROWS.map(([key, row]) => [variableOf(key), { key, row }]));
  const settings = new Map<string, Setting>();
  for (const [name, raw] of Object.entries(environment)) {
    const text = raw?.trim() ?? '';
    if (!name.startsWith(PREFIX) || name === CONFIG_VARIABLE || text === '') continue;
    const found = rows.get(name);
    if (found === undefined) {
      if (OF_THE_CONTAINER.test(name)) continue;
      const meant = closest(name, [...rows.keys(), CONFIG_VARIABLE]);
      faults.add(new UsageError(`${name}: there is no such option${meant}`));
      continue;
    }
    const { key, row } = found;
    let texts = [text];
    if (row.value === undefined) {
      const on = SWITCH.get(text.toLowerCase());
      if (on === undefined) {
        faults.add(new UsageError(`${name}: "${text}" is neither true nor false`));
        continue;
      }
      texts = on ? [''] : [];
    } else if (row.repeatable) {
      texts = row.blanks === true ? linesOf(text) : text.split(/\s+/);
    }
    const values = texts.map((each) => ({ text: each, place: name }));
    settings.set(key, { source: 'environment', place: name, values });
  }
  return settings;
}

/** Trimmed lines, without empty ones unless all are. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.some((line) => line !== '') ? lines.filter((line) => line !== '') : [''];
}

/**
 * The same error, and those that it carries, with the place where the value was given instead of the flag.
 */
export function locate(error: unknown, settings: Settings): unknown {
  return error instanceof UsageError ? located(error, settings) : error;
}

function located(error: UsageError, settings: Settings): UsageError {
  const others = error.others.map((each) => located(each, settings));
  if (!(error instanceof OptionError)) return others.length === 0 ? error : error.beside(others);
  const { flag, problem, value } = error;
  const [key, setting] = [...settings].find(([each]) => flagOf(each) === flag) ?? [];
  if (key === undefined || setting === undefined) return new UsageError(error.message, others);
  const [only, ...more] = setting.values;
  const found = setting.values.find(({ text }) => text === value || text.startsWith(`${value}=`));
  const place = (found ?? (more.length === 0 ? only : undefined))?.place ?? setting.place;
  return setting.source === 'file'
    ? new FileError(`${place}: ${nameOf(key)}: ${problem}`, others)
    : new UsageError(`${place}: ${problem}`, others);
}

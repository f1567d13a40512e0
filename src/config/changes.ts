/** What a reload changes: which options have changed, and which of these must wait for a restart. */
import { isDeepStrictEqual } from 'node:util';
import { nameOf } from './option.ts';
import { type Config } from './config.ts';
import { ROWS } from './options.ts';

export interface Changes {
  /**
   * The new configuration, in which options that cannot change while the program runs have their old values.
   */
  readonly config: Config;
  /** Names of the options that have changed. */
  readonly changed: readonly string[];
  /** Names of those that will change at the next start. */
  readonly waiting: readonly string[];
}

export function changes(before: Config, after: Config): Changes {
  const changed = ROWS.filter(([key]) => !isDeepStrictEqual(before[key], after[key]));
  const namesOf = (restart: boolean): string[] =>
    changed.filter(([, row]) => (row.restart ?? false) === restart).map(([key]) => nameOf(key));
  const config = Object.fromEntries(
    ROWS.map(([key, { restart }]) => [key, (restart === true ? before : after)[key]]),
  ) as Config;
  return { config: Object.freeze(config), changed: namesOf(false), waiting: namesOf(true) };
}

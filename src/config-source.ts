/** Where the configuration comes from, to be read at the start and again whenever the operator says so. */
import { readFile } from 'node:fs/promises';
import { parseConfigFile } from './config-file.ts';
import { describeError } from './describe-error.ts';
import { type Config, readConfig } from './config.ts';
import {
  CONFIG_VARIABLE,
  type Environment,
  fromEnvironment,
  fromFlags,
  locate,
  merge,
  type Settings,
  textsOf,
} from './settings.ts';
import { UsageError } from './usage-error.ts';

export class ConfigSource {
  /** Null where none is named: then none is read. */
  readonly file: string | null;
  readonly #named: string;
  readonly #flags: Settings;
  readonly #environment: Environment;
  #settings: Settings = new Map();

  /** `file` is that of `--config`; without it the environment may name one. */
  constructor(
    flags: ReadonlyMap<string, readonly string[]>,
    file: string | null = null,
    environment: Environment = {},
  ) {
    this.#flags = fromFlags(flags);
    this.#environment = environment;
    const variable = environment[CONFIG_VARIABLE]?.trim() ?? '';
    this.file = file ?? (variable === '' ? null : variable);
    this.#named = file === null ? CONFIG_VARIABLE : '--config';
  }

  /** What was given, by the last reading. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Reads everything afresh: flag before environment before file. Rejects with UsageError, or FileError for the file. */
  async read(): Promise<Config> {
    const inFile =
      this.file === null ? new Map<string, never>() : parseConfigFile(await this.#text(this.file), this.file);
    this.#settings = merge(this.#flags, fromEnvironment(this.#environment), inFile);
    try {
      return readConfig(textsOf(this.#settings));
    } catch (error) {
      throw this.locate(error);
    }
  }

  /** An error in the value of an option, told with the place where the value was given. */
  locate(error: unknown): unknown {
    return locate(error, this.#settings);
  }

  async #text(file: string): Promise<string> {
    return readFile(file, 'utf8').catch((error: unknown) => {
      throw new UsageError(`${this.#named}: ${describeError(error)}`);
    });
  }
}

/** Where the configuration comes from. It is read at the start and whenever the operator asks for it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Config, readOptions } from './config.ts';
import {
  CONFIG_VARIABLE,
  type Environment,
  fromFlags,
  locate,
  merge,
  readEnvironment,
  type Settings,
  textsOf,
} from './given.ts';
import { describeError, Faults, UsageError } from '../errors.ts';

/**
 * The file that the service reads under the unit in `systemd/`; commands that ask about the service read it
 * if it exists.
 */
export const STANDARD_CONFIG = '/etc/helo-milter.toml';

/** Where settings are looked for beside the flags. */
export interface ConfigPlaces {
  /**
   * The file named by `--config`; false for `--no-config`, with which none is read; null if neither is given.
   */
  readonly file?: string | false | null;
  readonly environment?: Environment;
  /** Read if it exists and no other is named. */
  readonly standard?: string | null;
}

/** Flags, environment and file together; read again at each reload. */
export class ConfigSource {
  #file: string | null;
  readonly #standard: string | null;
  readonly #named: string;
  readonly #flags: Settings;
  readonly #environment: Environment;
  #settings: Settings = new Map();

  constructor(
    flags: ReadonlyMap<string, readonly string[]>,
    { file = null, environment = {}, standard = null }: ConfigPlaces = {},
  ) {
    this.#flags = fromFlags(flags);
    this.#environment = environment;
    const variable = environment[CONFIG_VARIABLE]?.trim() ?? '';
    const named = file ?? (variable === '' ? null : variable);
    this.#file = named === false ? null : named;
    this.#standard = named === null ? standard : null;
    this.#named = file === null ? CONFIG_VARIABLE : '--config';
  }

  /** Null if none is named and the last reading found none in the standard place. */
  get file(): string | null {
    return this.#file;
  }

  /** What was given, as of the last reading. */
  get settings(): Settings {
    return this.#settings;
  }

  /**
   * Reads everything afresh; flags win over the environment, the environment over the file. Rejects with
   * UsageError, or FileError for the file.
   */
  async read(): Promise<Config> {
    const faults = new Faults();
    const config = await this.examine(faults);
    faults.throwAny();
    return config;
  }

  /** As `read`, but collects the faults; what has a fault counts as not given. */
  async examine(faults: Faults): Promise<Config> {
    if (this.#standard !== null) this.#file = existsSync(this.#standard) ? this.#standard : null;
    const inFile = await this.#inFile(faults);
    this.#settings = merge(this.#flags, readEnvironment(this.#environment, faults), inFile);
    const ofOptions = new Faults((fault) => this.locate(fault) as UsageError);
    const config = readOptions(textsOf(this.#settings), ofOptions);
    for (const fault of ofOptions.all) faults.add(fault);
    return config;
  }

  /** Adds to an error in the value of an option the place where the value was given. */
  locate(error: unknown): unknown {
    return locate(error, this.#settings);
  }

  /** What the file says. What reads TOML is loaded only where there is a file. */
  async #inFile(faults: Faults): Promise<Settings> {
    const file = this.#file;
    const text = file === null ? null : await faults.attempt(() => this.#text(file));
    if (file === null || text === null) return new Map();
    const { readConfigFile } = await import('./file.ts');
    return readConfigFile(text, file, faults);
  }

  async #text(file: string): Promise<string> {
    return readFile(file, 'utf8').catch((error: unknown) => {
      const named = this.#standard === null ? this.#named : 'without --config or --no-config';
      throw new UsageError(`${named}: ${describeError(error)}`);
    });
  }
}

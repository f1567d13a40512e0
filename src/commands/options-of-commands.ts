/** Which options of the table a command takes, and how they are added to it. */
import { type Command, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { flagOf, type OptionRow } from '../config/option.ts';
import { type OptionKey, ROWS } from '../config/options.ts';
import { type ConfigSource, STANDARD_CONFIG } from '../config/source.ts';

/** The options of a command that asks DNS and nothing else. */
export const RESOLVING: ReadonlySet<string> = new Set(['dnsServer', 'dnsTimeout', 'dnsZone']);

/** The options that bear on a verdict. */
export const JUDGING: ReadonlySet<string> = new Set<keyof Config>([
  'policy',
  'rejectAt',
  'tempfailAt',
  'weight',
  'require',
  'streamWeight',
  'txtOptsOut',
  'tempfailLimit',
  'observe',
  'enforcePercent',
  'shadowPolicy',
  'churnLimit',
  'check',
  'ourName',
  'ourAddress',
  'trust',
  'access',
  'recipientPolicy',
  // Where names are looked up now.
  'dnsServer',
  'dnsZone',
  'dnsTimeout',
  'deadline',
  'nat64Prefix',
]);

/** Those that depend on what came before, as far as a log tells it. */
export const WITH_THE_PAST: ReadonlySet<string> = new Set<keyof Config>([
  'ramp',
  'streamLimit',
  'regulars',
  'regularsNetwork',
]);

/** What a report also says, and what it leaves out. */
export const IN_REPORTS: ReadonlySet<string> = new Set<keyof Config>(['contact', 'helpUrl', 'mask']);

/** What a command line gave, by the key of the option; the values in order. */
export type Texts = Map<OptionKey, string[]>;

/** The flags about the configuration file, as commander gives them. */
export interface ConfigFlags {
  /** Its path; false for `--no-config`. */
  readonly config?: string | false;
}

/** What a command was given, on its command line and elsewhere. */
export interface GivenOptions {
  readonly source: ConfigSource;
  /** Those that the command line itself gave. */
  readonly given: ReadonlySet<OptionKey>;
}

/** Gives a command its options of the table, and returns a reader of what was given. */
export type AddOptions = (command: Command) => (flags: ConfigFlags) => GivenOptions;

/** Adds those options of the table that `takes` chooses. */
export function addTableOptions(
  command: Command,
  takes: (key: string, row: OptionRow<unknown>) => boolean = () => true,
): Texts {
  const texts: Texts = new Map();
  for (const [key, row] of ROWS) {
    if (!takes(key, row)) continue;
    const notes = [
      ...(row.repeatable ? ['may be repeated'] : []),
      ...(row.default === null ? [] : [`default ${row.default}`]),
      ...(row.restart === true ? ['read at the start only'] : []),
    ];
    const option = new Option(
      row.value === undefined ? flagOf(key) : `${flagOf(key)} <${row.value}>`,
      notes.length === 0 ? row.help : `${row.help} (${notes.join(', ')})`,
    );
    option.helpGroup(`${row.group}:`);
    command.addOption(option);
    command.on(`option:${option.name()}`, (text: string | null) => {
      texts.set(key, [...(texts.get(key) ?? []), text ?? '']);
    });
  }
  return texts;
}

/** `without` says what is read if no file is named. */
export function addConfigOptions(command: Command, without: string): Command {
  return command
    .option(
      '--config <FILE>',
      `also read options from this TOML file; flags and the environment win over it (otherwise ${without})`,
    )
    .option('--no-config', 'read no configuration file at all');
}

/** Which file is read by a command that asks about the service. */
export const AS_THE_SERVICE = `${STANDARD_CONFIG} is read if it exists, as the service does under its unit`;

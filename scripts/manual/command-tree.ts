/**
 * What the manual and the completions need to know of the program: its commands and their options, read from
 * the command line's own definition.
 */
import type { Command, Option } from 'commander';
import { makeProgram } from '../../src/commands/command-line.ts';
import { findings } from '../../src/core/checks/index.ts';
import { flagOf, type OptionRow, variableOf } from '../../src/config/option.ts';
import { ROWS } from '../../src/config/options.ts';
import { fakeTerminal } from '../../test/support/terminal.ts';

export interface ManualOption {
  /** `--reject-at`. */
  readonly flag: string;
  /** `SCORE`; null for a switch. */
  readonly value: string | null;
  readonly help: string;
  /** The row of the option table; null for an option of the command line only. */
  readonly row: OptionRow<unknown> | null;
  /** `HELO_MILTER_REJECT_AT`. */
  readonly variable: string | null;
  /** The words that it may be, if they are listed. */
  readonly words: readonly string[];
  /** What may come before the `=` if the value is a pair: finding ids. */
  readonly ids: readonly string[];
}

export interface ManualCommand {
  /** Empty for the program itself, run without a command. */
  readonly name: string;
  /** As in `helo-milter check IP HELO`. */
  readonly synopsis: string;
  readonly description: string;
  readonly options: readonly ManualOption[];
}

const root = await makeProgram({ version: '0', terminal: fakeTerminal(), environment: {}, exitCode: 0 });

/** The program itself first. */
export function commandTree(): readonly ManualCommand[] {
  return [manualOf(root, ''), ...root.commands.map((each) => manualOf(each, each.name()))];
}

function manualOf(command: Command, name: string): ManualCommand {
  const args = command.registeredArguments.map((each) => {
    const word = each.name().replace(/\.+$/, '');
    return `${each.required ? word : `[${word}]`}${each.variadic ? '...' : ''}`;
  });
  const help = {
    flag: '--help',
    value: null,
    help: 'print this help',
    row: null,
    variable: null,
    words: [],
    ids: [],
  };
  return {
    name,
    synopsis: ['helo-milter', name, '[OPTION]...', ...args].filter((word) => word !== '').join(' '),
    description: command.description(),
    options: [...command.options.map(manualOption), help],
  };
}

function manualOption({ long, flags, description }: Option): ManualOption {
  const flag = long ?? '';
  const [key, row] = ROWS.find(([each]) => flagOf(each) === flag) ?? [];
  return {
    flag,
    value: /<([^>]+)>/.exec(flags)?.[1] ?? null,
    help: row?.help ?? description,
    row: row ?? null,
    variable: key === undefined ? (flag === '--config' ? 'HELO_MILTER_CONFIG' : null) : variableOf(key),
    words: row === undefined ? [] : wordsOf(row),
    ids: row?.table === true ? [...findings.keys()] : [],
  };
}

/** The option's parser lists them in its error for any other word. */
function wordsOf(row: OptionRow<unknown>): readonly string[] {
  if (row.value === undefined) return [];
  try {
    row.read(['\0']);
    return [];
  } catch (error) {
    const [, words] = /is not one of (.*)$/.exec(error instanceof Error ? error.message : '') ?? [];
    return words?.split(', ') ?? [];
  }
}

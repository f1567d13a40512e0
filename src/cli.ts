#!/usr/bin/env node
/** The command line: commander's part is to collect texts; the option table says what they mean. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { check } from './commands/check.ts';
import { listFindings } from './commands/list-findings.ts';
import { serve } from './commands/serve.ts';
import { findings } from './core/checks/index.ts';
import { type Config, flagOf, OPTIONS, type OptionRow, readConfig } from './options.ts';
import { UsageError } from './usage-error.ts';

/** `EX_USAGE` of sysexits.h. */
const EX_USAGE = 64;
/** `EX_SOFTWARE`. */
const EX_SOFTWARE = 70;

type Texts = Map<string, string[]>;

function addOptions(command: Command, rows: readonly [string, OptionRow<unknown>][]): Texts {
  const texts: Texts = new Map();
  for (const [key, row] of rows) {
    const notes = [
      ...(row.repeatable ? ['may be repeated'] : []),
      ...(row.default === null ? [] : [`default ${row.default}`]),
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

function program(version: string): Command {
  const all = Object.entries(OPTIONS) as [string, OptionRow<unknown>][];
  const root = new Command('helo-milter')
    .description(
      'A milter for Postfix and Sendmail that asks whether a client has any right to the name it gives in HELO.\n' +
        'Without a command it serves. Try "--observe" first: it refuses nothing and logs what it would have done.',
    )
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .option('--list-findings', 'print every finding with its weight in each preset')
    .enablePositionalOptions()
    .allowExcessArguments(true)
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  const served = addOptions(root, all);
  root.action(async ({ listFindings: list }: { readonly listFindings?: boolean }) => {
    const [stray] = root.args;
    if (stray !== undefined) throw new UsageError(`there is no command "${stray}"; see --help`);
    if (list === true) {
      process.stdout.write(listFindings(findings));
      return;
    }
    await serve(readConfig(served), version);
  });
  const checking = new Command('check')
    .description(
      'explain one pair of client address and HELO name: what DNS says and what each preset would do',
    )
    .allowExcessArguments(false)
    .argument('<IP>', 'address of the client')
    .argument('<HELO>', 'what it says in HELO or EHLO')
    .option('--json', 'print one JSON object')
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root);
  const checked = addOptions(
    checking,
    all.filter(([, row]) => row.check === true),
  );
  checking.action(async (ip: string, helo: string, { json }: { readonly json?: boolean }) => {
    const config: Config = readConfig(checked);
    process.stdout.write(await check(ip, helo, config, json === true));
  });
  root.addCommand(checking);
  return root;
}

/** Runs the command line and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  try {
    await program(version).parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      return usage(error.message.replace(/^error: /, ''));
    }
    if (error instanceof UsageError) return usage(error.message);
    process.stderr.write(
      `helo-milter: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EX_SOFTWARE;
  }
}

function usage(message: string): number {
  process.stderr.write(`helo-milter: ${message}\n`);
  return EX_USAGE;
}

process.exitCode = await main(process.argv);

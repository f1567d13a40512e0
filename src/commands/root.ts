/** The program without a command: it serves, or says something about what it would serve. */
import { Command } from 'commander';
import { closest } from '../config/closest.ts';
import type { Environment } from '../config/given.ts';
import type { ConfigSource } from '../config/source.ts';
import { UsageError } from '../errors.ts';
import { EX_CONFIG, EX_FAILED } from './exit-codes.ts';
import { located } from './located.ts';
import { addConfigOptions, type ConfigFlags } from './options-of-commands.ts';
import { makePaint } from './paint.ts';
import type { Terminal } from './terminal.ts';

/** One run of the program. */
export interface Run {
  readonly version: string;
  readonly terminal: Terminal;
  readonly environment: Environment;
  exitCode: number;
}

/** The flags of the program without a command that are not rows of the option table. */
export interface RootFlags extends ConfigFlags {
  readonly listFindings?: boolean;
  readonly checkConfig?: boolean;
  readonly cases?: string;
  readonly printConfig?: boolean;
}

/** The program without a command, and its description. */
export function makeRoot({ version, terminal }: Run): Command {
  return addConfigOptions(new Command('helo-milter'), 'no file is read')
    .description(
      'A milter for Postfix and Sendmail that asks whether a client has any right to the name it gives in HELO.\n' +
        'Without a command it runs the milter. Try "--observe" first: it refuses nothing and logs what it would have done.',
    )
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .option(
      '--check-config',
      'read everything a start would read, say what is wrong or may be a surprise, and exit',
    )
    .option('--cases <FILE>', 'with --check-config: run these policy tests too, as the test command does')
    .option('--print-config', 'print every option with its value and where it came from, and exit')
    .option('--list-findings', 'print every finding with its weight in each preset')
    .enablePositionalOptions()
    .allowExcessArguments(true)
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => {
        terminal.write(text);
      },
      outputError: () => undefined,
    })
    .exitOverride();
}

/** Throws UsageError for an argument: only commands, which are not handled here, have any. */
export function refuseStray(root: Command, commands: readonly string[]): void {
  const [stray] = root.args;
  if (stray !== undefined) {
    const meant = closest(stray, commands);
    throw new UsageError(`there is no command "${stray}"${meant === '' ? '; see --help' : meant}`);
  }
}

/**
 * Without a command it serves, or says something about what it would serve. What is not wanted is not loaded.
 */
export async function runRoot(run: Run, source: ConfigSource, flags: RootFlags): Promise<void> {
  const { version, terminal } = run;
  const { cases } = flags;
  if (cases !== undefined && flags.checkConfig !== true)
    throw new UsageError('--cases: it goes with --check-config; to run cases alone, see helo-milter test');
  if (flags.checkConfig === true) {
    run.exitCode = EX_CONFIG;
    const { checkConfig } = await import('./check-config.ts');
    terminal.write(await checkConfig(source, terminal.host));
    run.exitCode = cases === undefined || (await passes(cases, source, terminal)) ? 0 : EX_FAILED;
  } else if (flags.printConfig === true) {
    await source.read();
    const { printConfig } = await import('./print-config.ts');
    terminal.write(printConfig(source.settings, source.file));
  } else if (flags.listFindings === true) {
    const config = await source.read();
    const { listFindings } = await import('./list-findings.ts');
    const { registryOf } = await import('../service/registry.ts');
    terminal.write(listFindings((await located(source, registryOf(config))).findings));
  } else {
    const { serve } = await import('./serve.ts');
    await located(source, serve(source, version, terminal));
  }
}

/** Whether the policy tests of a file come out as expected. */
async function passes(file: string, source: ConfigSource, terminal: Terminal): Promise<boolean> {
  const { runCases } = await import('./policy-tests.ts');
  const { resultsText } = await import('./policy-tests-text.ts');
  const results = await runCases([file], await source.read());
  terminal.write(resultsText(results, makePaint(terminal.screen?.colour === true)));
  return results.every(({ differs }) => differs.length === 0);
}

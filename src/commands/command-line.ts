/** The command line. Commander only collects the texts; the option table says what they mean. */
import { type Command, CommanderError } from 'commander';
import { closest } from '../config/closest.ts';
import type { Environment } from '../config/given.ts';
import { ConfigSource } from '../config/source.ts';
import { FileError, UsageError } from '../errors.ts';
import { addCheck } from './check.ts';
import { addDoctor } from './doctor.ts';
import { EX_CONFIG, EX_FAILED, EX_SOFTWARE, EX_USAGE } from './exit-codes.ts';
import { addFindings } from './findings.ts';
import {
  addConfigOptions,
  type AddOptions,
  addTableOptions,
  AS_THE_SERVICE,
  type ConfigFlags,
  IN_REPORTS,
  JUDGING,
  RESOLVING,
  type Texts,
  WITH_THE_PAST,
} from './options-of-commands.ts';
import { addPolicyTests } from './policy-tests.ts';
import { addPublish } from './publish.ts';
import { addRegulars } from './regulars.ts';
import { addReplay } from './replay.ts';
import { addReport } from './report.ts';
import { makeRoot, refuseStray, type RootFlags, type Run, runRoot } from './root.ts';
import type { Terminal } from './terminal.ts';

/** The commands with their options. The manual page and the completions are made from this too. */
export function makeProgram(run: Run): Command {
  const { terminal, environment } = run;
  const root = makeRoot(run);
  const served = addTableOptions(root);
  /** Options before the name of the command count too. */
  const sourceOf = (texts: Texts, { config }: ConfigFlags, standard: string | null): ConfigSource =>
    new ConfigSource(new Map([...served, ...texts]), {
      file: config ?? root.opts<ConfigFlags>().config ?? null,
      environment,
      standard,
    });
  root.action(async (flags: RootFlags) => {
    refuseStray(root);
    await runRoot(run, sourceOf(served, flags, null), flags);
  });
  const options =
    (takes: Parameters<typeof addTableOptions>[1]): AddOptions =>
    (command) => {
      const texts = addTableOptions(addConfigOptions(command, AS_THE_SERVICE), takes);
      return (flags) => ({
        source: sourceOf(texts, flags, terminal.standardConfig ?? null),
        given: new Set([...served.keys(), ...texts.keys()]),
      });
    };
  const failed = (): void => {
    run.exitCode = EX_FAILED;
  };
  addCheck(
    root,
    terminal,
    options((_, row) => row.check === true),
  );
  addPublish(
    root,
    terminal,
    options((key) => RESOLVING.has(key)),
    failed,
  );
  const past = (key: string): boolean => JUDGING.has(key) || WITH_THE_PAST.has(key);
  addReplay(root, terminal, options(past));
  addReport(
    root,
    terminal,
    options((key) => past(key) || IN_REPORTS.has(key)),
  );
  addDoctor(
    root,
    terminal,
    options(() => true),
    failed,
  );
  addRegulars(
    root,
    terminal,
    options((key) => key === 'regulars' || key === 'regularsFile'),
  );
  addFindings(
    root,
    terminal,
    options((key) => key === 'check' || key === 'contact'),
  );
  addPolicyTests(
    root,
    terminal,
    options((key) => JUDGING.has(key)),
    failed,
  );
  return root;
}

/** Runs one command line (without the program's own name) and resolves to the exit code. */
export async function runCommandLine(
  args: readonly string[],
  version: string,
  terminal: Terminal,
  environment: Environment = {},
): Promise<number> {
  const run: Run = { version, terminal, environment, exitCode: 0 };
  const root = makeProgram(run);
  const complain = (message: string): void => {
    terminal.writeError(`helo-milter: ${message}\n`);
  };
  try {
    await root.parseAsync(args, { from: 'user' });
    return run.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      complain(`${error.message.replace(/^error: /, '')}${meantFlag(error, root)}`);
      return EX_USAGE;
    }
    if (error instanceof UsageError) {
      for (const each of [error, ...error.others]) complain(each.message);
      return error instanceof FileError || run.exitCode === EX_CONFIG ? EX_CONFIG : EX_USAGE;
    }
    complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EX_SOFTWARE;
  }
}

/** The flag that an unknown one was probably meant to be. */
function meantFlag({ code, message }: CommanderError, root: Command): string {
  const [, given] = /'(--[^'=]+)/.exec(message) ?? [];
  if (code !== 'commander.unknownOption' || given === undefined) return '';
  const known = [root, ...root.commands].flatMap((each) => each.options.map(({ long }) => long ?? ''));
  // A flag of another command is spelled rightly already.
  return known.includes(given) ? '' : closest(given, [...new Set(known)]);
}

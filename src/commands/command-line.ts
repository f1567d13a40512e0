/** The command line. Commander only collects the texts; the option table says what they mean. */
import { type Command, CommanderError } from 'commander';
import { closest } from '../config/closest.ts';
import type { Environment } from '../config/given.ts';
import { ConfigSource } from '../config/source.ts';
import { FileError, UsageError } from '../errors.ts';
import { EX_CONFIG, EX_FAILED, EX_SOFTWARE, EX_USAGE } from './exit-codes.ts';
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
import { makeRoot, refuseStray, type RootFlags, type Run, runRoot } from './root.ts';
import type { Terminal } from './terminal.ts';

/** Adds a command; `failed` is called where it found something to fail for. */
type AddCommand = (root: Command, terminal: Terminal, addOptions: AddOptions, failed: () => void) => void;

/** A command, whose file and all that it needs is loaded only when somebody names it. */
interface Named {
  readonly load: () => Promise<AddCommand>;
  /** The rows of the option table that it takes. */
  readonly takes: Parameters<typeof addTableOptions>[1];
}

const isOfThePast = (key: string): boolean => JUDGING.has(key) || WITH_THE_PAST.has(key);

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, Named>> = {
  check: {
    load: async () => (await import('./check.ts')).addCheck,
    takes: (_, row) => row.check === true,
  },
  publish: {
    load: async () => (await import('./publish.ts')).addPublish,
    takes: (key) => RESOLVING.has(key),
  },
  replay: { load: async () => (await import('./replay.ts')).addReplay, takes: isOfThePast },
  report: {
    load: async () => (await import('./report.ts')).addReport,
    takes: (key) => isOfThePast(key) || IN_REPORTS.has(key),
  },
  doctor: { load: async () => (await import('./doctor.ts')).addDoctor, takes: () => true },
  regulars: {
    load: async () => (await import('./regulars.ts')).addRegulars,
    takes: (key) => key === 'regulars' || key === 'regularsFile',
  },
  findings: {
    load: async () => (await import('./findings.ts')).addFindings,
    takes: (key) => key === 'check' || key === 'contact',
  },
  test: {
    load: async () => (await import('./policy-tests.ts')).addPolicyTests,
    takes: (key) => JUDGING.has(key),
  },
};

/** Words of a command line after which the help of any command may be wanted. */
const HELP = ['--help', 'help'];

/**
 * The program with those of its commands that these words may mean. Without words it has all of them: the
 * manual page and the completions are made from it too.
 */
export async function makeProgram(run: Run, words: readonly string[] = HELP): Promise<Command> {
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
    refuseStray(root, Object.keys(COMMANDS));
    await runRoot(run, sourceOf(served, flags, null), flags);
  });
  const failed = (): void => {
    run.exitCode = EX_FAILED;
  };
  const isWanted = (name: string): boolean => [name, ...HELP].some((word) => words.includes(word));
  for (const [name, { load, takes }] of Object.entries(COMMANDS)) {
    if (!isWanted(name)) continue;
    const add = await load();
    const addOptions: AddOptions = (command) => {
      const texts = addTableOptions(addConfigOptions(command, AS_THE_SERVICE), takes);
      return (flags) => ({
        source: sourceOf(texts, flags, terminal.standardConfig ?? null),
        given: new Set([...served.keys(), ...texts.keys()]),
      });
    };
    add(root, terminal, addOptions, failed);
  }
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
  const root = await makeProgram(run, args);
  const complain = (message: string): void => {
    terminal.writeError(`helo-milter: ${message}\n`);
  };
  try {
    await root.parseAsync(args, { from: 'user' });
    return run.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      complain(`${error.message.replace(/^error: /, '')}${meantFlag(error, await makeProgram(run))}`);
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

/** The command line. Commander only collects the texts; the option table says what they mean. */
import { Command, CommanderError, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { checkConfig } from './check-config.ts';
import { check, checkPast } from './check.ts';
import { addDoctor } from './doctor.ts';
import { addFindings } from './findings.ts';
import { located } from './located.ts';
import { addPolicyTests, runCases } from './policy-tests.ts';
import { resultsText } from './policy-tests-text.ts';
import { makePaint } from './paint.ts';
import { listFindings } from './list-findings.ts';
import { printConfig } from './print-config.ts';
import { publish } from './publish.ts';
import { addRegulars } from './regulars.ts';
import { addReplay } from './replay.ts';
import { addReport } from './report.ts';
import { serve } from './serve.ts';
import type { Terminal } from './terminal.ts';
import { closest } from '../config/closest.ts';
import { ConfigSource, STANDARD_CONFIG } from '../config/source.ts';
import { EX_CONFIG, EX_FAILED, EX_SOFTWARE, EX_USAGE } from './exit-codes.ts';
import { registryOf } from '../service/registry.ts';
import { flagOf, type OptionRow } from '../config/option.ts';
import { ROWS } from '../config/options.ts';
import type { Environment } from '../config/given.ts';
import { FileError, UsageError } from '../errors.ts';

/** The options of a command that asks DNS and nothing else. */
const RESOLVING: ReadonlySet<string> = new Set(['dnsServer', 'dnsTimeout', 'dnsZone']);

/** The options that bear on a verdict. */
const JUDGING: ReadonlySet<string> = new Set<keyof Config>([
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
const WITH_THE_PAST: ReadonlySet<string> = new Set<keyof Config>([
  'ramp',
  'streamLimit',
  'regulars',
  'regularsNetwork',
]);

type Texts = Map<string, string[]>;

/** What the letters of a report also say. */
const IN_LETTERS: ReadonlySet<string> = new Set<keyof Config>(['contact', 'helpUrl']);

function addOptions(command: Command, rows: readonly (readonly [string, OptionRow<unknown>])[]): Texts {
  const texts: Texts = new Map();
  for (const [key, row] of rows) {
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

interface RootFlags {
  readonly listFindings?: boolean;
  readonly checkConfig?: boolean;
  readonly cases?: string;
  readonly printConfig?: boolean;
  readonly config?: string | false;
}

/** `without` says what is read if no file is named. */
function addConfigOptions(command: Command, without: string): Command {
  return command
    .option(
      '--config <FILE>',
      `also read options from this TOML file; flags and the environment win over it (otherwise ${without})`,
    )
    .option('--no-config', 'read no configuration file at all');
}

const AS_THE_SERVICE = `${STANDARD_CONFIG} is read if it exists, as the service does under its unit`;

/** One run of the program. */
interface Run {
  readonly version: string;
  readonly terminal: Terminal;
  readonly environment: Environment;
  exitCode: number;
}

/**
 * Where the options of a command come from: its own texts, and the configuration file that its flags name.
 */
type SourceOf = (texts: Texts, flags: RootFlags) => ConfigSource;

/** The commands with their options. The manual page and the completions are made from this too. */
export function makeProgram(run: Run): Command {
  const { terminal, environment } = run;
  const root = makeRoot(run);
  const served = addOptions(root, ROWS);
  /** Options before the name of the command count too. */
  const sourceOf = (texts: Texts, { config }: RootFlags, standard: string | null): ConfigSource =>
    new ConfigSource(new Map([...served, ...texts]), {
      file: config ?? root.opts<RootFlags>().config ?? null,
      environment,
      standard,
    });
  root.action(async (flags: RootFlags) => {
    refuseStray(root);
    await runRoot(run, sourceOf(served, flags, null), flags);
  });
  const asTheService: SourceOf = (texts, flags) => sourceOf(texts, flags, terminal.standardConfig ?? null);
  root.addCommand(checkCommand(root, run, asTheService));
  root.addCommand(publishCommand(root, run, asTheService));
  const judging = (more: ReadonlySet<string>) => (command: Command) => {
    const texts = addOptions(
      addConfigOptions(command, AS_THE_SERVICE),
      ROWS.filter(([key]) => JUDGING.has(key) || more.has(key)),
    );
    return async (flags: RootFlags) => {
      const config = await asTheService(texts, flags).read();
      return { config, isGiven: (key: keyof Config) => texts.has(key) };
    };
  };
  addReplay(root, terminal, judging(WITH_THE_PAST));
  addReport(root, terminal, judging(new Set([...IN_LETTERS, ...WITH_THE_PAST])));
  const failed = (): void => {
    run.exitCode = EX_FAILED;
  };
  addDoctor(
    root,
    terminal,
    (command) => {
      const texts = addOptions(addConfigOptions(command, AS_THE_SERVICE), ROWS);
      return async (flags) => {
        const source = asTheService(texts, flags);
        return { config: await source.read(), file: source.file };
      };
    },
    failed,
  );
  addRegulars(root, terminal, (command) => {
    const texts = addOptions(
      addConfigOptions(command, AS_THE_SERVICE),
      ROWS.filter(([key]) => key === 'regulars' || key === 'regularsFile'),
    );
    return (flags) => asTheService(texts, flags).read();
  });
  addFindings(root, terminal, (command) => {
    const texts = addOptions(
      addConfigOptions(command, AS_THE_SERVICE),
      ROWS.filter(([key]) => key === 'check' || key === 'contact'),
    );
    return (flags) => asTheService(texts, flags);
  });
  addPolicyTests(
    root,
    terminal,
    (command) => {
      const texts = addOptions(
        addConfigOptions(command, AS_THE_SERVICE),
        ROWS.filter(([key]) => JUDGING.has(key) || key === 'nat64Prefix'),
      );
      return (flags) => asTheService(texts, flags);
    },
    failed,
  );
  return root;
}

/** The program without a command, and its description. */
function makeRoot({ version, terminal }: Run): Command {
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

/** What is no option would have to be a command. */
function refuseStray(root: Command): void {
  const [stray] = root.args;
  if (stray !== undefined) {
    const meant = closest(
      stray,
      root.commands.map((each) => each.name()),
    );
    throw new UsageError(`there is no command "${stray}"${meant === '' ? '; see --help' : meant}`);
  }
}

/** Without a command it serves, or says something about what it would serve. */
async function runRoot(run: Run, source: ConfigSource, flags: RootFlags): Promise<void> {
  const { version, terminal } = run;
  const { cases } = flags;
  if (cases !== undefined && flags.checkConfig !== true)
    throw new UsageError('--cases: it goes with --check-config; to run cases alone, see helo-milter test');
  if (flags.checkConfig === true) {
    run.exitCode = EX_CONFIG;
    terminal.write(await checkConfig(source, terminal.host));
    const results = cases === undefined ? [] : await runCases([cases], await source.read());
    if (cases !== undefined)
      terminal.write(resultsText(results, makePaint(terminal.screen?.colour === true)));
    run.exitCode = results.some(({ differs }) => differs.length > 0) ? EX_FAILED : 0;
  } else if (flags.printConfig === true) {
    await source.read();
    terminal.write(printConfig(source.settings, source.file));
  } else if (flags.listFindings === true) {
    const config = await source.read();
    terminal.write(listFindings((await located(source, registryOf(config))).findings));
  } else {
    await located(source, serve(source, version, terminal));
  }
}

interface CheckFlags extends RootFlags {
  readonly json?: boolean;
  readonly recipient?: string;
  readonly ref?: string;
}

function checkCommand(root: Command, { terminal }: Run, sourceOf: SourceOf): Command {
  const checking = addConfigOptions(new Command('check'), AS_THE_SERVICE)
    .description(
      'explain one pair of client address and HELO name: what DNS says, what each preset would do, and what your own options do',
    )
    .argument('<IP>', 'address of the client; with --ref, a file')
    .argument('[HELO]', 'what it says in HELO or EHLO; with --ref, another file')
    .argument('[FILE...]', 'more files, with --ref alone')
    .option('--json', 'print one JSON object')
    .option('--recipient <ADDRESS>', 'whom the mail is for: a recipient may have a policy of its own')
    .option(
      '--ref <REF>',
      'explain the decision with this reference in place of a pair: what was seen and decided, and the answer of now; the arguments are files of --decision-log, plain or .gz',
    )
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root);
  const checked = addOptions(
    checking,
    ROWS.filter(([, row]) => row.check === true),
  );
  checking.action(async (ip: string, helo: string | undefined, more: string[], flags: CheckFlags) => {
    const source = sourceOf(checked, flags);
    const manner = { json: flags.json === true, colour: terminal.screen?.colour ?? false };
    const { ref, recipient = null } = flags;
    if (ref !== undefined) {
      if (recipient !== null) throw new UsageError('--recipient does not go with --ref, which has its own');
      const files = [ip, ...(helo === undefined ? [] : [helo]), ...more];
      const config = await source.read();
      terminal.write(await located(source, checkPast({ reference: ref, files, config }, manner)));
      return;
    }
    if (helo === undefined) throw new UsageError("missing required argument 'HELO'");
    if (more.length > 0) throw new UsageError(`too many arguments: "${more[0] ?? ''}"`);
    const config = await source.read();
    terminal.write(await located(source, check({ ip, helo, recipient, config }, manner)));
  });
  return checking;
}

function publishCommand(root: Command, run: Run, sourceOf: SourceOf): Command {
  const publishing = addConfigOptions(new Command('publish'), AS_THE_SERVICE)
    .description('print the DNS records that a sender should have for its HELO name')
    .argument('<NAME>', 'name that the host gives in HELO')
    .argument('<IP...>', 'addresses that it sends from')
    .option(
      '--verify',
      'compare with what DNS has; exit with 1 if a check would hold something against the host',
    )
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root);
  const published = addOptions(
    publishing,
    ROWS.filter(([key]) => RESOLVING.has(key)),
  );
  publishing.action(
    async (
      name: string,
      ips: string[],
      flags: { readonly verify?: boolean; readonly config?: string | false },
    ) => {
      const source = sourceOf(published, flags);
      const config = flags.verify === true ? await source.read() : null;
      const { text, held } = await located(source, publish(name, ips, config));
      run.terminal.write(text);
      if (held) run.exitCode = EX_FAILED;
    },
  );
  return publishing;
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

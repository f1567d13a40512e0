/** The command line: commander's part is to collect texts; the option table says what they mean. */
import { Command, CommanderError, Option } from 'commander';
import { check } from './commands/check.ts';
import { listFindings } from './commands/list-findings.ts';
import { publish } from './commands/publish.ts';
import { serve } from './commands/serve.ts';
import type { Terminal } from './commands/terminal.ts';
import { type Config, flagOf, OPTIONS, type OptionRow, readConfig } from './options.ts';
import { registryOf, resolverOf } from './from-config.ts';
import { UsageError } from './usage-error.ts';

/** `EX_USAGE` of sysexits.h. */
const EX_USAGE = 64;
/** `EX_SOFTWARE`. */
const EX_SOFTWARE = 70;

/** Something that was looked for is not as it should be. */
const EX_FAILED = 1;
/** The options of a command that asks DNS and nothing else. */
const RESOLVING: ReadonlySet<string> = new Set(['dnsServer', 'dnsTimeout', 'dnsZone']);

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

function program(version: string, terminal: Terminal, setExitCode: (code: number) => void): Command {
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
    .configureOutput({
      writeOut: (text) => {
        terminal.write(text);
      },
      outputError: () => undefined,
    })
    .exitOverride();
  const served = addOptions(root, all);
  root.action(async ({ listFindings: list }: { readonly listFindings?: boolean }) => {
    const [stray] = root.args;
    if (stray !== undefined) throw new UsageError(`there is no command "${stray}"; see --help`);
    if (list === true) {
      terminal.write(listFindings((await registryOf(readConfig(served))).findings));
      return;
    }
    await serve(readConfig(served), version, terminal);
  });
  const checking = new Command('check')
    .description(
      'explain one pair of client address and HELO name: what DNS says and what each preset would do',
    )
    .argument('<IP>', 'address of the client')
    .argument('<HELO>', 'what it says in HELO or EHLO')
    .option('--json', 'print one JSON object')
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root)
    .allowExcessArguments(false);
  const checked = addOptions(
    checking,
    all.filter(([, row]) => row.check === true),
  );
  checking.action(async (ip: string, helo: string, { json }: { readonly json?: boolean }) => {
    const config: Config = readConfig(checked);
    terminal.write(await check(ip, helo, config, json === true));
  });
  root.addCommand(checking);
  const publishing = new Command('publish')
    .description('print the DNS records that a sender should have for its HELO name')
    .argument('<NAME>', 'name that the host gives in HELO')
    .argument('<IP...>', 'addresses that it sends from')
    .option('--verify', 'compare with what DNS has; exit code 1 if something is missing')
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root);
  const published = addOptions(
    publishing,
    all.filter(([key]) => RESOLVING.has(key)),
  );
  publishing.action(async (name: string, ips: string[], { verify }: { readonly verify?: boolean }) => {
    const resolver = verify === true ? await resolverOf(readConfig(published)) : null;
    const { text, complete } = await publish(name, ips, resolver);
    terminal.write(text);
    if (!complete) setExitCode(EX_FAILED);
  });
  root.addCommand(publishing);
  return root;
}

/** Runs one command line (without the program's own name) and resolves to the exit code. */
export async function runCommandLine(
  args: readonly string[],
  version: string,
  terminal: Terminal,
): Promise<number> {
  const usage = (message: string): number => {
    terminal.writeError(`helo-milter: ${message}\n`);
    return EX_USAGE;
  };
  try {
    let exitCode = 0;
    const root = program(version, terminal, (code) => (exitCode = code));
    await root.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : usage(error.message.replace(/^error: /, ''));
    }
    if (error instanceof UsageError) return usage(error.message);
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.writeError(`helo-milter: ${detail}\n`);
    return EX_SOFTWARE;
  }
}

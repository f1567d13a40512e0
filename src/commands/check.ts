/** `helo-milter check`: explains one pair, or a decision of the past, for a person or as JSON. */
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { UsageError } from '../errors.ts';
import { resolverOf } from '../service/resolver.ts';
import { asJson } from './as-json.ts';
import { checkReport, type Manner } from './check-report.ts';
import { explain } from './explanation.ts';
import { explanationText } from './explanation-text.ts';
import { located } from './located.ts';
import type { AddOptions, ConfigFlags } from './options-of-commands.ts';
import { makePaint } from './paint.ts';
import type { Terminal } from './terminal.ts';

interface Flags extends ConfigFlags {
  readonly json?: boolean;
  readonly recipient?: string;
  readonly ref?: string;
}

/** `addOptions` gives the command the options that bear on one pair. */
export function addCheck(root: Command, terminal: Terminal, addOptions: AddOptions): void {
  const command = root.createCommand('check');
  const read = addOptions(command);
  command
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
  command.action(async (ip: string, helo: string | undefined, more: string[], flags: Flags) => {
    const { source } = read(flags);
    const manner = { json: flags.json === true, colour: terminal.screen?.colour ?? false };
    const { ref, recipient = null } = flags;
    if (ref !== undefined) {
      if (recipient !== null) throw new UsageError('--recipient does not go with --ref, which has its own');
      const files = [ip, ...(helo === undefined ? [] : [helo]), ...more];
      const config = await source.read();
      // Who asks about now need not wait for the reader of logs.
      const { checkPast } = await import('./check-past.ts');
      terminal.write(await located(source, checkPast({ reference: ref, files, config }, manner)));
      return;
    }
    if (helo === undefined) throw new UsageError("missing required argument 'HELO'");
    if (more.length > 0) throw new UsageError(`too many arguments: "${more[0] ?? ''}"`);
    const config = await source.read();
    terminal.write(await located(source, checkPair({ ip, helo, recipient, config }, manner)));
  });
  root.addCommand(command);
}

interface Asked {
  readonly ip: string;
  readonly helo: string;
  /** Whose policy counts, and who is named as the one to ask; null for nobody in particular. */
  readonly recipient: string | null;
  readonly config: Config;
}

/** Asks the resolver that the flags name. Throws UsageError if `ip` is not an address. */
export async function checkPair({ ip, helo, recipient, config }: Asked, manner: Manner): Promise<string> {
  const explanation = await explain(ip, helo, config, await resolverOf(config), recipient);
  return manner.json
    ? asJson(checkReport(explanation))
    : explanationText(explanation, makePaint(manner.colour));
}

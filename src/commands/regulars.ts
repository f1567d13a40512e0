/** `helo-milter regulars`: who is known by their mail, as a list or as lines of the access list. */
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { isQueryName } from '../core/domain.ts';
import { parseHelo } from '../core/helo.ts';
import { UsageError } from '../errors.ts';
import { formatValue } from '../log/value.ts';
import { count, DAY_MS, dayText } from '../report/figures.ts';
import { type Acquaintance, isRegular, KNOWN_DAYS } from '../state/regulars.ts';
import { asJson } from './as-json.ts';
import { readRegulars } from './known-regulars.ts';
import type { AddOptions, ConfigFlags } from './options-of-commands.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface Flags extends ConfigFlags {
  readonly export?: boolean;
  readonly json?: boolean;
}

/** `addOptions` gives the command the options about regulars, and returns a reader of the given ones. */
export function addRegulars(root: Command, terminal: Terminal, addOptions: AddOptions): void {
  const command = root
    .createCommand('regulars')
    .description('list the senders of --regulars-file that are known by their mail')
    .option(
      '--export',
      'print those that are regular as lines of an access list, until the day they would be forgotten',
    )
    .option('--json', 'print one JSON object')
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root)
    .allowExcessArguments(false);
  const read = addOptions(command);
  command.action(async (flags: Flags) => {
    const config = await read(flags).source.read();
    const known = await knownOf(config);
    const today = Math.floor(Date.now() / DAY_MS);
    terminal.write(told(known, config, today, flags));
  });
  root.addCommand(command);
}

/** Those in the file, best known first. Rejects with UsageError. */
async function knownOf({ regularsFile: file }: Config): Promise<readonly Acquaintance[]> {
  if (file === null) throw new UsageError('regulars: there is no --regulars-file to read');
  return (await readRegulars(file)).toSorted(
    (a, b) => b.days - a.days || b.messages - a.messages || (a.helo < b.helo ? -1 : 1),
  );
}

function told(
  known: readonly Acquaintance[],
  { regulars: limit }: Pick<Config, 'regulars'>,
  today: number,
  flags: Flags,
): string {
  const is = (each: Acquaintance): boolean => limit !== null && isRegular(each, limit, today);
  if (flags.export === true) {
    if (limit === null)
      throw new UsageError('regulars --export: --regulars says how many messages on how many days');
    return accessLines(known.filter(is));
  }
  if (flags.json === true) {
    const regulars = known.map((each) => ({
      client: each.client,
      helo: each.helo,
      messages: each.messages,
      days: each.days,
      first: dateOf(each.firstDay),
      last: dateOf(each.lastDay),
      regular: is(each),
    }));
    return asJson({ version: 1, regulars });
  }
  const regular = known.filter(is).length;
  const rows = table([
    ['client', 'helo', 'messages', 'days', 'first', 'last', 'regular'],
    ...known.map((each) => [
      each.client,
      formatValue(each.helo),
      String(each.messages),
      String(each.days),
      dateOf(each.firstDay),
      dateOf(each.lastDay),
      is(each) ? 'yes' : 'no',
    ]),
  ]);
  const pairs = count(known.length, 'pair');
  const total =
    limit === null
      ? `${pairs}; without --regulars nobody is regular`
      : `${pairs}; regular by ${count(limit.messages, 'message')} on ${count(limit.days, 'day')}: ${regular}`;
  return `${rows}\n${total}\n`;
}

/**
 * Lines for those whose name is one. A stranger chose the name: what a list would take for a pattern or a
 * suffix is left out.
 */
export function accessLines(regulars: readonly Acquaintance[]): string {
  const lines = regulars.flatMap(({ helo, client, lastDay }) => {
    const parsed = parseHelo(helo);
    const isLiteral = parsed.kind === 'literal' && parsed.trailing === '';
    if (!isLiteral && !isQueryName(helo)) return [];
    return [`allow ${helo}  ip=${client}  until=${dateOf(lastDay + KNOWN_DAYS)}\n`];
  });
  const left = regulars.length - lines.length;
  return [
    '# An allow line lets in whatever is found, also what the owner of the name declares; a regular is let off less.\n',
    ...lines,
    ...(left === 0 ? [] : [`# left out, as what they say is no name: ${left}\n`]),
  ].join('');
}

function dateOf(day: number): string {
  return dayText(day * DAY_MS);
}

/** `helo-milter replay`: what other options would have done with the decisions of a log. */
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { recordOf } from '../report/as-record.ts';
import { pastUnordered } from '../report/earlier-mail.ts';
import { Replayer } from '../report/replayer.ts';
import { DecisionTally } from '../report/tally.ts';
import { readRules } from '../service/read-rules.ts';
import { registryOf } from '../service/registry.ts';
import type { AddOptions, ConfigFlags } from './options-of-commands.ts';
import { makeProgress, type Progress } from './progress.ts';
import { notesOn, replayLogs, wholeNumber } from './replay-logs.ts';
import { replayCsv, replayJson, type ReplayResult, replayText } from './replay-text.ts';
import { DEFAULT_RATE, mailNotes, type MailOptions, seenInMail } from './seen-in-mail.ts';
import type { Terminal } from './terminal.ts';

interface Flags extends ConfigFlags {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly top: string;
  readonly received?: boolean;
  readonly by?: readonly string[];
  readonly rate: string;
}

export function addReplay(root: Command, terminal: Terminal, addOptions: AddOptions): void {
  const command = root
    .createCommand('replay')
    .description(
      'say what these options would have done with the sessions of a decision log (--decision-log), and to whom, compared with\n' +
        'what was done. The evidence is that of the sessions: nothing is looked up. --observe of a configuration file is left out.',
    )
    .argument('<FILE...>', 'decision logs, in any order; .gz and .zst are read as they are')
    .option(
      '--received',
      'before there is a decision log: the files are delivered mail (Maildir, mbox or single messages), clients and their names\n' +
        'come from the Received fields of your own MTA and are looked up now',
    )
    .option('--by <NAME...>', 'with --received: names of your own MTA, as after "by" in these fields')
    .option('--rate <N>', 'with --received: names looked up a second', String(DEFAULT_RATE))
    .option('--json', 'print one JSON object')
    .option('--csv', 'print comma-separated values, a line a group')
    .option('--top <N>', 'rows of each table', '20')
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root);
  const read = addOptions(command);
  command.action(async (files: string[], flags: Flags) => {
    const { source, given } = read(flags);
    const config = await source.read();
    const observe = config.observe && given.has('observe');
    const progress = makeProgress(terminal);
    const top = wholeNumber('--top', flags.top);
    const rate = wholeNumber('--rate', flags.rate);
    const chosen = { ...config, observe };
    const result =
      flags.received === true
        ? await replayMail(files, chosen, { by: flags.by ?? [], rate }, progress)
        : await replay(files, chosen, (text) => {
            progress.show(text);
          });
    progress.done();
    if (flags.json === true) writePieces(terminal, replayJson(result));
    else if (flags.csv === true) writePieces(terminal, replayCsv(result.tally));
    else terminal.write(replayText(result, top));
  });
  root.addCommand(command);
}

/** Characters that are written at a time. */
const PIECE = 65_536;

function writePieces(terminal: Terminal, pieces: Iterable<string>): void {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < PIECE) continue;
    terminal.write(text);
    text = '';
  }
  terminal.write(text);
}

/** Rejects with UsageError if a file cannot be read. */
async function replay(
  files: readonly string[],
  config: Config,
  show: (text: string) => void,
): Promise<ReplayResult> {
  const registry = await registryOf(config);
  const rules = await readRules(config, registry, () => undefined);
  const tally = new DecisionTally();
  const reading = await replayLogs(files, { rules, config, checks: registry.checks, show }, (replayed) => {
    tally.add(replayed);
  });
  return { tally, reading, notes: notesOn(tally, config, reading) };
}

/** The same of delivered mail, whose names are looked up now. Rejects as `replay` does. */
async function replayMail(
  paths: readonly string[],
  config: Config,
  options: MailOptions,
  progress: Progress,
): Promise<ReplayResult> {
  const rules = await readRules(config, await registryOf(config), () => undefined);
  const tally = new DecisionTally();
  const replayer = new Replayer({ rules, past: pastUnordered(config) });
  const reading = { total: 0, read: 0, unreadable: 0, told: [] };
  const seen = seenInMail(paths, config, options, progress, (check, error) => {
    throw new Error(`the check ${check} failed`, { cause: error });
  });
  for await (const each of seen) tally.add(replayer.replay(recordOf(each, tally.all.decisions + 1)));
  return {
    tally,
    reading,
    notes: [
      ...mailNotes(seen.counts, Date.now()),
      ...unorderedNotes(config),
      ...notesOn(tally, config, reading),
    ],
  };
}

function unorderedNotes({ ramp, streamLimit, regulars }: Config): string[] {
  return ramp.length + streamLimit.length === 0 && regulars === null
    ? []
    : [
        'Ramps, limits of streams and regulars are left out: mailboxes do not have the order in which mail came.',
      ];
}

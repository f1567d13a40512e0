/** `helo-milter replay`: what other options would have done with the decisions of a log. */
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { LogReader, type ReadingProgress } from '../decisions/log-reader.ts';
import { UsageError } from '../errors.ts';
import { escape } from '../log/value.ts';
import { recordOf } from '../report/as-record.ts';
import { Replayer, type ReplayOptions } from '../report/replayer.ts';
import { DecisionTally } from '../report/tally.ts';
import { readRules } from '../service/read-rules.ts';
import { registryOf } from '../service/registry.ts';
import { budgetKey } from '../state/budget-key.ts';
import { TempfailBudget } from '../state/tempfail-budget.ts';
import { makeProgress, type Progress } from './progress.ts';
import { replayCsv, replayReport, type ReplayResult, replayText } from './replay-text.ts';
import { DEFAULT_RATE, mailNotes, type MailOptions, seenInMail } from './seen-in-mail.ts';
import type { Terminal } from './terminal.ts';

interface Flags {
  readonly config?: string | false;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly top: string;
  readonly received?: boolean;
  readonly by?: readonly string[];
  readonly rate: string;
}

/**
 * `addOptions` gives the command the options that bear on a verdict, and returns a reader of the given ones.
 */
export function addReplay(
  root: Command,
  terminal: Terminal,
  addOptions: (
    command: Command,
  ) => (flags: Pick<Flags, 'config'>) => Promise<{ config: Config; isGiven: (key: keyof Config) => boolean }>,
): void {
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
    const { config, isGiven } = await read(flags);
    const observe = config.observe && isGiven('observe');
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
    if (flags.json === true) terminal.write(`${JSON.stringify(replayReport(result), null, 2)}\n`);
    else if (flags.csv === true) terminal.write(replayCsv(result.tally));
    else terminal.write(replayText(result, top));
  });
  root.addCommand(command);
}

function wholeNumber(flag: string, text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value === 0) throw new UsageError(`${flag}: "${text}" is not a whole number above 0`);
  return value;
}

/** Milliseconds between two reports of progress. */
const SHOW_EVERY_MS = 200;

/** Rejects with UsageError if a file cannot be read. */
async function replay(
  files: readonly string[],
  config: Config,
  show: (text: string) => void = () => undefined,
): Promise<ReplayResult> {
  const registry = await registryOf(config);
  const rules = await readRules(config, registry, () => undefined);
  const reader = await LogReader.open(files, registry.checks);
  const tally = new DecisionTally();
  const replayer = new Replayer({ rules, spend: budgets(config) });
  let shownAt = 0;
  for await (const record of reader) {
    tally.add(replayer.replay(record));
    const now = performance.now();
    if (now - shownAt < SHOW_EVERY_MS) continue;
    shownAt = now;
    const { read, total } = reader.progress;
    show(`${total === 0 ? '' : `${Math.floor((100 * read) / total)} % `}${tally.all.decisions} decisions`);
  }
  return { tally, reading: reader.progress, notes: notesOn(tally, config, reader.progress) };
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
  const replayer = new Replayer({ rules, spend: budgets(config) });
  const reading = { total: 0, read: 0, unreadable: 0, told: [] };
  const seen = seenInMail(paths, config, options, progress, (check, error) => {
    throw new Error(`the check ${check} failed`, { cause: error });
  });
  for await (const each of seen) tally.add(replayer.replay(recordOf(each, tally.all.decisions + 1)));
  return {
    tally,
    reading,
    notes: [...mailNotes(seen.counts, Date.now()), ...notesOn(tally, config, reading)],
  };
}

/** The tempfail limit, on the clock of the records. */
export function budgets({ tempfailLimit }: Pick<Config, 'tempfailLimit'>): ReplayOptions['spend'] {
  let now = 0;
  const clock = (): number => now;
  const given = new TempfailBudget(() => tempfailLimit, clock);
  const watched = new TempfailBudget(() => tempfailLimit, clock);
  return (judged, isGiven, at) => {
    now = Math.max(now, at);
    return (isGiven ? given : watched).spend(budgetKey(judged.assessment));
  };
}

function notesOn({ unknown, all }: DecisionTally, { observe }: Config, reading: ReadingProgress): string[] {
  const { 'not-looked-up': unseen, settled } = unknown;
  return [
    ...(all.decisions === 0 ? ['there is no decision in these files'] : []),
    ...(observe ? ['with --observe nothing is refused: leave it out to see what would be'] : []),
    ...(settled === 0
      ? []
      : [
          `${settled} decisions are not sure: the text of HELO alone decided then, DNS was not asked, and now it would be`,
        ]),
    ...(unseen === 0
      ? []
      : [`${unseen} decisions are unknown: the client was exempt then, and was not looked up`]),
    ...(reading.unreadable === 0
      ? []
      : [
          `${reading.unreadable} lines are no decisions and were left out: ${reading.told.map(escape).join('; ')}`,
        ]),
  ];
}

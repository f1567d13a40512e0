/** `helo-milter report`: who would be hit by the next step, with a letter to each one's postmaster. */
import { lstat } from 'node:fs/promises';
import type { Command } from 'commander';
import { describeError, OptionError, UsageError } from '../errors.ts';
import { DAY_MS, dayText } from '../report/figures.ts';
import { HitCollector } from '../report/hits.ts';
import { AddressMask } from '../report/address-mask.ts';
import { assemblePage } from '../report/page.ts';
import { senderReport, type SenderReport } from '../report/sender-report.ts';
import { readRules } from '../service/read-rules.ts';
import { pageDataOf, type PageSubject } from '../service/page-data-of.ts';
import { registryOf } from '../service/registry.ts';
import { pageTemplate } from '../system/page-template.ts';
import { replaceFile } from '../system/replace-file.ts';
import type { AddOptions, ConfigFlags } from './options-of-commands.ts';
import { nextStep, type NextStep } from './next-step.ts';
import { PageDecisions } from './page-decisions.ts';
import { makeProgress } from './progress.ts';
import { notesOn, replayLogs, wholeNumber } from './replay-logs.ts';
import { letterMail, mailOf, type ReportResult, reportJson, reportText } from './report-text.ts';
import { reportSection } from './report-page.ts';
import type { Terminal } from './terminal.ts';

interface Flags extends ConfigFlags {
  readonly json?: boolean;
  readonly html?: string;
  readonly mail?: string;
  readonly letter?: string;
  readonly top: string;
  readonly days?: string;
}

/** How long a suggested line of the access list counts. */
const LINE_DAYS = 90;

export function addReport(root: Command, terminal: Terminal, addOptions: AddOptions): void {
  const command = root
    .createCommand('report')
    .description(
      'say who would be hit by the next step: senders in a decision log (--decision-log) whose mail would be delayed or refused\n' +
        'and was not, those first that look most like legitimate ones, each with the cause, the evidence, lines for the access list\n' +
        'and a letter to its postmaster. Nothing is looked up. The next step is the options given; without any, what follows the\n' +
        'configuration as it is: to act (observe is left out), then for all client networks (enforce-percent), then the shadow policy.',
    )
    .argument('<FILE...>', 'decision logs, in any order; .gz and .zst are read as they are')
    .option('--days <N>', 'only what came in the last N days can be hit; the rest of the logs is history')
    .option('--top <N>', 'the senders that are told', '50')
    .option(
      '--html <FILE>',
      'write a page to this file, readable for its owner only: the report, and every decision judged again while you move the thresholds',
    )
    .option('--mail <ADDRESS>', 'print a mail to this address, for sendmail -t')
    .option('--letter <DOMAIN>', 'print the letter to the sender with this name alone, for sendmail -t')
    .option('--json', 'print one JSON object')
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root);
  const read = addOptions(command);
  command.action(async (files: string[], flags: Flags) => {
    const { source, given } = read(flags);
    const config = await source.read();
    checkFlags(flags);
    if (flags.html !== undefined) await requireReplaceable(flags.html);
    const progress = makeProgress(terminal);
    const told = await reportOn(files, nextStep(config, given), flags, (text) => {
      progress.show(text);
    });
    progress.done();
    await tell(told, flags, terminal);
  });
  root.addCommand(command);
}

/** Throws UsageError. */
function checkFlags({ mail, html, letter, json }: Flags): void {
  // It becomes a line of a header.
  if (mail !== undefined && !/^\w[\w.+=-]{0,63}(?:@[\w.-]{1,253})?$/.test(mail))
    throw new OptionError('--mail', `"${mail}" is not a plain address such as postmaster@example.org`);
  const forms = [mail, html, letter, json].filter((each) => each !== undefined);
  if (forms.length > 1) throw new UsageError('report: of --html, --mail, --letter and --json, give one');
}

/** What is there is replaced, if it is a file; a symlink is not followed, and a device not replaced. */
async function requireReplaceable(file: string): Promise<void> {
  const there = await lstat(file).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new OptionError('--html', describeError(error));
  });
  if (there !== null && !there.isFile())
    throw new OptionError('--html', `${file} is there and is not a regular file`);
}

interface Told {
  readonly result: ReportResult;
  readonly subject: PageSubject;
  /** Null if no page is wanted. */
  readonly decisions: PageDecisions | null;
}

/** Rejects with UsageError if a file cannot be read. */
async function reportOn(
  files: readonly string[],
  { config, step }: NextStep,
  { top, days, letter, html }: Flags,
  show: (text: string) => void,
): Promise<Told> {
  const now = Date.now();
  const since = days === undefined ? undefined : now - wholeNumber('--days', days) * DAY_MS;
  const limit = wholeNumber('--top', top);
  const registry = await registryOf(config);
  const { checks } = registry;
  const rules = await readRules(config, registry, () => undefined);
  const hits = new HitCollector({ since, name: letter ?? null });
  const mask = config.mask === null ? null : new AddressMask();
  const decisions =
    html === undefined ? null : new PageDecisions(mask === null ? undefined : (line) => mask.line(line));
  const reading = await replayLogs(files, { rules, config, checks, show }, (replayed, line) => {
    hits.add(replayed);
    decisions?.add(line);
  });
  const chosen = hits.senders(letter === undefined ? limit : Infinity);
  const options = {
    rules,
    checks,
    words: rules.reply,
    until: dayText(now + LINE_DAYS * DAY_MS),
    now,
    masked: mask !== null,
  };
  const result = {
    all: hits.recent,
    senders: chosen.map((each): SenderReport => senderReport(each, options)),
    count: hits.size,
    messages: hits.messages,
    now,
    days: days === undefined ? null : Number(days),
    step,
    policy: rules.policy.preset,
    notes: notesOn(hits.totals, config, reading),
  };
  return { result, subject: { config, registry, reply: rules.reply, mask }, decisions };
}

async function tell(told: Told, flags: Flags, terminal: Terminal): Promise<void> {
  const { result } = told;
  const { html, mail, letter } = flags;
  if (html !== undefined) {
    await writePage(html, told);
    return;
  }
  if (letter !== undefined) terminal.write(letterMail(result, letter));
  else if (mail !== undefined) terminal.write(mailOf(result, mail));
  else if (flags.json === true) terminal.write(reportJson(result));
  else terminal.write(reportText(result));
}

/** Rejects with UsageError. */
async function writePage(file: string, { result, subject, decisions }: Told): Promise<void> {
  const chunks = decisions?.chunks() ?? [];
  const { now: made, notes } = result;
  const data = await pageDataOf(subject, { made, notes, left: decisions?.left ?? 0 });
  try {
    const parts = { report: reportSection(result), data, decisions: chunks, connects: false };
    await replaceFile(file, assemblePage(await pageTemplate(), parts), 0o600);
  } catch (error) {
    throw new OptionError('--html', describeError(error));
  }
}

/** Decision logs judged again: what `replay` and `report` have in common. */
import type { Config } from '../config/config.ts';
import type { Check } from '../core/check.ts';
import { LogReader, type ReadingProgress } from '../decisions/log-reader.ts';
import { UsageError } from '../errors.ts';
import { escape } from '../log/value.ts';
import type { Rules } from '../policy/rules.ts';
import { count } from '../report/figures.ts';
import { pastOf } from '../report/earlier-mail.ts';
import type { Replayed } from '../report/replayed.ts';
import { Replayer } from '../report/replayer.ts';
import type { Totals } from '../report/tally.ts';

/** Milliseconds between two reports of progress. */
const SHOW_EVERY_MS = 200;

export interface ReplayLogsOptions {
  readonly rules: Rules;
  readonly config: Pick<Config, 'tempfailLimit' | 'regulars' | 'regularsNetwork'>;
  /** Those that are known today. */
  readonly checks: readonly Check[];
  readonly show: (text: string) => void;
}

/**
 * Gives each decision to `take`, with its line in the log, the oldest file first. Rejects with UsageError if
 * one cannot be read.
 */
export async function replayLogs(
  files: readonly string[],
  { rules, config, checks, show }: ReplayLogsOptions,
  take: (replayed: Replayed, line: string) => void,
): Promise<ReadingProgress> {
  const reader = await LogReader.open(files, checks);
  const replayer = new Replayer({ rules, past: pastOf(config) });
  let shownAt = 0;
  let decisions = 0;
  for await (const [record, line] of reader.withLines()) {
    take(replayer.replay(record), line);
    decisions++;
    const now = performance.now();
    if (now - shownAt < SHOW_EVERY_MS) continue;
    shownAt = now;
    const { read, total } = reader.progress;
    show(`${total === 0 ? '' : `${Math.floor((100 * read) / total)} % `}${count(decisions, 'decision')}`);
  }
  return reader.progress;
}

/** What an administrator has to know about the result, one sentence for each point. */
export function notesOn({ unknown, all }: Totals, { observe }: Config, reading: ReadingProgress): string[] {
  const { 'not-looked-up': unseen, settled, 'earlier-mail': earlier } = unknown;
  return [
    ...(all.decisions === 0 ? ['there is no decision in these files'] : []),
    ...(observe ? ['with --observe nothing is refused: leave it out to see what would be'] : []),
    ...(settled === 0
      ? []
      : [
          `${openText(settled)} not sure: the text of HELO alone decided then, DNS was not asked, and now it would be`,
        ]),
    ...(earlier === 0
      ? []
      : [
          `${openText(earlier)} not sure: it depends on mail from before the first record, or on how messages ended that were not seen to their end`,
        ]),
    ...(unseen === 0
      ? []
      : [`${openText(unseen)} unknown: the client was exempt then, and was not looked up`]),
    ...(reading.unreadable === 0
      ? []
      : [
          `${reading.unreadable === 1 ? '1 line is no decision and was' : `${reading.unreadable} lines are no decisions and were`} left out: ${reading.told.map(escape).join('; ')}`,
        ]),
  ];
}

function openText(decisions: number): string {
  return `${count(decisions, 'decision')} ${decisions === 1 ? 'is' : 'are'}`;
}

/** The value of a flag that has no row in the option table. Throws UsageError. */
export function wholeNumber(flag: string, text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value === 0) throw new UsageError(`${flag}: "${text}" is not a whole number above 0`);
  return value;
}

/**
 * The report as text, as a mail and as JSON. Names in it come from strangers: all of it is printable ASCII,
 * and in a mail no stranger's text comes near a header or the beginning of a line.
 */
import { UsageError } from '../errors.ts';
import { escape } from '../log/value.ts';
import { toldEvidence } from '../report/evidence.ts';
import { count, spanText, timeText } from '../report/figures.ts';
import type { Letter } from '../report/letter.ts';
import type { CaseReport, SenderReport } from '../report/sender-report.ts';
import type { Group } from '../report/group.ts';
import { wrap } from '../report/wrap.ts';
import { asJson } from './as-json.ts';
import type { NextStep } from './next-step.ts';

export interface ReportResult {
  /** All decisions that could have been hits. */
  readonly all: Group;
  /** Those that are told, the one that looks most like a legitimate sender first. */
  readonly senders: readonly SenderReport[];
  /** How many senders would be hit, and with how many messages. */
  readonly count: number;
  readonly messages: number;
  /** Unix time in milliseconds. */
  readonly now: number;
  /** Of `--days`. */
  readonly days: number | null;
  /** What the report is about; see `nextStep`. */
  readonly step: NextStep['step'];
  readonly policy: string;
  /** What an administrator has to know about the result, one sentence for each point. */
  readonly notes: readonly string[];
}

/** Octets of one value in a line. */
const MAX_SHOWN = 200;

/** Lines without anything of a stranger's. */
export function summaryOf(result: ReportResult): string[] {
  const { all, count: senders, messages, days, step } = result;
  const period = days === null ? '' : ` of the last ${count(days, 'day')}`;
  if (all.decisions === 0) return [`There is no decision${period} in these files.`];
  const told = result.senders.length;
  return [
    `${stepText(result)} ${senders === 0 ? 'nobody' : count(senders, 'sender')} would be hit` +
      `${senders === 0 ? '' : `, with ${count(messages, 'message')}`}, ` +
      `of ${count(all.decisions, 'decision')}${period}, ${spanText(all.first, all.last)}.`,
    ...(senders === 0
      ? step === 'given'
        ? ['If they are in force already, give those of the next step, such as --policy emailcore.']
        : []
      : [
          'A sender is hit if its mail would be delayed or refused and was not, or refused and was only delayed.',
        ]),
    ...(told === 0
      ? []
      : [
          `Those that look most like legitimate senders come first${told < senders ? `; ${told} of ${senders} are told` : ''}.`,
        ]),
  ];
}

function stepText({ step, policy }: ReportResult): string {
  switch (step) {
    case 'given':
      return `With these options (policy ${policy})`;
    case 'enforce':
      return `With the policy acted on in place of only watched (observe = false, policy ${policy})`;
    case 'enforce-percent':
      return `With all client networks in place of a share of them (--enforce-percent 100, policy ${policy})`;
    case 'shadow-policy':
      return `With your shadow policy in place of the one in force (policy ${policy})`;
  }
}

export function reportText(result: ReportResult): string {
  const parts = [
    summaryOf(result)
      .map((line) => wrap(line))
      .join('\n'),
    ...result.notes.map((note) => wrap(`note: ${note}`)),
    ...result.senders.map((each, i) => senderText(each, i + 1)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function senderText(sender: SenderReport, rank: number): string {
  const { hits, messages, recipients, moreRecipients, cases, left, lines, letter } = sender;
  return [
    `${rank}. ${titleOf(sender)}, ${sender.points} of 100 points`,
    `   ${hitText(hits, messages)}`,
    ...sender.signs.map(({ text, points }) => `   ${pointsText(points).padStart(3)}  ${text}`),
    ...(recipients.length === 0
      ? []
      : [`   to ${recipients.map(shown).join(', ')}${moreRecipients === 0 ? '' : ' and others'}`]),
    ...cases.flatMap(caseLines),
    ...(left === 0 ? [] : [`   and ${count(left, 'more decision')} of other hosts, names or causes`]),
    ...(lines.length === 0 ? [] : ['', '   At the end of the access list:']),
    ...lines.map(({ line, letsIn }) => `   ${line}  # lets in ${letsIn} of ${messages}`),
    ...(letter === null ? [] : ['', ...letterLines(letter)]),
  ].join('\n');
}

/** Whom it is about, escaped. */
export function titleOf({ name, origin }: Pick<SenderReport, 'name' | 'origin'>): string {
  if (name === origin) return /[/:]/.test(name) ? `hosts in ${shown(name)}` : `hosts of ${shown(name)}`;
  return `${shown(name)}, from ${/[/:]/.test(origin) ? '' : 'hosts of '}${shown(origin)}`;
}

export function hitText({ decisions, now, days, first, last, unknown }: Group, messages: number): string {
  const { tempfail, reject } = now;
  return [
    `would be hit: ${count(messages, 'message')}`,
    ...(reject === 0 ? [] : [reject === decisions ? 'refused' : `refused ${reject}`]),
    ...(tempfail === 0 ? [] : [tempfail === decisions ? 'delayed' : `delayed ${tempfail}`]),
    `on ${count(days, 'day')}`,
    spanText(first, last),
    ...(unknown === 0 ? [] : [`not sure of ${unknown}`]),
  ].join(', ');
}

export function pointsText(points: number): string {
  return `${points < 0 ? '-' : '+'}${String(Math.abs(points))}`;
}

function caseLines(each: CaseReport): string[] {
  return [
    '',
    `   HELO ${shown(each.helo)} from ${each.client === null ? 'an unknown address' : shown(each.client)}: ${each.action}, ${count(each.messages, 'message')}`,
    `     last ${timeText(each.time)}, ref ${shown(each.reference)}${each.sender === null ? '' : `, from ${shown(each.sender)}`}`,
    ...each.reasons.flatMap(({ id, weight, summary, evidence }) => [
      `     ${id} ${weight}: ${summary}`,
      ...toldEvidence(evidence).map(([key, value]) => `       ${key}=${shown(value)}`),
    ]),
    ...methodsText(each).map((line) => `     ${line}`),
  ];
}

/** What was asked and what came of it, in one line; none where nothing said anything. */
export function methodsText({ methods, correspondence }: CaseReport): string[] {
  const told = methods.filter(({ result }) => result !== 'none');
  if (told.length === 0) return [];
  const words = told.map(({ heading, result, said }) => `${heading}: ${said ?? result}`);
  return [`${words.join('; ')}; so: ${correspondence ?? 'unknown'}`];
}

function letterLines({ to, subject, body }: Letter): string[] {
  return [
    `----- letter to ${to ?? 'nobody that we know of'} -----`,
    `Subject: ${subject}`,
    '',
    body.trimEnd(),
    '----- end of the letter -----',
  ];
}

/** A whole message. `address` has been checked. */
export function mailOf(result: ReportResult, address: string): string {
  const { count: senders } = result;
  const subject = `helo-milter: ${senders === 0 ? 'nobody' : count(senders, 'sender')} would be hit by ${result.policy}`;
  return message(address, subject, reportText(result));
}

/** Throws UsageError where there is no such sender, or nobody to write to. */
export function letterMail({ senders }: ReportResult, name: string): string {
  if (senders.length === 0) throw new UsageError(`--letter: nobody called "${name}" would be hit`);
  for (const { letter } of senders) {
    if (letter !== null && letter.to !== null) return message(letter.to, letter.subject, letter.body);
  }
  throw new UsageError(`--letter: nobody is known to whom to write about "${name}"`);
}

/** Auto-Submitted keeps vacation programs from answering (RFC 3834 §5). */
function message(to: string, subject: string, body: string): string {
  return [
    `To: ${to}`,
    `Subject: ${subject}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    'Auto-Submitted: auto-generated',
    '',
    body,
  ].join('\n');
}

/** The object that `--json` prints. Its member names are public API. */
export function reportJson(result: ReportResult): string {
  const { all, count: hit, messages, now, days, step, policy, notes } = result;
  const report = {
    version: 1,
    time: new Date(now).toISOString(),
    days,
    step,
    policy,
    decisions: all.decisions,
    senders: hit,
    messages,
    notes,
    hit: result.senders.map(senderJson),
  };
  return asJson(report);
}

function senderJson(sender: SenderReport): object {
  const { hits, history, cases, letter, ...rest } = sender;
  return {
    name: rest.name,
    origin: rest.origin,
    points: rest.points,
    signs: rest.signs,
    messages: rest.messages,
    ...periodJson(hits),
    tempfail: hits.now.tempfail,
    reject: hits.now.reject,
    unknown: hits.unknown,
    history: {
      ...periodJson(history),
      accepted: rest.accepted,
      aborted: rest.aborted,
      authenticated: rest.authenticated,
    },
    recipients: rest.recipients,
    moreRecipients: rest.moreRecipients,
    cases: cases.map(({ time, ways, queueId, ...each }) => ({
      ...each,
      time: new Date(time).toISOString(),
      queue: queueId,
      advice: ways,
    })),
    left: rest.left,
    access: rest.lines,
    letter,
  };
}

function periodJson({ decisions, days, first, last }: Group): object {
  return { decisions, days, first: new Date(first).toISOString(), last: new Date(last).toISOString() };
}

/** Printable ASCII without a quote of its own, bounded. */
export function shown(text: string): string {
  const safe = escape(text);
  return safe.length > MAX_SHOWN ? `${safe.slice(0, MAX_SHOWN - 3)}...` : safe;
}

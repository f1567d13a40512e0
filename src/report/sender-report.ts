/**
 * What is told of each sender that would be hit, as text, page, mail and JSON have it. Texts in it are a
 * stranger's, as they came: whoever prints them escapes them.
 */
import type { Way } from '../advice/sender-advice.ts';
import type { Check, Evidence } from '../core/check.ts';
import { escape } from '../log/value.ts';
import { isPlainMailbox, parseMailbox, withoutBrackets } from '../policy/mailbox.ts';
import { textOfWire } from '../policy/written-name.ts';
import type { Disposition } from '../policy/policy.ts';
import type { ReplyOptions } from '../policy/smtp-reply.ts';
import { withTexts } from './address-mask.ts';
import type { HitCase, HitSender } from './hit-sender.ts';
import { type Letter, letterTo, waysOfCase } from './letter.ts';
import { pointsOf, type LikenessSign, signsOf } from './likeness.ts';
import { type SuggestedLine, suggestedLines, type SuggestOptions } from './suggested-lines.ts';
import type { Group } from './group.ts';

export interface SenderReport {
  readonly name: string;
  readonly origin: string;
  readonly points: number;
  readonly signs: readonly LikenessSign[];
  readonly messages: number;
  readonly hits: Group;
  readonly history: Group;
  readonly accepted: number;
  readonly aborted: number;
  readonly authenticated: number;
  readonly recipients: readonly string[];
  readonly moreRecipients: number;
  readonly cases: readonly CaseReport[];
  /** Decisions whose case is not told. */
  readonly left: number;
  readonly lines: readonly SuggestedLine[];
  readonly letter: Letter | null;
}

export interface CaseReport {
  readonly client: string | null;
  readonly helo: string;
  readonly messages: number;
  readonly action: Disposition;
  readonly correspondence: string | null;
  /** What counts, the heaviest first. */
  readonly reasons: readonly Reason[];
  /** What each method of showing who it is said. */
  readonly methods: readonly {
    readonly heading: string;
    readonly result: string;
    /** What a person is told in place of the result, where that word alone would mislead. */
    readonly said: string | null;
  }[];
  readonly ways: readonly Way[];
  /** Of the latest. */
  readonly time: number;
  readonly reference: string;
  readonly sender: string | null;
  readonly queueId: string | null;
  /** The record does not say for sure. */
  readonly uncertain: boolean;
}

export interface Reason {
  readonly id: string;
  readonly weight: number;
  readonly summary: string;
  readonly evidence: Evidence;
}

export interface SenderReportOptions extends SuggestOptions {
  readonly words: ReplyOptions;
  /** Local parts of addresses are hidden. */
  readonly masked: boolean;
}

export function senderReport(sender: HitSender, options: SenderReportOptions): SenderReport {
  const { name, origin, hits, authenticated } = sender;
  const { history, accepted, aborted } = sender.past;
  const address = options.masked ? masked : withoutBrackets;
  // Of what a client gave as its name, in whatever quotes it.
  const said = options.masked ? hidingSaid(sender) : <T>(value: T): T => value;
  const recipients = [...sender.recipients].toSorted(([, a], [, b]) => b - a).map(([each]) => address(each));
  return {
    name,
    origin,
    points: pointsOf(sender),
    signs: signsOf(sender),
    messages: hits.messages,
    hits,
    history,
    accepted,
    aborted,
    authenticated,
    recipients: [...new Set(recipients)],
    moreRecipients: sender.moreRecipients,
    cases: [...sender.cases.values()]
      .toSorted((a, b) => b.messages - a.messages)
      .map((each) => said(caseReport(each, options.checks, address))),
    left: sender.left,
    lines: said(suggestedLines(sender, options)),
    letter: said(letterTo(sender, options.words)),
  };
}

function caseReport(
  { sample, part, messages }: HitCase,
  checks: readonly Check[],
  address: (path: string) => string,
): CaseReport {
  const { record } = sample;
  const { judged } = part;
  const headings = new Map(checks.map(({ name, method }) => [name, method?.heading]));
  return {
    client: record.client,
    helo: record.helo,
    messages,
    action: part.action,
    correspondence: judged?.assessment.correspondence ?? null,
    reasons: (judged?.verdict.counted ?? [])
      .filter(({ weight }) => weight > 0)
      .toSorted((a, b) => b.weight - a.weight)
      .map(({ finding: { id, evidence }, weight }) => ({
        id,
        weight,
        summary: judged?.policy.findings.get(id)?.summary ?? id,
        evidence,
      })),
    methods: (judged?.assessment.outcomes ?? []).flatMap(({ check, result, finding }) => {
      const heading = headings.get(check);
      const said = judged?.policy.findings.get(finding?.id ?? '')?.said ?? null;
      return heading === undefined ? [] : [{ heading, result, said }];
    }),
    ways: judged === null ? [] : waysOfCase(judged),
    time: record.time,
    reference: record.reference,
    sender: record.sender === null ? null : address(record.sender),
    queueId: record.queueId,
    uncertain: sample.unknown !== null,
  };
}

/** Hides what stands before the `@` in a name that a client gave, wherever the name is quoted. */
function hidingSaid({ cases }: HitSender): <T>(value: T) => T {
  const names = [...cases.values()].flatMap(({ sample: { record } }) => [
    record.helo,
    record.judged?.session.previousHelo ?? '',
  ]);
  const locals = names.flatMap((name) => {
    const local = name.slice(0, Math.max(0, name.lastIndexOf('@')));
    return local === '' ? [] : [local, escape(local)];
  });
  // The longest first, as one may be the end of another.
  const forms = [...new Set(locals)].sort((one, other) => other.length - one.length).map(quoted);
  return (value) =>
    withTexts(value, (text) => forms.reduce((told, form) => told.replaceAll(form, '*@'), text));
}

/**
 * Finds this text before an `@`, in capitals or not, also where a reply has `?` for what it does not quote
 * and a letter goes on in the next line.
 */
function quoted(text: string): RegExp {
  const signs = text.replaceAll(/\s+|[^A-Za-z0-9]/g, (sign) =>
    sign.trim() === '' ? '(?:\\s+|\\?)' : `[?\\u${hex(sign)}]`,
  );
  return new RegExp(`${signs}[@?]`, 'gi');
}

/** Four digits. */
function hex(sign: string): string {
  return sign.charCodeAt(0).toString(16).padStart(4, '0');
}

/** The domain alone. */
function masked(path: string): string {
  const mailbox = parseMailbox(textOfWire(withoutBrackets(path)));
  return isPlainMailbox(mailbox) ? `*@${mailbox.domain}` : '*';
}

/**
 * From a Verdict to what the SMTP client is told: reply code, enhanced status code and one line that says
 * what was seen, what to do about it, what else counted, whom to ask, and a reference that finds the log
 * record.
 *
 * The line holds the HELO name and DNS data, which strangers write: it is cleaned to printable ASCII here and
 * bounded to the 512 octets of RFC 5321 §4.5.3.1.5. The milter layer guards the wire once more.
 */
import { isPublishable } from '../advice/sender-advice.ts';
import { clauseOf } from '../advice/words.ts';
import type { Assessment } from '../core/assessment.ts';
import { byEvidence, type Finding, type FindingSpec } from '../core/check.ts';
import { isQueryName } from '../core/domain.ts';
import { parseMailbox } from './mailbox.ts';
import { makePolicy, type Policy, type Verdict } from './policy.ts';
import { cureOf, fixOf, waysFor } from './sender-ways.ts';
import { fill, valuesOf } from './template.ts';
import { textOfWire } from './written-name.ts';

/** A reply that refuses, ready for SMTP. */
export interface SmtpReply {
  /** 4yz or 5yz. */
  readonly code: number;
  /** RFC 3463, for example `5.7.1`. */
  readonly enhancedCode: string;
  readonly text: string;
}

/** The operator's own reply codes for one finding; absent where the built-in one stays. */
export interface ReplyCodes {
  /** 5yz. */
  readonly reject?: number;
  /** 4yz. */
  readonly tempfail?: number;
}

/** The operator's part of the words of a reply. */
export interface ReplyOptions {
  /** Where a refused sender finds help; the finding id is appended as the fragment. */
  readonly helpUrl: string | null;
  /** Whom a refused sender may ask, by mail or by phone; null for the postmaster of the recipient. */
  readonly contact: string | null;
  /** The operator's own words, by finding; placeholders as in `FindingSpec.reply` and `fix`. */
  readonly templates: ReadonlyMap<string, string>;
  /** By finding. */
  readonly codes?: ReadonlyMap<string, ReplyCodes>;
}

/** What a reply is made of, besides the verdict. */
export interface ReplyContext {
  readonly assessment: Assessment;
  /** What is declared of each finding, by id. */
  readonly findings: ReadonlyMap<string, FindingSpec>;
  readonly words: ReplyOptions;
  /** Finds the log record; null where there is none. */
  readonly reference: string | null;
  /**
   * The policy that gave the verdict, for advice that satisfies it; a preset unchanged where it is absent.
   */
  readonly policy?: Policy;
  /** The recipient as it came, without angle brackets, if the reply is about one. */
  readonly recipient?: string | null;
  /** That of the command refused, which Sendmail writes before our text; empty where there is none. */
  readonly address?: string;
}

/** RFC 7372 §3.4. */
const SEVERAL_FAILED = '7.26';
/** 512 octets a line, less CRLF and `550 5.7.25 `; `%` is doubled on the wire, but MTAs count it once. */
const MAX_TEXT = 512 - 2 - 11;
/** Sendmail writes `<user@example.org>... ` before the text of a reply to MAIL and RCPT. */
const SENDMAIL_DOTS = 4;
/** However long an address a stranger gives, at least this much of what was seen is told. */
const MIN_SAID = 60;

/** The part of a reply that is the same whoever is refused, and at whichever command. */
export interface Refusal {
  readonly code: number;
  readonly enhancedCode: string;
  /** The finding that is the cause. */
  readonly id: string;
  readonly cause: string;
  readonly todo: readonly string[];
  /** The other findings that counted. */
  readonly others: readonly string[];
  readonly page: string;
}

/** The reply for a verdict that is not accept; null for accept. */
export function smtpReply(verdict: Verdict, context: ReplyContext): SmtpReply | null {
  const refusal = refusalOf(verdict, context);
  return refusal === null ? null : replyTo(refusal, context);
}

/** Null for accept. */
export function refusalOf(
  verdict: Verdict,
  context: Omit<ReplyContext, 'reference' | 'recipient' | 'address'>,
): Refusal | null {
  const { findings, words } = context;
  if (verdict.disposition === 'accept' || verdict.cause === null) return null;
  const { id } = verdict.cause;
  const spec = findings.get(id);
  const permanent = verdict.disposition === 'reject';
  const own = words.codes?.get(id);
  const several = permanent && failedTogether(verdict, findings);
  const status = !permanent && spec?.tempfailCode === undefined ? '7.1' : (spec?.status ?? '7.1');
  return {
    // Codes like 501 say that the command is malformed for good; the temporary form of every refusal is a
    // 450.
    code: permanent ? (own?.reject ?? spec?.rejectCode ?? 550) : (own?.tempfail ?? spec?.tempfailCode ?? 450),
    enhancedCode: `${permanent ? 5 : 4}.${several ? SEVERAL_FAILED : status}`,
    id,
    cause: wordsFor(verdict.cause, context),
    todo: toDo(verdict, context),
    others: verdict.counted.flatMap(({ finding, weight }) =>
      weight > 0 && finding.id !== id ? [finding.id] : [],
    ),
    page: words.helpUrl === null ? '' : `; see ${words.helpUrl}#${id}`,
  };
}

/** The reply to one client, at one command. */
export function replyTo(
  refusal: Refusal,
  {
    words,
    reference,
    recipient = null,
    address = '',
  }: Pick<ReplyContext, 'words' | 'reference' | 'recipient' | 'address'>,
): SmtpReply {
  const { code, enhancedCode } = refusal;
  const told: Told = {
    refusal,
    person: contactOf(words, recipient),
    reference: reference === null ? '' : ` (ref ${reference})`,
  };
  return { code, enhancedCode, text: assemble(told, lineLimit(address)) };
}

/** The most octets of a text about the command with this address. */
export function lineLimit(address: string): number {
  return MAX_TEXT - address.length - SENDMAIL_DOTS;
}

/** What was seen, in the operator's words or in ours. */
export function wordsFor(
  { id, evidence }: Finding,
  context: Pick<ReplyContext, 'assessment' | 'findings' | 'words'>,
): string {
  const spec = context.findings.get(id);
  const template =
    context.words.templates.get(id) ?? byEvidence(spec?.replyWith, evidence) ?? spec?.reply ?? id;
  return fill(template, valuesOf(evidence, context.assessment));
}

/**
 * Whether other mechanisms failed beside the one that is the cause: that has an enhanced code of its own
 * (RFC 7372 §3.4).
 */
function failedTogether({ cause, counted }: Verdict, specs: ReadonlyMap<string, FindingSpec>): boolean {
  const failed = counted
    .filter(({ finding, weight }) => weight > 0 && specs.get(finding.id)?.mechanism === true)
    .map(({ finding }) => finding.id);
  return cause !== null && failed.includes(cause.id) && failed.length > 1;
}

/**
 * What to do: one clause or several, each of which is enough. The operator's own words say that themselves.
 */
export function toDo(
  verdict: Verdict,
  context: Pick<ReplyContext, 'assessment' | 'findings' | 'words' | 'policy'>,
): string[] {
  const { assessment, findings, words, policy = makePolicy('strict', findings) } = context;
  const { cause } = verdict;
  if (cause === null || words.templates.has(cause.id)) return [];
  const { client } = assessment;
  if (client.ip !== null) return waysFor(assessment, [{ verdict, policy }]).map(clauseOf);
  // No record can be told without an address.
  const fix = fixOf(cause, assessment, policy);
  if (fix === null) return [];
  const isOfZone = !['announce', undefined].includes(cureOf(cause, policy));
  return isOfZone && !isPublishable(client.helo) ? ['announce the public name of your host'] : [fix];
}

/** Mail to the postmaster is never refused (RFC 5321 §4.5.1), so that there is always somebody to ask. */
export function contactOf({ contact }: ReplyOptions, recipient: string | null): string {
  if (contact !== null) return `; ask ${contact}`;
  if (recipient === null) return '';
  const { domain } = parseMailbox(textOfWire(recipient));
  return isQueryName(domain) ? `; ask postmaster@${domain}` : '';
}

interface Told {
  readonly refusal: Refusal;
  readonly person: string;
  readonly reference: string;
}

/**
 * Id and reference are always there, and the beginning of the cause. For the rest of the room the first
 * thing to do comes first, which is told whole or not at all; then whom to ask, the whole cause, other
 * findings, and other things to do.
 */
function assemble({ refusal, person, reference }: Told, limit: number): string {
  const { id, cause, todo: ways, others, page } = refusal;
  const least = Math.min(cause.length, MIN_SAID);
  let room = limit - id.length - 3 - reference.length - least;
  const take = (text: string): string => {
    if (text.length > room) return '';
    room -= text.length;
    return text;
  };
  const [first, ...more] = ways;
  const toDo = first === undefined ? '' : take(`; ${first}`);
  const where = take(page);
  const whom = take(person);
  const said = cause.length > least + room ? `${cause.slice(0, least + Math.max(0, room) - 3)}...` : cause;
  room -= said.length - least;
  const also = others.reduce((text, each) => text + take(`${text === '' ? '; also' : ','} ${each}`), '');
  const besides = more.reduce((text, way) => text + take(`${toDo + text === '' ? ';' : ', or'} ${way}`), '');
  // Templates of the operator's own checks are text of any kind; a reply is ASCII (RFC 5321 §4.2).
  return `[${id}] ${said}${toDo}${besides}${also}${where}${whom}${reference}`.replaceAll(
    /[^\x20-\x7e]/g,
    '?',
  );
}

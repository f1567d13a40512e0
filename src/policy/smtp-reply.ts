/**
 * From a Verdict to what the SMTP client is told: reply code, enhanced status code and one line that says
 * what was seen, what to do about it, what else counted, whom to ask, and a reference that finds the log
 * record.
 *
 * The line holds the HELO name and DNS data, which strangers write: it is cleaned to printable ASCII here and
 * bounded to the 512 octets of RFC 5321 §4.5.3.1.5. The milter layer guards the wire once more.
 */
import { isPublishable, type Way } from '../advice/sender-advice.ts';
import { clauseOf } from '../advice/words.ts';
import type { Assessment } from '../core/assessment.ts';
import { byEvidence, type Evidence, type Finding, type FindingSpec } from '../core/check.ts';
import { isQueryName } from '../core/domain.ts';
import { parseMailbox } from './mailbox.ts';
import { makePolicy, type Policy, type Verdict } from './policy.ts';
import { waysFor } from './sender-ways.ts';
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
const PLACEHOLDER = /\{([a-z]+)\}/;
/** Templates taken apart: text, name, text, … There are few: ours and the operator's. */
const parts = new Map<string, readonly string[]>();
/** The most octets of one quoted value: enough for a person to recognise a name. */
const MAX_VALUE = 100;
/** 512 octets a line, less CRLF and `550 5.7.25 `; `%` is doubled on the wire, but MTAs count it once. */
const MAX_TEXT = 512 - 2 - 11;
/** Sendmail writes `<user@example.org>... ` before the text of a reply to MAIL and RCPT. */
const SENDMAIL_DOTS = 4;
/** However long an address a stranger gives, at least this much of what was seen is told. */
const MIN_SAID = 60;

/** The reply for a verdict that is not accept; null for accept. */
export function smtpReply(verdict: Verdict, context: ReplyContext): SmtpReply | null {
  const { findings, words, reference, recipient = null, address = '' } = context;
  if (verdict.disposition === 'accept' || verdict.cause === null) return null;
  const { id } = verdict.cause;
  const spec = findings.get(id);
  const permanent = verdict.disposition === 'reject';
  const own = words.codes?.get(id);
  // Codes like 501 say that the command is malformed for good; the temporary form of every refusal is a 450.
  const code = permanent
    ? (own?.reject ?? spec?.rejectCode ?? 550)
    : (own?.tempfail ?? spec?.tempfailCode ?? 450);
  const several = permanent && failedTogether(verdict, findings);
  const status = !permanent && spec?.tempfailCode === undefined ? '7.1' : (spec?.status ?? '7.1');
  const told: Told = {
    id,
    cause: wordsFor(verdict.cause, context),
    todo: toDo(verdict, context),
    others: verdict.counted.flatMap(({ finding, weight }) =>
      weight > 0 && finding.id !== id ? [finding.id] : [],
    ),
    page: words.helpUrl === null ? '' : `; see ${words.helpUrl}#${id}`,
    person: contactOf(words, recipient),
    reference: reference === null ? '' : ` (ref ${reference})`,
  };
  return {
    code,
    enhancedCode: `${permanent ? 5 : 4}.${several ? SEVERAL_FAILED : status}`,
    text: assemble(told, lineLimit(address)),
  };
}

/** The most octets of a text about the command with this address. */
export function lineLimit(address: string): number {
  return MAX_TEXT - address.length - SENDMAIL_DOTS;
}

/** What was seen, in the operator's words or in ours. */
export function wordsFor({ id, evidence }: Finding, context: ReplyContext): string {
  const spec = context.findings.get(id);
  const template =
    context.words.templates.get(id) ?? byEvidence(spec?.replyWith, evidence) ?? spec?.reply ?? id;
  return fill(template, valuesOf(evidence, context));
}

function valuesOf(evidence: Evidence, { assessment: { client } }: ReplyContext): Evidence {
  return {
    // These words fit wherever an address does: "IN A unknown" is no record to publish.
    client: client.ip?.text ?? 'your address',
    helo: client.helo.text,
    ...evidence,
  };
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
export function toDo(verdict: Verdict, context: ReplyContext): string[] {
  const { assessment, findings, words, policy = makePolicy('strict', findings) } = context;
  if (verdict.cause === null || words.templates.has(verdict.cause.id)) return [];
  const { client } = assessment;
  const ways = waysFor(assessment, [{ verdict, policy }]);
  const spec = findings.get(verdict.cause.id);
  const values = valuesOf(verdict.cause.evidence, context);
  const cause = wordsFor(verdict.cause, context);
  const fix = byEvidence(spec?.fixWith, values) ?? spec?.fix;
  if (client.ip === null) {
    if (fix === undefined) return [];
    return [isPublishable(client.helo) ? fill(fix, values) : 'announce the public name of your host'];
  }
  // Texts that say themselves what to announce are not told it twice.
  return ways.filter((way) => !isSaid(way, cause)).map(clauseOf);
}

function isSaid(way: Way, cause: string): boolean {
  return way.kind === 'relay'
    ? cause.includes(' relay ')
    : way.kind === 'announce' && cause.includes(way.helo);
}

/** Mail to the postmaster is never refused (RFC 5321 §4.5.1), so that there is always somebody to ask. */
export function contactOf({ contact }: ReplyOptions, recipient: string | null): string {
  if (contact !== null) return `; ask ${contact}`;
  if (recipient === null) return '';
  const { domain } = parseMailbox(textOfWire(recipient));
  return isQueryName(domain) ? `; ask postmaster@${domain}` : '';
}

/** The names in braces. */
export function placeholders(template: string): string[] {
  return partsOf(template).filter((_, i) => i % 2 === 1);
}

/** Replaces `{name}` by the evidence of that name, cleaned and bounded; `?` where there is none. */
export function fill(template: string, evidence: Evidence): string {
  let filled = '';
  let isName = false;
  for (const part of partsOf(template)) {
    filled += isName ? clean(evidence[part] ?? '?', MAX_VALUE) : part;
    isName = !isName;
  }
  return filled;
}

function partsOf(template: string): readonly string[] {
  const known = parts.get(template);
  if (known !== undefined) return known;
  const taken = template.split(PLACEHOLDER);
  parts.set(template, taken);
  return taken;
}

/**
 * Printable ASCII without the characters that Postfix itself replaces in a HELO, cut with `...` beyond
 * `limit`. Quotes stay quotes, of the other kind.
 */
export function clean(text: string, limit: number): string {
  const printable = text
    .slice(0, limit + 1)
    .replaceAll('"', "'")
    .replaceAll(/[^\x20-\x7e]|[<>();@\\]/g, '?');
  return printable.length > limit ? `${printable.slice(0, limit - 3)}...` : printable;
}

interface Told {
  readonly id: string;
  readonly cause: string;
  readonly todo: readonly string[];
  /** The other findings that counted. */
  readonly others: readonly string[];
  readonly page: string;
  readonly person: string;
  readonly reference: string;
}

/**
 * Id and reference are always there, and the beginning of the cause. For the rest of the room the first
 * thing to do comes first, which is told whole or not at all; then whom to ask, the whole cause, other
 * findings, and other things to do.
 */
function assemble({ id, cause, todo: ways, others, page, person, reference }: Told, limit: number): string {
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

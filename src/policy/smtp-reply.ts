/**
 * From a Verdict to what the SMTP client is told: reply code, enhanced status code and one line that says
 * what was seen, what to do about it, whom to ask, and a reference that finds the log record.
 *
 * The line holds the HELO name and DNS data, which strangers write: it is cleaned to printable ASCII here and
 * bounded to the 512 octets of RFC 5321 §4.5.3.1.5. The milter layer guards the wire once more.
 */
import type { Assessment } from '../core/assess.ts';
import type { Evidence, FindingSpec } from '../core/check.ts';
import type { Verdict } from './policy.ts';

export interface SmtpReply {
  /** 4yz or 5yz. */
  readonly code: number;
  /** RFC 3463, for example `5.7.1`. */
  readonly enhancedCode: string;
  readonly text: string;
}

export interface ReplyOptions {
  /** Where a refused sender finds help; the finding id is appended as the fragment. */
  readonly helpUrl: string | null;
  /** Whom a refused sender may ask, by mail or by phone. */
  readonly contact: string | null;
  /** The operator's own words, by finding; placeholders as in `FindingSpec.reply`. */
  readonly templates: ReadonlyMap<string, string>;
}

/** What a reply is made of, besides the verdict. */
export interface ReplyContext {
  readonly assessment: Assessment;
  /** What is declared of each finding, by id. */
  readonly findings: ReadonlyMap<string, FindingSpec>;
  readonly words: ReplyOptions;
  /** Finds the log record; null where there is none. */
  readonly reference: string | null;
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
export function smtpReply(
  verdict: Verdict,
  { assessment, findings, words, reference, address = '' }: ReplyContext,
): SmtpReply | null {
  if (verdict.disposition === 'accept' || verdict.cause === null) return null;
  const { id, evidence } = verdict.cause;
  const spec = findings.get(id);
  const permanent = verdict.disposition === 'reject';
  // Codes like 501 say that the command is malformed for good; the temporary form of every refusal is a 450.
  const code = permanent ? (spec?.rejectCode ?? 550) : (spec?.tempfailCode ?? 450);
  const others = otherMechanisms(verdict, findings);
  const own = permanent && others.length > 0 ? SEVERAL_FAILED : (spec?.status ?? '7.1');
  const status = !permanent && spec?.tempfailCode === undefined ? '7.1' : own;
  // These words fit wherever an address does: nobody can publish a record "IN A unknown".
  const client = assessment.client.ip?.text ?? 'your address';
  const said = fill(words.templates.get(id) ?? wordsOf(spec, evidence) ?? id, {
    client,
    helo: assessment.client.helo.text,
    ...evidence,
  });
  return {
    code,
    enhancedCode: `${permanent ? 5 : 4}.${status}`,
    text: assemble(
      id,
      said,
      `${others.length === 0 ? '' : `; also ${others.join(', ')}`}${tail(id, words, reference)}`,
      MAX_TEXT - address.length - SENDMAIL_DOTS,
    ),
  };
}

/**
 * The other mechanisms that failed beside one that is the cause; none where the cause is something else. The
 * enhanced code says only that there are several, so that the text has to name them (RFC 7372 §3.4).
 */
function otherMechanisms({ cause, counted }: Verdict, specs: ReadonlyMap<string, FindingSpec>): string[] {
  const failed = counted
    .filter(({ finding, weight }) => weight > 0 && specs.get(finding.id)?.mechanism === true)
    .map(({ finding }) => finding.id);
  return cause !== null && failed.includes(cause.id) ? failed.filter((id) => id !== cause.id) : [];
}

/** What a finding with this evidence tells the sender. */
function wordsOf(spec: FindingSpec | undefined, evidence: Evidence): string | undefined {
  const special = Object.entries(spec?.replyWith ?? {}).find(([seen]) => evidence[seen] !== undefined);
  return special?.[1] ?? spec?.reply;
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

function tail(id: string, { helpUrl, contact }: ReplyOptions, reference: string | null): string {
  const page = helpUrl === null ? '' : `; see ${helpUrl}#${id}`;
  const person = contact === null ? '' : `; ask ${contact}`;
  return `${page}${person}${reference === null ? '' : ` (ref ${reference})`}`;
}

/** The id and where to find help are kept whole; what was seen is cut. */
function assemble(id: string, said: string, end: string, limit: number): string {
  const room = Math.max(MIN_SAID, limit - id.length - 3 - end.length);
  const cut = said.length > room ? `${said.slice(0, room - 3)}...` : said;
  // Templates of the operator's own checks are text of any kind; a reply is ASCII (RFC 5321 §4.2).
  return `[${id}] ${cut}${end}`.replaceAll(/[^\x20-\x7e]/g, '?');
}

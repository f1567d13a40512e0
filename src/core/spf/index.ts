/**
 * SPF (RFC 7208), pure over a Resolver: who may use a domain as its HELO name or in MAIL FROM.
 *
 * Limits of §4.6.4: ten terms that query, ten MX hosts, ten PTR names, two void lookups, and the caller's
 * deadline. Ours, since the text is a stranger's and every term costs us: less than 8,192 characters and at
 * most 300 terms a record, at most 1,000 terms in all; beyond them is a permerror. In theory that still
 * allows 233 questions (22 for each `mx:%{p}...`, one for the record, 12 for an explanation): put the
 * evaluation behind a budget, whose `temperror` becomes the result.
 */
import { canonicalName } from '../domain.ts';
import type { IpAddress } from '../ip.ts';
import type { Resolver } from '../resolver.ts';
import { catchAllMacro, type MatchedTerm } from './catch-all.ts';
import { evaluate, type SpfResult, type Evaluated } from './evaluate.ts';
import { beginEvaluation, type Evaluation, type SpfOptions, type SpfRequest } from './evaluation.ts';
import { publishedExplanation } from './explanation.ts';
import { emptyWidth, tooWide } from './width.ts';

export type { SpfOptions, SpfRequest, SpfResult };

/** What SPF says, and by which record and term. */
export interface SpfOutcome {
  readonly result: SpfResult;
  /**
   * The term that decided, as written, with the domain whose record holds it: `-all (example.org)`; for an
   * include also what matched in its target. Null if none matched.
   */
  readonly mechanism: string | null;
  /** The record that gave the result: a redirect's target where one was followed. */
  readonly record: string | null;
  /**
   * The domain's own text for a fail, expanded; foreign text of printable US-ASCII, at most 512 characters.
   */
  readonly explanation: string | null;
  /** Terms that queried, of ten. */
  readonly lookups: number;
  /** Of two. */
  readonly voidLookups: number;
  /** The least TTL seen, in seconds; null where the transport told none. */
  readonly ttl: number | null;
  /** Why, for none, neutral, temperror and permerror. */
  readonly detail: string;
  /** For a pass: why it identifies nobody. See `width.ts` and `catch-all.ts`. */
  readonly tooWide: string | null;
  /**
   * A question about the client's reverse names, for `ptr` or `%{p}`, that DNS did not answer: RFC 7208 §5.5
   * takes that for no match, though the answer might have led to another result. Null for a pass.
   */
  readonly unanswered: { readonly question: string; readonly detail: string } | null;
}

/** check_host() of §4.1. Never throws as long as the resolver does not. */
export async function checkHost(
  request: SpfRequest,
  resolver: Resolver,
  options: SpfOptions = {},
): Promise<SpfOutcome> {
  const evaluation = beginEvaluation(request, resolver, options, emptyWidth());
  const domain = withoutFinalDot(request.domain);
  const verdict = await evaluate(evaluation, domain, { via: 'request', passing: true });
  // An explanation may ask for the reverse name as well, but decides nothing.
  const { unanswered } = evaluation;
  const explanation = (options.explain ?? true) ? await explanationOf(evaluation, verdict) : null;
  const wide = verdict.result === 'pass' ? await widthOf(evaluation, verdict.terms) : null;
  return {
    result: verdict.result,
    mechanism: verdict.terms.length === 0 ? null : describe(verdict.terms),
    record: verdict.source?.record.text ?? null,
    explanation,
    lookups: evaluation.lookups,
    voidLookups: evaluation.voidLookups,
    ttl: evaluation.ttl,
    detail: shorten(verdict.detail),
    tooWide: wide,
    unanswered: verdict.result === 'pass' ? null : unanswered,
  };
}

/** The HELO identity (§2.3): the domain is the HELO name and the sender `postmaster@` it (§2.4, §4.3). */
export function checkHelo(
  ip: IpAddress,
  name: string,
  resolver: Resolver,
  options: SpfOptions & Pick<SpfRequest, 'receiver'> = {},
): Promise<SpfOutcome> {
  const helo = canonicalName(name);
  const receiver = options.receiver === undefined ? {} : { receiver: options.receiver };
  return checkHost({ ip, domain: helo, sender: `postmaster@${helo}`, helo, ...receiver }, resolver, options);
}

async function explanationOf(evaluation: Evaluation, { result, source }: Evaluated): Promise<string | null> {
  const spec = source?.record.explanation ?? null;
  return result === 'fail' && source !== null && spec !== null
    ? publishedExplanation(evaluation, spec, source.domain)
    : null;
}

async function widthOf(evaluation: Evaluation, terms: readonly MatchedTerm[]): Promise<string | null> {
  const reason = tooWide(evaluation.width) ?? (await catchAllMacro(evaluation, terms));
  return reason === null ? null : shorten(reason);
}

function describe(terms: readonly MatchedTerm[]): string {
  return shorten(terms.map(({ directive, domain }) => `${directive.text} (${domain})`).join(', '));
}

/** Terms and names are a stranger's, and may be as long as a TXT record. */
function shorten(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}

function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

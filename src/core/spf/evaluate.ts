/**
 * check_host() of RFC 7208 §4: fetches a record, runs its directives in order, follows include and redirect.
 */
import { canonicalName, isAskable, isQueryName } from '../domain.ts';
import type { MatchedTerm } from './catch-all.ts';
import { countLookup, countTerms, type Evaluation, type Stop, stopAt } from './evaluation.ts';
import { targetOf } from './target.ts';
import type { DomainSpec } from './macro.ts';
import { matches } from './mechanisms.ts';
import {
  type Directive,
  parseSpfRecord,
  type Qualifier,
  selectSpfRecords,
  type SpfRecord,
} from './record.ts';
import { noteRecord } from './width.ts';

/** RFC 7208 §2.6. */
export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';

export interface Evaluated {
  readonly result: SpfResult;
  /** Why, for none, temperror and permerror. */
  readonly detail: string;
  /** The terms that decided, outermost first: an include, then what matched in its target. */
  readonly terms: readonly MatchedTerm[];
  /** The record that gave the result, and its domain; a redirect's target where one was followed. */
  readonly source: { readonly record: SpfRecord; readonly domain: string } | null;
}

const RESULTS: Readonly<Record<Qualifier, SpfResult>> = {
  '+': 'pass',
  '-': 'fail',
  '~': 'softfail',
  '?': 'neutral',
};

/** Why a record is evaluated; `passing` tells whether its pass is a pass of the whole check. */
export interface Origin {
  readonly via: 'request' | 'include' | 'redirect';
  readonly passing: boolean;
}

/** Recursion ends with the tenth include or redirect (§4.6.4). */
export async function evaluate(evaluation: Evaluation, domain: string, origin: Origin): Promise<Evaluated> {
  const fetched = await fetchRecord(evaluation, domain, origin);
  if (!('record' in fetched)) return { ...fetched, terms: [], source: null };
  const { record } = fetched;
  if (origin.passing) noteRecord(evaluation.width, record);
  const source = { record, domain };
  for (const directive of record.directives) {
    const match = await tryDirective(evaluation, directive, domain, origin.passing);
    if ('result' in match) return { ...match, terms: [], source };
    if (match.matched) {
      const terms = [{ directive, domain }, ...match.inner];
      return { result: RESULTS[directive.qualifier], detail: '', terms, source };
    }
  }
  // §6.1: redirect comes after all mechanisms, and §5.1 ignores it beside an "all" (which always matched).
  if (record.redirect !== null) return follow(evaluation, record.redirect, domain, origin.passing);
  return { result: 'neutral', detail: 'no term matched', terms: [], source };
}

type Fetched =
  | { readonly record: SpfRecord }
  | { readonly result: 'none' | 'temperror' | 'permerror'; readonly detail: string };

/** §4.3–§4.6. The first question is neither a lookup nor a void lookup (§4.6.4). */
async function fetchRecord(evaluation: Evaluation, domain: string, { via }: Origin): Promise<Fetched> {
  if (!isCheckable(domain, via)) {
    return { result: 'none', detail: 'not a domain name of several labels' };
  }
  const answer = await evaluation.ask(domain, 'TXT');
  if (answer.status !== 'found') {
    const counts = via !== 'request' || answer.status === 'temperror';
    const stop = counts ? stopAt(evaluation, `${domain} TXT`, answer) : null;
    return stop ?? { result: 'none', detail: `${domain} has no SPF record` };
  }
  const [text, ...others] = selectSpfRecords(answer.records);
  if (text === undefined) return { result: 'none', detail: `${domain} has no SPF record` };
  if (others.length > 0) {
    return { result: 'permerror', detail: `${domain} has ${others.length + 1} SPF records` };
  }
  const record = parseSpfRecord(text);
  if ('problem' in record) return { result: 'permerror', detail: `${record.problem} of ${domain}` };
  return countTerms(evaluation, record.terms) ?? { record };
}

/**
 * §4.3: "a valid, multi-label domain name". An address is not one, though `192.0.2.1` may have a TXT record:
 * no top-level domain is all digits (RFC 3696 §2). A client's own name has to be a host name; names from
 * records may be any.
 */
function isCheckable(domain: string, via: Origin['via']): boolean {
  const name = canonicalName(domain);
  const isValid = via === 'request' ? isQueryName : isAskable;
  return isValid(name) && name.includes('.') && !/\.\d+$/.test(name);
}

interface Match {
  readonly matched: boolean;
  /** For an include: the terms that matched in its target. */
  readonly inner: readonly MatchedTerm[];
}

async function tryDirective(
  evaluation: Evaluation,
  directive: Directive,
  domain: string,
  passing: boolean,
): Promise<Match | Stop> {
  const { mechanism, qualifier } = directive;
  if (mechanism.kind === 'include') {
    return include(evaluation, directive.text, mechanism.target, domain, passing && qualifier === '+');
  }
  const matched = await matches(evaluation, directive, mechanism, domain, passing && qualifier === '+');
  return typeof matched === 'boolean' ? { matched, inner: [] } : matched;
}

/** §5.2: pass matches; fail, softfail and neutral do not; errors stay errors; none is a permerror. */
async function include(
  evaluation: Evaluation,
  text: string,
  target: DomainSpec,
  domain: string,
  passing: boolean,
): Promise<Match | Stop> {
  const stop = countLookup(evaluation);
  if (stop !== null) return stop;
  const name = await targetOf(evaluation, target, domain);
  if (name === null) return { result: 'permerror', detail: `the target of ${text} is not a domain name` };
  const { result, detail, terms } = await evaluate(evaluation, name, { via: 'include', passing });
  switch (result) {
    case 'pass':
      return { matched: true, inner: terms };
    case 'fail':
    case 'softfail':
    case 'neutral':
      return { matched: false, inner: [] };
    case 'none':
      return { result: 'permerror', detail: `${text}: ${detail}` };
    case 'temperror':
    case 'permerror':
      return { result, detail };
  }
}

/** §6.1: the result of the target, except that none is a permerror. */
async function follow(
  evaluation: Evaluation,
  { text, target }: NonNullable<SpfRecord['redirect']>,
  domain: string,
  passing: boolean,
): Promise<Evaluated> {
  const refuse = (stop: Stop): Evaluated => ({ ...stop, terms: [], source: null });
  const stop = countLookup(evaluation);
  if (stop !== null) return refuse(stop);
  const name = await targetOf(evaluation, target, domain);
  if (name === null) {
    return refuse({ result: 'permerror', detail: `the target of ${text} is not a domain name` });
  }
  const verdict = await evaluate(evaluation, name, { via: 'redirect', passing });
  return verdict.result === 'none'
    ? refuse({ result: 'permerror', detail: `${text}: ${verdict.detail}` })
    : verdict;
}

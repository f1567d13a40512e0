/**
 * The state of one SPF evaluation: what was asked for, what it has cost so far (RFC 7208 §4.6.4), and the one
 * door through which every question goes.
 */
import { isAskable } from '../domain.ts';
import type { IpAddress } from '../ip.ts';
import type { Answer, RecordType, Resolver } from '../resolver.ts';
import type { Width } from './width.ts';

/** §4.6.4: terms that query, MX hosts and PTR names. */
const MAX_LOOKUPS = 10;
/** §4.6.4: "SHOULD limit void lookups to two". */
const MAX_VOID_LOOKUPS = 2;
/**
 * Terms of all records that are read. RFC 7208 gives no number; each costs some microseconds, whoever wrote
 * it.
 */
const MAX_TERMS = 1000;

/** What SPF is asked: the arguments of `check_host()` (RFC 7208 §4.1), and what macros need. */
export interface SpfRequest {
  readonly ip: IpAddress;
  /** Whose record is wanted: the HELO name, or the domain of MAIL FROM. */
  readonly domain: string;
  /** `local@domain`; for the HELO identity `postmaster@<helo>` (§2.4). */
  readonly sender: string;
  readonly helo: string;
  /** The receiving host, for `%{r}`; "unknown" if absent (§7.3). */
  readonly receiver?: string;
}

/** What is not part of the question itself. */
export interface SpfOptions {
  /** The clock in milliseconds; needed for the deadline and for `%{t}`. */
  readonly now?: () => number;
  /** Milliseconds since the epoch; nothing is asked after it, and the result is temperror (§4.6.4). */
  readonly deadline?: number;
  /** Whom to ask about the client's reverse names, for `ptr` and `%{p}`; the resolver itself if absent. */
  readonly reverse?: Resolver;
  /** Whether a fail is to be explained, which costs a query; true if absent. */
  readonly explain?: boolean;
}

/** An end without an answer from the record. */
export interface Stop {
  readonly result: 'temperror' | 'permerror';
  readonly detail: string;
}

type Ask = <T extends RecordType>(name: string, type: T) => Promise<Answer<T>>;

export interface Evaluation {
  readonly request: SpfRequest;
  readonly now: () => number;
  readonly width: Width;
  /** Asks DNS, or says `temperror` when the deadline has passed; notes the TTL. */
  ask: Ask;
  /** The same of the client's reverse names, for which the owner's record is not to be charged. */
  askReverse: Ask;
  lookups: number;
  voidLookups: number;
  terms: number;
  ttl: number | null;
  /**
   * The first question about the client's reverse names that DNS did not answer. Such a name is no match
   * (§5.5), so that the result does not tell.
   */
  unanswered: { readonly question: string; readonly detail: string } | null;
}

export function beginEvaluation(
  request: SpfRequest,
  resolver: Resolver,
  options: SpfOptions,
  width: Width,
): Evaluation {
  const now = options.now ?? ((): number => 0);
  const deadline = options.deadline ?? Infinity;
  const askOf =
    (whom: Resolver): Ask =>
    async <T extends RecordType>(name: string, type: T): Promise<Answer<T>> => {
      if (!isAskable(name)) return { status: 'nxdomain', ttl: null };
      if (now() >= deadline) return { status: 'temperror', detail: 'deadline' };
      const answer = await whom.lookup(name, type);
      if (answer.status !== 'temperror' && answer.ttl !== null) {
        evaluation.ttl = Math.min(evaluation.ttl ?? answer.ttl, answer.ttl);
      }
      return answer;
    };
  const evaluation: Evaluation = {
    request,
    now,
    width,
    ask: askOf(resolver),
    askReverse: askOf(options.reverse ?? resolver),
    lookups: 0,
    voidLookups: 0,
    terms: 0,
    ttl: null,
    unanswered: null,
  };
  return evaluation;
}

/** Counts a term that queries (§4.6.4); a Stop when it is one too many. */
export function countLookup(evaluation: Evaluation): Stop | null {
  if (evaluation.lookups >= MAX_LOOKUPS) {
    return { result: 'permerror', detail: `more than ${MAX_LOOKUPS} terms that need DNS` };
  }
  evaluation.lookups++;
  return null;
}

/** Counts the terms of a record that was read; a Stop when all together are too many. */
export function countTerms(evaluation: Evaluation, terms: number): Stop | null {
  evaluation.terms += terms;
  return evaluation.terms > MAX_TERMS
    ? { result: 'permerror', detail: `more than ${MAX_TERMS} terms in all records together` }
    : null;
}

/** What an answer means for the term that asked: trouble, or one void lookup too many (§4.6.4), stops it. */
export function stopAt(evaluation: Evaluation, question: string, answer: Answer<RecordType>): Stop | null {
  if (answer.status === 'found') return null;
  if (answer.status === 'temperror') return { result: 'temperror', detail: `${question}: ${answer.detail}` };
  evaluation.voidLookups++;
  return evaluation.voidLookups > MAX_VOID_LOOKUPS
    ? { result: 'permerror', detail: `more than ${MAX_VOID_LOOKUPS} void lookups` }
    : null;
}

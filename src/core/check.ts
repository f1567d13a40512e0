/**
 * What a check is, what it may say, and how one is defined.
 *
 * A check is a pure function of the client and of DNS. It says what is true (a Finding, with the Evidence
 * that was seen); it knows no policy and no other check. Findings carry stable ids that are public API, like
 * error codes.
 */
import { unknownFinding, type UnknownId } from './checks/unknown.ts';
import type { Client } from './client.ts';
import { type Evidence, type Finding, type FindingSpec, NOTHING, type Proof } from './finding.ts';
import type { Resolver } from './resolver.ts';

// Re-exported: authors of checks need both.
export * from './finding.ts';

/**
 * The strongest proof that client and name belong together, weakest last. `near` is not a proof but a hint
 * that a policy may use: the client is a neighbour of the name's address, and nothing says that it is
 * somebody else's.
 */
export const CORRESPONDENCES = ['exact', 'authorized', 'aligned', 'near', 'none'] as const;
/** How well name and client belong together; the best first in `CORRESPONDENCES`. */
export type Correspondence = (typeof CORRESPONDENCES)[number];

/** Result words of RFC 8601 §2.7, with those of SPF. */
export const RESULTS = [
  'pass',
  'fail',
  'softfail',
  'neutral',
  'policy',
  'none',
  'temperror',
  'permerror',
] as const;
/** A result word of RFC 8601. */
export type Result = (typeof RESULTS)[number];

/**
 * Whose zones a check reads: those of the owner of the HELO name, or the client's reverse zone and where it
 * leads. Whoever controls a zone can break it, and must not thereby excuse what somebody else has published.
 */
export const ZONES = ['owner', 'client'] as const;
/** Whose zones a check reads: the client's own, or those of the owner of the HELO name. */
export type Zone = (typeof ZONES)[number];

/** What one check concluded. */
export interface Outcome<Id extends string = string> {
  readonly result: Result;
  readonly evidence: Evidence;
  readonly finding: Finding<Id | UnknownId> | null;
  /** What this check proves about the correspondence of client and name. */
  readonly correspondence: Correspondence;
  /** The name's owner says that this host cannot be identified: an opt-out, not a fault. */
  readonly optOut: boolean;
  /**
   * What else it shows about the client: findings may weigh less for it. A correspondence that is a proof
   * need not be listed.
   */
  readonly proofs?: readonly Proof[];
  /**
   * The client is, or may be, somebody else's: then it does not count as a neighbour (`near`) of the name.
   */
  readonly foreign?: true;
}

/** How a line of the access list asks for what a check shows: `spf=pass`, `ptr=mail.example.org`. */
export type AccessCondition =
  | {
      /** The word before the equals sign, in small letters. */
      readonly key: string;
      /** Holds if the check passed and, if it can show correspondence, showed some. */
      readonly takes: 'pass';
    }
  | {
      readonly key: string;
      /** Holds if the check passed and one of its names is the line's name, or is below it. */
      readonly takes: 'name';
      /** The evidence that has the names: canonical, with a blank between them. */
      readonly names: string;
    };

/** How Authentication-Results (RFC 8601) tell the result of a check. */
export interface ResultWords {
  /** A registered method, or one that begins with `x-`. */
  readonly method: string;
  /**
   * Type and name of the property for what the method is about, such as `smtp.helo`; its value is the HELO
   * text, or the address of the client.
   */
  readonly property: string;
}

/** The method that a check speaks for, and the words that it has elsewhere. */
export interface Method {
  /** What the command `check` calls it when it tells what belongs to whom, such as `SPF of the name`. */
  readonly heading: string;
  /** What it is about: the text of HELO, or the address of the client whatever that text is. */
  readonly about: 'helo' | 'client';
  readonly access?: AccessCondition;
  readonly results?: ResultWords;
}

/**
 * One check. `run` may also return the bare words `'pass'` and `'none'`, or a Finding, for short. It gets a
 * resolver whose answers are remembered, counted and bounded for this assessment. `name` is kebab-case and
 * unique.
 */
export interface Check<Id extends string = string> {
  readonly name: string;
  readonly findings: Readonly<Record<Id, FindingSpec>>;
  /**
   * It asks DNS for the sake of its findings alone: it is left out if no policy weighs them and the operator
   * has set no weight.
   */
  readonly onlyIfWeighed?: boolean;
  /**
   * The check can show correspondence, and the `proofs` of its outcomes count: while it is undecided, a
   * mismatch is unknown; provisional where it reads the client's zones only. If it shows nothing for a client
   * from a tunnel, it is run again with the IPv4 address at the tunnel's end.
   */
  readonly provesCorrespondence?: boolean;
  /**
   * It finds out where the HELO name leads; the value names the evidence that has the addresses whenever the
   * check passes. Given these, a client that shows no correspondence is a mismatch. The first check that says
   * so is heard.
   */
  readonly resolvesTo?: string;
  /** Whose zones it reads; the owner's where nothing is said. */
  readonly reads?: Zone;
  /** Set if it is a method with a result of its own; other checks only have findings. */
  readonly method?: Method;
  /**
   * `reverse` is the same view of DNS for what is asked of the client's own zones by a check that reads the
   * owner's: it has a number of questions of its own. Absent outside of an assessment.
   */
  run(
    client: Client,
    resolver: Resolver,
    reverse?: Resolver,
  ): CheckAnswer<NoInfer<Id>> | Promise<CheckAnswer<NoInfer<Id>>>;
}

/** What the `run` of a check may return; `normalise` gives it its full form. */
export type CheckAnswer<Id extends string> = 'pass' | 'none' | Finding<Id | UnknownId> | Outcome<Id>;

/** Declares a check: the ids that `run` may give are exactly those of `findings`. */
export function defineCheck<const Id extends string>(check: Check<Id>): Check<Id> {
  return check;
}

/** Nothing is shown. */
export const NO_PROOFS: readonly Proof[] = Object.freeze([]);

/** Most outcomes see and prove nothing: they are shared, since tens of thousands of assessments are kept. */
const PASS = plain('pass');
const NONE = plain('none');

function plain(result: 'pass' | 'none'): Outcome<never> {
  return Object.freeze({
    result,
    evidence: NOTHING,
    finding: null,
    correspondence: 'none',
    optOut: false,
  } as const);
}

/** The outcome of a check that found nothing wrong, with what it shows. */
export function pass(
  evidence: Evidence = NOTHING,
  correspondence: Correspondence = 'none',
  proofs: readonly Proof[] = NO_PROOFS,
): Outcome<never> {
  const shown = proofs.length === 0 ? {} : { proofs };
  if (evidence === NOTHING && correspondence === 'none' && proofs.length === 0) return PASS;
  return { result: 'pass', evidence, finding: null, correspondence, optOut: false, ...shown };
}

/** The check does not apply, or has nothing to say. */
export function none(evidence: Evidence = NOTHING, correspondence: Correspondence = 'none'): Outcome<never> {
  if (evidence === NOTHING && correspondence === 'none') return NONE;
  return { result: 'none', evidence, finding: null, correspondence, optOut: false };
}

/** The outcome of a check that found something wrong; its result is `fail` if none is given. */
export function found<Id extends string>(id: Id, evidence: Evidence, result: Result = 'fail'): Outcome<Id> {
  return { result, evidence, finding: { id, evidence }, correspondence: 'none', optOut: false };
}

/**
 * DNS could not say. `detail` is one word (`timeout`), `question` what was asked (`mail.example.org A`);
 * `mootBy` is what makes the answer unimportant.
 */
export function temperror(question: string, detail: string, mootBy: readonly Proof[] = []): Outcome<never> {
  const plain = unknownFinding(question, detail);
  const finding = mootBy.length === 0 ? plain : { ...plain, mootBy };
  return { result: 'temperror', evidence: finding.evidence, finding, correspondence: 'none', optOut: false };
}

/**
 * The key of the evidence that tells of an answer which did not come, where the check has a result all the
 * same: `b.example.org A: timeout`. The client's own reverse zone owes it, and it might have shown more: what
 * the check found is provisional.
 */
const UNANSWERED = 'unanswered';

/** Evidence of the question that stayed open beside a result; none where nothing did. */
export function unansweredEvidence(trouble: { question: string; detail: string } | null): Evidence {
  return trouble === null ? NOTHING : { [UNANSWERED]: `${trouble.question}: ${trouble.detail}` };
}

/** Whether an outcome might have been better, had the client's own reverse zone answered. */
export function isOpen({ evidence }: Pick<Outcome, 'evidence'>): boolean {
  return evidence[UNANSWERED] !== undefined;
}

/** The long form of a check's answer. */
export function normalise<Id extends string>(answer: CheckAnswer<Id>): Outcome<Id> {
  if (answer === 'pass') return pass();
  if (answer === 'none') return none();
  if ('result' in answer) return answer;
  return found(answer.id, answer.evidence) as Outcome<Id>;
}

/** Whether `a` is at least as strong as `b`. */
export function atLeast(a: Correspondence, b: Correspondence): boolean {
  return CORRESPONDENCES.indexOf(a) <= CORRESPONDENCES.indexOf(b);
}

/**
 * What a check is, what it may say, and how one is defined.
 *
 * A check is a pure function of the client and of DNS. It says what is true (a Finding, with the Evidence that was
 * seen); it knows no policy and no other check. Findings carry stable ids that are public API, like error codes.
 */
import type { Client } from './client.ts';
import type { Resolver } from './resolver.ts';

/**
 * What a finding rests on: the text itself (`form`); DNS says there is no such host (`existence`); the name's owner
 * says no (`declared`); we found no correspondence (`inferred`, the only basis that RFC 5321 §4.1.4 forbids to
 * refuse on alone); the operator's rule (`local`); DNS could not say (`dns`).
 */
export type Basis = 'form' | 'existence' | 'declared' | 'inferred' | 'local' | 'dns';

/** The strongest proof that client and name belong together, weakest last. */
export const CORRESPONDENCES = ['exact', 'authorized', 'aligned', 'none'] as const;
export type Correspondence = (typeof CORRESPONDENCES)[number];

/** Result words of RFC 8601 §2.7, with those of SPF. */
export type Result = 'pass' | 'fail' | 'softfail' | 'neutral' | 'policy' | 'none' | 'temperror' | 'permerror';

/** What was seen, as named strings. They hold a stranger's bytes: escape before printing. */
export type Evidence = Readonly<Record<string, string>>;

/** The readings of RFC 5321 that the product ships as policies; see `policy.ts`. */
export const PRESETS = ['rfc5321', 'emailcore', 'strict'] as const;
export type PresetName = (typeof PRESETS)[number];

/** Everything the rest of the product needs to know about one finding, in one place. */
export interface FindingSpec {
  readonly basis: Basis;
  /** What is wrong, for the administrator: a sentence without a subject's name in it. */
  readonly summary: string;
  /** The rule it rests on. */
  readonly reference: string;
  /** Suggested weight: one number, or one for each preset. Zero means "log only". */
  readonly weight: number | Readonly<Record<PresetName, number>>;
  /** Why that weight. */
  readonly reason: string;
  /**
   * What the refused sender is told. `{helo}`, `{client}` and the finding's evidence names are replaced.
   * Says what was seen, then what to do.
   */
  readonly reply: string;
  /** SMTP reply code when rejected; 550 if absent (RFC 5321 §7.9). */
  readonly rejectCode?: number;
  /** SMTP reply code when tempfailed; 450 if absent. */
  readonly tempfailCode?: number;
  /** Enhanced status code without its class digit (RFC 3463), `7.1` if absent. */
  readonly status?: string;
}

export interface Finding<Id extends string = string> {
  readonly id: Id;
  readonly evidence: Evidence;
  /** It rests on something that DNS could not say: it may delay mail, never refuse it. */
  readonly provisional?: true;
}

/**
 * Whose zones a check reads: those of the owner of the HELO name, or the client's reverse zone and where it leads.
 * Who controls a zone can break it, and must not excuse by that what somebody else has published.
 */
export type Zone = 'owner' | 'client';

/** What one check concluded. */
export interface Outcome<Id extends string = string> {
  readonly result: Result;
  readonly evidence: Evidence;
  readonly finding: Finding<Id | DnsTemperror> | null;
  /** What this check proves of the correspondence of client and name. */
  readonly correspondence: Correspondence;
  /** The name's owner says that this host cannot be identified: an opt-out, not a fault. */
  readonly optOut: boolean;
}

export type DnsTemperror = 'dns-temperror';

/**
 * One check. `run` may also return the bare words `'pass'` and `'none'`, or a Finding, for short. It gets a
 * resolver whose answers are remembered, counted and bounded for this assessment. `name` is kebab-case and unique.
 */
export interface Check<Id extends string = string> {
  readonly name: string;
  readonly findings: Readonly<Record<Id, FindingSpec>>;
  /** Asks DNS for the sake of its findings alone: left out where no policy weighs them and the operator has set no weight. */
  readonly onlyIfWeighed?: boolean;
  /**
   * The check can show correspondence: while it is undecided, a mismatch is unknown; provisional where it reads the
   * client's zones only.
   */
  readonly provesCorrespondence?: boolean;
  /** Whose zones it reads; the owner's where nothing is said. */
  readonly reads?: Zone;
  run(client: Client, resolver: Resolver): CheckAnswer<NoInfer<Id>> | Promise<CheckAnswer<NoInfer<Id>>>;
}

export type CheckAnswer<Id extends string> = 'pass' | 'none' | Finding<Id | DnsTemperror> | Outcome<Id>;

/** Declares a check: the ids that `run` may give are exactly those of `findings`. */
export function defineCheck<const Id extends string>(check: Check<Id>): Check<Id> {
  return check;
}

/** Nothing was seen. */
export const NOTHING: Evidence = Object.freeze({});

/** With nothing seen and nothing proved, as most are: shared, since assessments are kept by the ten thousand. */
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

export function pass(evidence: Evidence = NOTHING, correspondence: Correspondence = 'none'): Outcome<never> {
  if (evidence === NOTHING && correspondence === 'none') return PASS;
  return { result: 'pass', evidence, finding: null, correspondence, optOut: false };
}

/** The check does not apply, or has nothing to say. */
export function none(evidence: Evidence = NOTHING, correspondence: Correspondence = 'none'): Outcome<never> {
  if (evidence === NOTHING && correspondence === 'none') return NONE;
  return { result: 'none', evidence, finding: null, correspondence, optOut: false };
}

export function found<Id extends string>(id: Id, evidence: Evidence, result: Result = 'fail'): Outcome<Id> {
  return { result, evidence, finding: { id, evidence }, correspondence: 'none', optOut: false };
}

/** DNS could not say. `detail` is one word (`timeout`), `question` what was asked (`mail.example.org A`). */
export function temperror(question: string, detail: string): Outcome<never> {
  return found('dns-temperror', { question, detail }, 'temperror') as Outcome<never>;
}

/** Brings the short forms of a check's answer into the long one. */
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

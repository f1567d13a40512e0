/**
 * Policy: weights per finding and two thresholds; `decide` turns an Assessment into a Verdict. Pure data and
 * one pure function, applied when a cached assessment is read, so a changed policy needs no flush of the
 * cache.
 *
 * Invariants (tested as properties): adding a finding never softens a verdict; what DNS could not say never
 * makes a reject, and weighs no more than the worst it can turn out to be; where the client is proved to be
 * the host of the name, or permitted by its owner, inferred findings alone reach no threshold; trouble in the
 * client's own reverse zone never excuses a name whose owner answered (it may delay mail); under `rfc5321`
 * inferred findings alone reach no threshold; a literal equal to the client fares no worse in any preset than
 * with all checks off; an outage never turns what was declared against a client into an acceptance; there is
 * no discard.
 */
import { type Assessment, withMismatch } from '../core/assess.ts';
import {
  atLeast,
  type Basis,
  type Check,
  type Correspondence,
  type Denial,
  type Finding,
  type FindingSpec,
  type PresetName,
  type Proof,
  PROOFS,
  type Weight,
} from '../core/check.ts';
import { hasOnlyText } from '../core/checks/exists.ts';
import { isOfStream, streamFinding, streamId, type Unproved } from '../core/checks/stream.ts';

export type Disposition = 'accept' | 'tempfail' | 'reject';

/**
 * `verified`: correspondence of the required strength. `unverified`: the client is a neighbour that the
 * policy excuses, or opted out (its own address literal, or a declaration of the name's owner), or the name's
 * owner could not be asked. `failed`: the rest, and every declared "no".
 */
export type Stream = 'verified' | Unproved;

/**
 * A finding that is answered 4yz at first, and 5yz after so many tries over so long, as Gmail does for a
 * missing PTR.
 */
export interface Ramp {
  readonly count: number;
  /** Milliseconds. */
  readonly ageMs: number;
}

export interface Policy {
  readonly preset: PresetName;
  /** Score from which mail is rejected. */
  readonly rejectAt: number;
  /** Score from which mail is tempfailed; never above `rejectAt`. */
  readonly tempfailAt: number;
  /** The weakest correspondence with which the stream is `verified`. */
  readonly require: Exclude<Correspondence, 'near' | 'none'>;
  /**
   * The weakest with which the mail is not held against the name: with less, a name that resolves is a
   * mismatch.
   */
  readonly excuseFrom: Exclude<Correspondence, 'none'>;
  /** Weight of every known finding, zero or more. */
  readonly weights: ReadonlyMap<string, number>;
  /** Findings whose weight the operator set; it is never waived. */
  readonly operatorSet: ReadonlySet<string>;
  /** By finding; none of basis `dns`, which never refuses for good. */
  readonly ramps: ReadonlyMap<string, Ramp>;
  /** A name that has nothing but a text for people opts its host out. */
  readonly textOptsOut: boolean;
  /** The specifications of all known findings. */
  readonly findings: ReadonlyMap<string, FindingSpec>;
}

/** What the operator may change of a preset. */
export interface PolicyChanges {
  readonly rejectAt?: number | undefined;
  readonly tempfailAt?: number | undefined;
  /** Draws both lines. */
  readonly require?: Policy['require'] | undefined;
  readonly weights?: ReadonlyMap<string, number> | undefined;
  readonly ramps?: ReadonlyMap<string, Ramp> | undefined;
  readonly textOptsOut?: boolean | undefined;
}

export interface Verdict {
  readonly disposition: Disposition;
  /** Sum of the weights of the counted findings. */
  readonly score: number;
  readonly stream: Stream;
  /** The finding that weighs most, and of equal ones the most telling; null where none counts. */
  readonly cause: Finding | null;
  /** All findings with the weight each was given; zero also where the weight was waived. */
  readonly counted: readonly CountedFinding[];
}

export interface CountedFinding {
  readonly finding: Finding;
  readonly weight: number;
}

/**
 * Where a preset draws its two lines. The second has no effect on the score of rfc5321: a mismatch weighs
 * nothing.
 */
export const LINES: Readonly<Record<PresetName, Pick<Policy, 'require' | 'excuseFrom'>>> = {
  rfc5321: { require: 'aligned', excuseFrom: 'near' },
  emailcore: { require: 'aligned', excuseFrom: 'near' },
  strict: { require: 'authorized', excuseFrom: 'authorized' },
};

export const DEFAULT_REJECT_AT = 10;
export const DEFAULT_TEMPFAIL_AT = 5;

/**
 * A preset with the operator's changes. The caller has checked that `tempfailAt <= rejectAt` and all weights.
 */
export function makePolicy(
  preset: PresetName,
  findings: ReadonlyMap<string, FindingSpec>,
  changes: PolicyChanges = {},
): Policy {
  const weights = new Map([...findings].map(([id, spec]) => [id, presetWeight(spec, preset)]));
  for (const [id, weight] of changes.weights ?? []) weights.set(id, weight);
  return {
    preset,
    rejectAt: changes.rejectAt ?? DEFAULT_REJECT_AT,
    tempfailAt: changes.tempfailAt ?? DEFAULT_TEMPFAIL_AT,
    require: changes.require ?? LINES[preset].require,
    excuseFrom: changes.require ?? LINES[preset].excuseFrom,
    weights,
    operatorSet: new Set(changes.weights?.keys() ?? []),
    ramps: changes.ramps ?? new Map(),
    textOptsOut: changes.textOptsOut ?? false,
    findings,
  };
}

export function presetWeight(spec: FindingSpec, preset: PresetName): number {
  return inPreset(spec.weight, preset);
}

function inPreset(weight: Weight, preset: PresetName): number {
  return typeof weight === 'number' ? weight : weight[preset];
}

/**
 * Pure. With `dnsIll` the resolver is out of order, and what it said before may be as wrong as what it says
 * now: so findings of no such name, of no correspondence and of no answer do not count. But where the name's
 * owner was heard (a `declared` finding with any weight), an answer did come, and nothing is excused; since
 * that answer may be false, the mail is delayed until the outage is over, and refused only for what does not
 * rest on DNS. A `regular` is known by its mail: what DNS does not have and what was inferred does not count.
 */
export function decide(assessed: Assessment, policy: Policy, dnsIll = false, regular = false): Verdict {
  const assessment = asDeclared(assessed, policy);
  const { stream, held } = streamOf(assessment, policy);
  const shown: Shown = { proofs: assessment.proofs, regular };
  const weighed = [
    ...judged(assessment, policy).map((finding) => ({
      finding,
      weight: waived(finding, assessment, policy) ? 0 : weightOf(finding, shown, policy),
    })),
    ...held,
  ];
  const excused = dnsIll && !weighed.some(({ finding, weight }) => weight > 0 && isDeclared(finding, policy));
  const counted = excused
    ? weighed.map((each) => (restsOnDns(each.finding, policy) ? { ...each, weight: 0 } : each))
    : weighed;
  const score = sum(counted);
  const certain = certainOf(counted, policy, dnsIll);
  const rejected = sum(certain) >= policy.rejectAt;
  return {
    disposition: rejected ? 'reject' : score >= policy.tempfailAt ? 'tempfail' : 'accept',
    score,
    stream,
    cause: heaviest(rejected ? certain : counted, policy),
    counted,
  };
}

/** With an opt-out where the policy takes one from a text. */
function asDeclared(assessment: Assessment, { textOptsOut }: Policy): Assessment {
  return textOptsOut && hasOnlyText(assessment.findings) ? { ...assessment, optOut: true } : assessment;
}

/** What DNS could not say may delay mail, never refuse it: the permanent answer rests on what is certain. */
function certainOf(
  counted: readonly CountedFinding[],
  policy: Policy,
  dnsIll: boolean,
): readonly CountedFinding[] {
  return counted.filter(
    ({ finding }) => isCertain(finding, policy) && !(dnsIll && restsOnDns(finding, policy)),
  );
}

/** Whether a verdict would be a reject without these findings too, given by their ids. */
export function rejectsWithout(
  without: readonly string[],
  { counted }: Pick<Verdict, 'counted'>,
  policy: Policy,
  dnsIll = false,
): boolean {
  const rest = counted.filter(({ finding }) => !without.includes(finding.id));
  return sum(certainOf(rest, policy, dnsIll)) >= policy.rejectAt;
}

/**
 * The findings that this policy judges by. `assess` reports a mismatch only where nothing at all was shown; a
 * policy that requires more than was shown sees one too.
 */
function judged(assessment: Assessment, { excuseFrom }: Policy): readonly Finding[] {
  const { findings, correspondence } = assessment;
  return atLeast(correspondence, excuseFrom)
    ? findings
    : withMismatch(assessment, { correspondence, required: excuseFrom });
}

function isCertain({ id, provisional }: Finding, { findings }: Policy): boolean {
  return provisional !== true && findings.get(id)?.basis !== 'dns';
}

/** What speaks for a client. */
interface Shown {
  readonly proofs: readonly Proof[];
  /** See `SessionSeen`. */
  readonly regular: boolean;
}

/** What is not held against a regular. */
const FORGIVEN: readonly Basis[] = ['existence', 'inferred'];

/** What the finding weighs with this shown: see `FindingSpec.excusedByProof` and `Finding.atWorst`. */
function weightOf({ id, atWorst }: Finding, shown: Shown, policy: Policy): number {
  const weight = excusedWeight(id, shown, policy);
  if (atWorst === undefined || policy.operatorSet.has(id)) return weight;
  return Math.min(weight, Math.max(0, ...atWorst.map((worst) => excusedWeight(worst, shown, policy))));
}

/** What the finding would weigh if this were shown of the client, besides all that was. */
export function weightWithProof(
  finding: Finding,
  { proofs }: Assessment,
  policy: Policy,
  proof: Proof,
): number {
  return weightOf(finding, { proofs: [...proofs, proof], regular: false }, policy);
}

/** What the finding would weigh if the client opted out of naming itself. */
export function weightOfOptOut(finding: Finding, assessment: Assessment, policy: Policy): number {
  return waived(finding, { ...assessment, optOut: true }, policy)
    ? 0
    : weightOf(finding, { proofs: assessment.proofs, regular: false }, policy);
}

function excusedWeight(id: string, { proofs, regular }: Shown, policy: Policy): number {
  const { weights, operatorSet, findings, preset } = policy;
  const weight = weights.get(id) ?? 0;
  const spec = findings.get(id);
  if (spec === undefined || operatorSet.has(id)) return weight;
  if (regular && FORGIVEN.includes(spec.basis)) return 0;
  const excuses = spec.excusedByProof;
  if (excuses === undefined) return weight;
  return proofs.reduce((least, proof) => {
    const most = excuses[proof];
    return most === undefined ? least : Math.min(least, inPreset(most, preset));
  }, weight);
}

const EVERYTHING: Shown = { proofs: PROOFS, regular: true };

/**
 * Whether findings of the text alone make a policy reject, whatever else might be found and whatever DNS
 * might prove of the client.
 */
export function settles(found: readonly Finding[], policy: Policy): boolean {
  return found.reduce((sum, { id }) => sum + excusedWeight(id, EVERYTHING, policy), 0) >= policy.rejectAt;
}

/**
 * The checks worth running under these policies: a finding to which the operator gives a weight, even zero,
 * is wanted.
 */
export function worthwhile(checks: readonly Check[], policies: readonly Policy[]): readonly Check[] {
  return checks.filter(
    ({ onlyIfWeighed, findings }) =>
      onlyIfWeighed !== true ||
      policies.some(({ weights, operatorSet }) =>
        Object.keys(findings).some((id) => operatorSet.has(id) || (weights.get(id) ?? 0) > 0),
      ),
  );
}

/**
 * A client that opts out of naming itself fares no worse than with the checks off: what is held against a
 * name, or only against the address, does not count. The operator's own weights do.
 */
function waived({ id }: Finding, { optOut }: Assessment, { findings, operatorSet }: Policy): boolean {
  if (!optOut || operatorSet.has(id)) return false;
  const spec = findings.get(id);
  return spec?.excusedByOptOut === true || ['inferred', 'existence', 'dns'].includes(spec?.basis ?? '');
}

/** Whose plain "no" the finding is. */
export function denialOf({ id }: Finding, { findings }: Pick<Policy, 'findings'>): Denial {
  return findings.get(id)?.denies ?? 'none';
}

function isDeclared({ id }: Finding, { findings }: Policy): boolean {
  return findings.get(id)?.basis === 'declared';
}

/** A stream is drawn from everything else, and most of that is from DNS. */
function restsOnDns({ id }: Finding, { findings }: Policy): boolean {
  if (isOfStream({ id })) return true;
  const basis = findings.get(id)?.basis;
  return basis !== 'form' && basis !== 'local';
}

function sum(counted: readonly CountedFinding[]): number {
  return counted.reduce((total, { weight }) => total + weight, 0);
}

/** Of findings with the same weight, the one that says most about this client is named; see `heaviest`. */
const TELLING: readonly Basis[] = ['local', 'declared', 'form', 'existence', 'inferred', 'dns'];

/**
 * The finding with the greatest weight. Of equal ones the first by basis: what the operator knows (a name of
 * ours, a line of the access list) says more than what the name's owner declares, that more than a fault in
 * the text, and that more than what is missing in DNS; within a basis, the first in the registry. So the
 * result does not depend on which was found first.
 */
function heaviest(counted: readonly CountedFinding[], { findings }: Policy): Finding | null {
  // Whatever led to the stream says more than the stream.
  const rank = ({ id }: Finding): number =>
    isOfStream({ id }) ? TELLING.length : TELLING.indexOf(findings.get(id)?.basis ?? 'dns');
  const isBefore = (a: Finding, b: Finding): boolean =>
    rank(a) === rank(b)
      ? [...findings.keys()].find((id) => id === a.id || id === b.id) === a.id
      : rank(a) < rank(b);
  const first = counted.reduce<CountedFinding | null>((best, each) => {
    if (each.weight === 0) return best;
    if (best === null || each.weight > best.weight) return each;
    return each.weight === best.weight && isBefore(each.finding, best.finding) ? each : best;
  }, null);
  return first === null ? null : first.finding;
}

/** The stream, and the finding that it is, where the operator gives it a weight. */
function streamOf(
  assessment: Assessment,
  policy: Policy,
): { readonly stream: Stream; readonly held: readonly CountedFinding[] } {
  const denied = assessment.findings.some((finding) => denialOf(finding, policy) !== 'none');
  const stream = denied ? 'failed' : shownStream(assessment, policy);
  if (stream === 'verified') return { stream, held: [] };
  const weight = streamWeight(stream, policy);
  if (weight === 0 && !policy.operatorSet.has(streamId(stream))) return { stream, held: [] };
  const finding = streamFinding(stream, assessment.client, mayOptOut(stream, policy));
  // Where something is unknown, the answer might have led to another stream.
  const isOpen = !denied && assessment.trouble !== null;
  return { stream, held: [{ finding: isOpen ? { ...finding, provisional: true } : finding, weight }] };
}

/**
 * Whoever fails is held to be no better than whoever shows nothing: else a host would gain by a false claim.
 */
function streamWeight(stream: Unproved, { weights }: Pick<Policy, 'weights'>): number {
  const unverified = weights.get(streamId('unverified')) ?? 0;
  return stream === 'unverified' ? unverified : Math.max(unverified, weights.get(streamId('failed')) ?? 0);
}

/** Whether a host of this stream would do better without a name. */
export function mayOptOut(stream: Unproved, policy: Pick<Policy, 'weights' | 'tempfailAt'>): boolean {
  return stream === 'failed' && streamWeight('unverified', policy) < policy.tempfailAt;
}

/** A plain "no" outweighs any proof; a softfail or a broken record denies nothing. */
function shownStream({ correspondence, optOut, trouble, client }: Assessment, policy: Policy): Stream {
  if (atLeast(correspondence, policy.require)) return 'verified';
  // A neighbour is excused, but not identified.
  if (atLeast(correspondence, policy.excuseFrom)) return 'unverified';
  const unnamed = optOut || client.ip === null || client.helo.kind === 'missing';
  return unnamed || trouble === 'owner' ? 'unverified' : 'failed';
}

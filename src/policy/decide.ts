/**
 * `decide` turns an Assessment into a Verdict: one pure function, applied when a cached assessment is read,
 * so a changed policy needs no flush of the cache.
 *
 * Invariants (tested as properties): adding a finding never softens a verdict; what DNS could not say never
 * makes a reject, and weighs no more than the worst it can turn out to be; where the client is proved to be
 * the host of the name, or permitted by its owner, inferred findings alone reach no threshold; trouble in the
 * client's own reverse zone never excuses a name whose owner answered (it may delay mail); under `rfc5321`
 * inferred findings alone reach no threshold; a literal equal to the client fares no worse in any preset than
 * with all checks off; an outage never turns what was declared against a client into an acceptance; there is
 * no discard.
 */
import type { Assessment } from '../core/assessment.ts';
import { withMismatch } from '../core/conclude.ts';
import { atLeast, type Basis, type Finding, type Proof, PROOFS } from '../core/check.ts';
import { hasOnlyText } from '../core/checks/exists.ts';
import { mightPermit } from '../core/checks/iprev.ts';
import { isOfStream } from '../core/checks/stream.ts';
import type { CountedFinding, Policy, Verdict } from './policy.ts';
import { streamOf } from './stream.ts';
import { waived, weightOf } from './weight.ts';

/** What a verdict rests on besides the assessment; both are false where they are absent. */
export interface DecidedWith {
  /** The resolver is out of order. */
  readonly dnsIll?: boolean;
  /** The client is known by its mail. */
  readonly regular?: boolean;
}

/**
 * Pure. With `dnsIll` the resolver is out of order, and what it said before may be as wrong as what it says
 * now: so findings of no such name, of no correspondence and of no answer do not count. But where the name's
 * owner was heard (a `declared` finding with any weight), an answer did come, and nothing is excused; since
 * that answer may be false, the mail is delayed until the outage is over, and refused only for what does not
 * rest on DNS. A `regular` is known by its mail: what DNS does not have and what was inferred does not count.
 */
export function decide(
  assessed: Assessment,
  policy: Policy,
  { dnsIll = false, regular = false }: DecidedWith = {},
): Verdict {
  const assessment = asDeclared(assessed, policy);
  const { stream, held } = streamOf(assessment, policy);
  const best = atBest(assessment);
  const weigh = (finding: Finding, { proofs, optOut }: Shown): number =>
    waived(finding, { optOut }, policy) ? 0 : weightOf(finding, { proofs, regular }, policy);
  const weighed: readonly CountedFinding[] = [
    ...judged(assessment, policy).map((finding) => {
      const weight = weigh(finding, assessment);
      const certain = Math.min(...readingsOf(finding).map((each) => weigh(each, best ?? assessment)));
      return certain < weight ? { finding, weight, certain } : { finding, weight };
    }),
    ...held,
  ];
  const excused = dnsIll && !weighed.some(({ finding, weight }) => weight > 0 && isDeclared(finding, policy));
  const counted = excused
    ? weighed.map((each) => (restsOnDns(each.finding, policy) ? { finding: each.finding, weight: 0 } : each))
    : weighed;
  const score = sum(counted);
  // What is certain weighs no more than all.
  const certain = score < policy.rejectAt ? [] : certainOf(counted, { policy, dnsIll });
  const rejected = sum(certain) >= policy.rejectAt;
  return {
    disposition: rejected ? 'reject' : score >= policy.tempfailAt ? 'tempfail' : 'accept',
    score,
    stream,
    cause: heaviest(rejected ? certain : counted, policy),
    counted,
  };
}

/** What weights depend on. */
type Shown = Pick<Assessment, 'proofs' | 'optOut'>;

/**
 * What would have been shown if the answers that are missing were the best for the client; null if none are
 * that could show anything. Its own reverse zone can only show what a reverse name does, and that includes
 * what an SPF record makes of one.
 */
function atBest({ proofs, optOut, undecided, trouble, outcomes }: Assessment): Shown | null {
  if (!undecided) return null;
  if (trouble !== 'client') return { proofs: PROOFS, optOut: true };
  // A reverse name that only its own check asks for permits nothing.
  const permitted: readonly Proof[] = outcomes.some(mightPermit) ? ['authorized'] : [];
  return { proofs: [...proofs, ...permitted, 'aligned', 'reverse'], optOut };
}

/** The finding, and as each other one that it may be. */
function readingsOf(finding: Finding): readonly Finding[] {
  const { mightBe = [] } = finding;
  return [finding, ...mightBe.map((id) => ({ ...finding, id }))];
}

/** With an opt-out where the policy takes one from a text. */
function asDeclared(assessment: Assessment, { textOptsOut }: Policy): Assessment {
  return textOptsOut && hasOnlyText(assessment.findings) ? { ...assessment, optOut: true } : assessment;
}

interface Counting {
  readonly policy: Policy;
  /** Whether the resolver is out of order. */
  readonly dnsIll: boolean;
}

/** What DNS could not say may delay mail, never refuse it: the permanent answer rests on what is certain. */
function certainOf(
  counted: readonly CountedFinding[],
  { policy, dnsIll }: Counting,
): readonly CountedFinding[] {
  return counted
    .filter(({ finding }) => isCertain(finding, policy) && !(dnsIll && restsOnDns(finding, policy)))
    .map(({ finding, weight, certain = weight }) => ({ finding, weight: certain }));
}

/** Whether a verdict would be a reject without these findings too, given by their ids. */
export function rejectsWithout(
  without: readonly string[],
  { verdict, policy, dnsIll }: Counting & { readonly verdict: Verdict },
): boolean {
  const rest = verdict.counted.filter(({ finding }) => !without.includes(finding.id));
  return sum(certainOf(rest, { policy, dnsIll })) >= policy.rejectAt;
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

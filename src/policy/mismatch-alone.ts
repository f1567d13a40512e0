/** What a policy makes of a mismatch alone, which RFC 5321 §4.1.4 says is no reason to refuse mail. */
import type { Policy } from './policy.ts';

/**
 * The inferred findings that say that HELO and address do not match (RFC 5321 §4.1.4), and the most that they
 * can weigh together under a policy if nothing else is found.
 */
export function mismatchAlone({ weights, findings }: Policy): {
  readonly score: number;
  readonly findings: readonly { readonly id: string; readonly weight: number }[];
} {
  const inferred = [...findings]
    .filter(([, { basis, aboutClientAlone }]) => basis === 'inferred' && aboutClientAlone !== true)
    .map(([id]) => ({ id, weight: weights.get(id) ?? 0 }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  const heaviest = inferred.filter(({ id }, i) => {
    const group = findings.get(id)?.exclusive;
    return (
      group === undefined || inferred.findIndex((each) => findings.get(each.id)?.exclusive === group) === i
    );
  });
  return { score: heaviest.reduce((total, { weight }) => total + weight, 0), findings: heaviest };
}

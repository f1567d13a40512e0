/**
 * The one finding that no single check can give: the name resolves, and no method showed that it belongs to
 * the client. `assess` draws it from the outcomes of all methods, also for a policy that requires more than
 * was shown.
 */
import type { Evidence, Finding, FindingSpec } from '../finding.ts';

export const mismatchFindings = {
  'helo-mismatch': {
    basis: 'inferred',
    summary: 'the HELO name resolves, and nothing shows that it belongs to the client',
    reference: 'RFC 5321 §4.1.4; draft-ietf-emailcore-as §2.1',
    weight: { rfc5321: 0, emailcore: 10, strict: 10 },
    reason:
      'RFC 5321 forbids refusing for this alone; the applicability statement allows it, and MacQuigg asked for it in 2009',
    why: "The name exists, and leads to other hosts than yours. As far as anybody can see from outside, it is somebody else's name.",
    remedies: ['permit-by-spf', 'announce'],
    reply: 'HELO {helo} resolves to {addresses}, not to {client}',
    fix: 'add an address record for {client}, or an SPF record for the name',
    exclusive: 'mismatch',
    cure: 'give-address',
  },
} as const satisfies Record<string, FindingSpec>;

/** `evidence` has the HELO text and the addresses of the name. */
export function mismatch(evidence: Evidence): Finding<keyof typeof mismatchFindings> {
  return { id: 'helo-mismatch', evidence };
}

export function isMismatch({ id }: Pick<Finding, 'id'>): boolean {
  return Object.hasOwn(mismatchFindings, id);
}

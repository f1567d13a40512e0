/** The one finding that every check may give: DNS could not answer. */
import type { Finding, FindingSpec } from '../finding.ts';

export const unknownFindings = {
  'dns-temperror': {
    basis: 'dns',
    summary: 'DNS could not answer, so something stays unknown',
    reference: 'RFC 5321 §4.2.5; RFC 8601 §2.7.3',
    weight: { rfc5321: 0, emailcore: 0, strict: 5 },
    reason: 'an unknown never becomes a no; the strict preset asks the client to come back later',
    why: 'The name servers that have to be asked about your host did not answer, so nobody can tell whether its name is right.',
    remedies: ['try-again', 'repair-dns'],
    reply: 'HELO {helo} could not be checked: DNS gave no answer for {question} ({detail}); try again later',
    tempfailCode: 451,
    status: '4.3',
  },
} as const satisfies Record<string, FindingSpec>;

/** The ids of findings that say that DNS did not answer. */
export type UnknownId = keyof typeof unknownFindings;

/** What was asked (`mail.example.org A`), and the outcome in one word (`timeout`). */
export function unknownFinding(question: string, detail: string): Finding<UnknownId> {
  return { id: 'dns-temperror', evidence: { question, detail } };
}

/** Whether the finding says only that DNS could not answer. */
export function isUnknown({ id }: Pick<Finding, 'id'>): boolean {
  return Object.hasOwn(unknownFindings, id);
}

/**
 * The one finding that no single check can give: the name resolves, and no method showed that it belongs to the
 * client. `assess` and the policy draw it from the outcomes of all methods.
 */
import type { FindingSpec } from '../check.ts';

export const mismatchFindings = {
  'helo-mismatch': {
    basis: 'inferred',
    summary: 'the HELO name resolves, and nothing shows that it belongs to the client',
    reference: 'RFC 5321 §4.1.4; draft-ietf-emailcore-as §2.1',
    weight: { rfc5321: 0, emailcore: 10, strict: 10 },
    reason:
      'RFC 5321 forbids to refuse for this alone; the applicability statement allows it, and MacQuigg asked for it in 2009',
    reply:
      'HELO {helo} resolves to {addresses}, not to {client}; add an address record for {client}, or an SPF record for the name',
  },
} as const satisfies Record<string, FindingSpec>;

export const dnsFindings = {
  'dns-temperror': {
    basis: 'dns',
    summary: 'DNS could not answer, so something stays unknown',
    reference: 'RFC 5321 §4.2.5; RFC 8601 §2.7.3',
    weight: { rfc5321: 0, emailcore: 0, strict: 5 },
    reason: 'an unknown never becomes a no; the strict preset asks the client to come again',
    reply: 'HELO {helo} could not be checked: DNS gave no answer for {question} ({detail}); try again later',
    tempfailCode: 451,
    status: '4.3',
  },
} as const satisfies Record<string, FindingSpec>;

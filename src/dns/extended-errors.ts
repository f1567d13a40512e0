/** What the codes of Extended DNS Errors mean: the registry of IANA, in its words. */
import type { ExtendedError } from '../core/resolver.ts';

const MEANINGS: readonly string[] = [
  'Other Error',
  'Unsupported DNSKEY Algorithm',
  'Unsupported DS Digest Type',
  'Stale Answer',
  'Forged Answer',
  'DNSSEC Indeterminate',
  'DNSSEC Bogus',
  'Signature Expired',
  'Signature Not Yet Valid',
  'DNSKEY Missing',
  'RRSIGs Missing',
  'No Zone Key Bit Set',
  'NSEC Missing',
  'Cached Error',
  'Not Ready',
  'Blocked',
  'Censored',
  'Filtered',
  'Prohibited',
  'Stale NXDOMAIN Answer',
  'Not Authoritative',
  'Not Supported',
  'No Reachable Authority',
  'Network Error',
  'Invalid Data',
  'Signature Expired before Valid',
  'Too Early',
  'Unsupported NSEC3 Iterations Value',
  'Unable to conform to policy',
  'Synthesized',
];

/** For a person: the meaning of the code, and what the resolver says besides. Its text is not escaped. */
export function describeExtendedError({ code, text }: ExtendedError): string {
  const meaning = MEANINGS[code] ?? `extended error ${code}`;
  return text === '' ? meaning : `${meaning}: ${text}`;
}

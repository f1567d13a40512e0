/**
 * iprev of the client, and what it says of the HELO name: a verified reverse name under the same organisation
 * makes the two aligned. RFC 8601 §3.
 */
import {
  defineCheck,
  type Evidence,
  found,
  none,
  type Outcome,
  pass,
  type Proof,
  PROOF_LEAVES_NOTHING,
  temperror,
} from '../check.ts';
import type { Client } from '../client.ts';
import { isQueryName, organisation } from '../domain.ts';
import { type Helo, queryName } from '../helo.ts';
import { iprev } from '../iprev.ts';
import { holdsAddress } from '../reverse-name.ts';

export const reverseLookup = defineCheck({
  name: 'iprev',
  findings: {
    'iprev-fail': {
      basis: 'inferred',
      summary: "the names of the client's address do not lead back to it",
      reference: 'RFC 8601 §3',
      weight: { rfc5321: 2, emailcore: 2, strict: 4 },
      reason: 'as for iprev-none',
      reply:
        '{client} has the reverse name {names}, which does not lead back to it; make forward and reverse DNS agree',
      status: '7.25',
      mechanism: true,
      exclusive: 'reverse-name',
      excusedByProof: PROOF_LEAVES_NOTHING,
    },
    'iprev-none': {
      basis: 'inferred',
      summary: "the client's address has no name in the reverse tree",
      // RFC 8601 §2.7.3 calls that a permerror.
      said: 'no reverse name',
      reference: 'RFC 8601 §3',
      weight: { rfc5321: 2, emailcore: 2, strict: 4 },
      reason:
        '1.35 % of legitimate mail had no reverse name in 2009 (SpamAssassin mass-check); large receivers ask for it, RFC 5321 does not',
      reply: '{client} has no reverse name; ask your provider for a PTR record',
      status: '7.25',
      mechanism: true,
      exclusive: 'reverse-name',
      excusedByProof: PROOF_LEAVES_NOTHING,
    },
  },
  provesCorrespondence: true,
  reads: 'client',
  method: {
    heading: 'reverse name (iprev)',
    about: 'client',
    access: { key: 'ptr', takes: 'name', names: 'names' },
    results: { method: 'iprev', property: 'policy.iprev' },
  },
  async run({ ip, helo }, resolver): Promise<Outcome<'iprev-fail' | 'iprev-none'>> {
    if (ip === null) return none();
    const owner = organisationOf(helo);
    const { result, names, verified, trouble } = await iprev(ip, resolver, owner);
    switch (result) {
      case 'temperror':
        return temperror(trouble?.question ?? '', trouble?.detail ?? '');
      case 'permerror':
        return found('iprev-none', {}, 'permerror');
      case 'fail':
        return found('iprev-fail', { names: names.join(' ') });
      case 'pass': {
        const aligned = verified.find((reverse) => owner !== null && organisation(reverse) === owner);
        return aligned === undefined
          ? pass({ names: verified.join(' ') })
          : pass({ names: verified.join(' '), organisation: owner ?? '' }, 'aligned');
      }
    }
  },
});

/**
 * Whether the reverse name of the client says another organisation than the HELO name, or could not be had. A
 * client without any is nobody else's, and one that claims the HELO's organisation is at least not another's.
 */
export function mayBeAnothers({ helo }: Client, outcomes: Told): boolean {
  const told = outcomes.find(({ check }) => check === reverseLookup.name);
  if (told === undefined || told.result === 'permerror') return false;
  const owner = organisationOf(helo);
  const names = (told.evidence['names'] ?? '').split(' ').filter(isQueryName);
  return owner === null || !names.some((reverse) => organisation(reverse.toLowerCase()) === owner);
}

/**
 * What the reverse names of a client prove, as this check has told them. A name with the client's address
 * written into it proves nothing: access providers give one to every line.
 */
export function reverseProofs({ ip, helo }: Client, outcomes: Told): readonly Proof[] {
  if (ip === null) return [];
  const proper = verifiedNames(outcomes).filter((name) => !holdsAddress(name, ip));
  if (proper.length === 0) return [];
  const owner = organisationOf(helo);
  const aligned = owner !== null && proper.some((reverse) => organisation(reverse) === owner);
  return aligned ? ['aligned', 'reverse'] : ['reverse'];
}

/** The organisation that the HELO name says; null where it says none. */
function organisationOf(helo: Helo): string | null {
  const name = queryName(helo);
  return name === null ? null : organisation(name);
}

type Told = readonly { readonly check: string; readonly result: string; readonly evidence: Evidence }[];

/** The names that lead back to the client, canonical, as this check has told them. */
export function verifiedNames(outcomes: Told): readonly string[] {
  const told = outcomes.find(({ check, result }) => check === reverseLookup.name && result === 'pass');
  return told?.evidence['names']?.split(' ') ?? [];
}

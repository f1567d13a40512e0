/**
 * iprev of the client, and what it says of the HELO name: a verified reverse name under the same organisation
 * makes the two aligned. RFC 8601 §3.
 */
import {
  defineCheck,
  type Evidence,
  found,
  isOpen,
  NO_PROOFS,
  none,
  type Outcome,
  pass,
  type Proof,
  PROOF_LEAVES_NOTHING,
  temperror,
  unansweredEvidence,
} from '../check.ts';
import { isQueryName, organisation } from '../domain.ts';
import { type Helo, queryName } from '../helo.ts';
import type { IpAddress } from '../ip.ts';
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
      why: 'Whoever has an address can give it any reverse name, that of a stranger too. Only if that name leads back to the address is it known to be right.',
      reply: '{client} has the reverse name {names}, which does not lead back to it',
      fix: 'make forward and reverse DNS agree',
      status: '7.25',
      mechanism: true,
      aboutClientAlone: true,
      exclusive: 'reverse-name',
      excusedByProof: PROOF_LEAVES_NOTHING,
      cure: 'give-reverse-name',
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
      why: 'Whoever runs a mail server on purpose usually has a reverse name for its address. Hosts without one are mostly not meant to send mail.',
      reply: '{client} has no reverse name',
      fix: 'ask your provider for a PTR record',
      status: '7.25',
      mechanism: true,
      aboutClientAlone: true,
      exclusive: 'reverse-name',
      excusedByProof: PROOF_LEAVES_NOTHING,
      cure: 'give-reverse-name',
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
    const { result, names, verified, trouble, unanswered } = await iprev(ip, resolver, owner);
    switch (result) {
      case 'temperror':
        return { ...temperror(trouble?.question ?? '', trouble?.detail ?? ''), foreign: true };
      case 'permerror':
        // A client without any reverse name is not known to be somebody else's.
        return found('iprev-none', {}, 'permerror');
      case 'fail': {
        const failed = found('iprev-fail', { names: names.join(' ') });
        return claims(names, owner) ? failed : { ...failed, foreign: true };
      }
      case 'pass': {
        const shown = shownBy(verified, ip, owner);
        const { isAligned, proofs } = shown;
        const wanting = unanswered.find(({ name }) => {
          const more = shownBy([...verified, name], ip, owner);
          return more.isAligned !== isAligned || more.proofs !== proofs;
        });
        const seen = { names: verified.join(' '), ...unansweredEvidence(wanting ?? null) };
        return owner !== null && isAligned
          ? pass({ ...seen, organisation: owner }, 'aligned', proofs)
          : { ...pass(seen, 'none', proofs), foreign: true };
      }
    }
  },
});

/**
 * Whether one of the reverse names lies in the organisation of the HELO name. That may be a false claim, but
 * such a client is at least not known to be somebody else's.
 */
function claims(names: readonly string[], owner: string | null): boolean {
  if (owner === null) return false;
  return names.filter(isQueryName).some((reverse) => organisation(reverse.toLowerCase()) === owner);
}

interface Shown {
  readonly isAligned: boolean;
  readonly proofs: readonly Proof[];
}

/** What these reverse names show, or would show if they led back to the client. */
function shownBy(names: readonly string[], ip: IpAddress, owner: string | null): Shown {
  return { isAligned: claims(names, owner), proofs: proofsOf(names, ip, owner) };
}

/**
 * What verified reverse names prove. A name with the client's address written into it proves nothing: access
 * providers give one to every line.
 */
function proofsOf(verified: readonly string[], ip: IpAddress, owner: string | null): readonly Proof[] {
  const proper = verified.filter((name) => !holdsAddress(name, ip));
  if (proper.length === 0) return NO_PROOFS;
  return claims(proper, owner) ? OF_THE_OWNER : OF_ANYBODY;
}

const OF_THE_OWNER: readonly Proof[] = ['aligned', 'reverse'];
const OF_ANYBODY: readonly Proof[] = ['reverse'];

/** The organisation of the HELO name; null if it has none. */
export function organisationOf(helo: Helo): string | null {
  const name = queryName(helo);
  return name === null ? null : organisation(name);
}

/**
 * Whether the outcome is about the name's owner, and a reverse name might have made an authorization of it,
 * had the client's own zone answered.
 */
export function mightPermit(outcome: Pick<Outcome, 'evidence'> & { readonly check: string }): boolean {
  return outcome.check !== reverseLookup.name && isOpen(outcome);
}

type Told = readonly { readonly check: string; readonly result: string; readonly evidence: Evidence }[];

/** The names that lead back to the client, canonical, from this check's evidence. */
export function verifiedNames(outcomes: Told): readonly string[] {
  const told = outcomes.find(({ check, result }) => check === reverseLookup.name && result === 'pass');
  return told?.evidence['names']?.split(' ') ?? [];
}

/** The names by which senders are counted or sorted: the client's and that of its HELO name. */
import type { Assessment } from '../core/assessment.ts';
import { verifiedNames } from '../core/checks/iprev.ts';
import { organisation, registrableDomain } from '../core/domain.ts';
import { queryName } from '../core/helo.ts';

export interface SenderIdentity {
  /** Registrable domain of the HELO name; null for a literal, a single label or junk. */
  readonly domain: string | null;
  /** Verified reverse name of the client (iprev, RFC 8601 §3); null where there is none. */
  readonly reverse: string | null;
  /** Its registrable domain. */
  readonly reverseDomain: string | null;
}

/** Who is behind the two names: as a rule their registrable domains; below a private suffix, its customer. */
export interface SenderOrganisations {
  readonly domain: string | null;
  readonly reverseDomain: string | null;
}

/**
 * Of several reverse names, picks the HELO name itself, else one of its organisation, else the first in
 * alphabetical order: DNS changes the order from answer to answer.
 */
export function identityOf({ client, outcomes }: Pick<Assessment, 'client' | 'outcomes'>): SenderIdentity {
  const asked = queryName(client.helo);
  const domain = asked === null ? null : registrableDomain(asked);
  const names = verifiedNames(outcomes).toSorted();
  const reverse =
    names.find((name) => name === asked) ??
    names.find((name) => domain !== null && registrableDomain(name) === domain) ??
    names[0] ??
    null;
  return { domain, reverse, reverseDomain: reverse === null ? null : registrableDomain(reverse) };
}

export function organisationsOf(assessment: Pick<Assessment, 'client' | 'outcomes'>): SenderOrganisations {
  const asked = queryName(assessment.client.helo);
  const { reverse } = identityOf(assessment);
  return {
    domain: asked === null ? null : organisation(asked),
    reverseDomain: reverse === null ? null : organisation(reverse),
  };
}

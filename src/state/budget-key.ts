/**
 * The sender whose message is delayed: what the hosts of a pool have in common, although each gives its own
 * name and every try may come from another network.
 */
import type { Assessment } from '../core/assess.ts';
import { verifiedNames } from '../core/checks/iprev.ts';
import type { Client } from '../core/client.ts';
import { registrableDomain } from '../core/domain.ts';
import { queryName } from '../core/helo.ts';
import { networkText } from '../core/ip.ts';
import { holdsAddress } from '../core/reverse-name.ts';

export interface BudgetKey {
  /** Registrable domain of the HELO name. */
  readonly name: string;
  /** Registrable domain of the client's verified reverse name; null if none says whose host it is. */
  readonly organisation: string | null;
  /** The client's /24 or /64. */
  readonly network: string;
  /** What a stranger can cheaply get as a whole: that /24, or the /48 for IPv6. */
  readonly site: string;
}

/**
 * Whatever is not a registered name (literals, single labels, junk) counts as one name, since a pool's hosts
 * differ in it.
 */
const NAMELESS = '-';

export function budgetKey({ client, outcomes }: Pick<Assessment, 'client' | 'outcomes'>): BudgetKey {
  const asked = queryName(client.helo);
  const name = (asked === null ? null : registrableDomain(asked)) ?? NAMELESS;
  const { ip } = client;
  if (ip === null) return { name, organisation: null, network: 'unknown', site: 'unknown' };
  const network = networkText(ip, ip.family === 4 ? 24 : 64);
  return {
    name,
    organisation: organisationOf(client, verifiedNames(outcomes), name),
    network,
    site: ip.family === 4 ? network : networkText(ip, 48),
  };
}

/**
 * Of several, that of the HELO name, else the first in alphabetical order: DNS changes the order from answer
 * to answer.
 */
function organisationOf({ ip }: Client, names: readonly string[], own: string): string | null {
  const organisations = names
    .filter((name) => ip !== null && !holdsAddress(name, ip))
    .map(registrableDomain)
    .filter((each) => each !== null)
    .sort();
  return organisations.find((each) => each === own) ?? organisations[0] ?? null;
}

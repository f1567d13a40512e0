/**
 * The sender whose message is delayed: what the hosts of a pool have in common, although each gives its own
 * name and every try may come from another network.
 */
import type { Assessment } from '../core/assessment.ts';
import { verifiedNames } from '../core/checks/iprev.ts';
import { type ClientNetworks, networksOf } from '../core/client-networks.ts';
import type { Client } from '../core/client.ts';
import { registrableDomain } from '../core/domain.ts';
import { queryName } from '../core/helo.ts';
import { holdsAddress } from '../core/reverse-name.ts';

export interface BudgetKey extends ClientNetworks {
  /** Registrable domain of the HELO name. */
  readonly name: string;
  /** Registrable domain of the client's verified reverse name; null if none says whose host it is. */
  readonly organisation: string | null;
}

/**
 * Whatever is not a registered name (literals, single labels, junk) counts as one name, since a pool's hosts
 * differ in it.
 */
const NAMELESS = '-';

export function budgetKey({ client, outcomes }: Pick<Assessment, 'client' | 'outcomes'>): BudgetKey {
  const asked = queryName(client.helo);
  const name = (asked === null ? null : registrableDomain(asked)) ?? NAMELESS;
  const organisation = client.ip === null ? null : organisationOf(client, verifiedNames(outcomes), name);
  return { name, organisation, ...networksOf(client.ip) };
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

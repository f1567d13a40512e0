/** One check of one client, whose address may stand for another. */
import { atLeast, type Check, normalise, type Outcome } from './check.ts';
import type { Client } from './client.ts';
import { tunnelledIpv4 } from './embedded.ts';
import type { Resolver } from './resolver.ts';

/**
 * Runs a check. A client whose address comes from a tunnel is looked at under that address first, for which its site may
 * publish AAAA and PTR records and `ip6:` terms like any other; a check that has shown nothing then looks at the IPv4
 * address of the tunnel's end (see `tunnelledIpv4`), and the better of both outcomes holds. Rejects where the check does.
 */
export async function runCheck(check: Check, client: Client, resolver: Resolver): Promise<Outcome> {
  const own = normalise(await check.run(client, resolver));
  if (check.provesCorrespondence !== true || own.correspondence !== 'none' || own.optOut) return own;
  const end = client.ip === null ? null : tunnelledIpv4(client.ip);
  if (end === null) return own;
  const other = normalise(await check.run({ ...client, ip: end }, resolver));
  if (!isBetter(other, own)) return own;
  return { ...other, evidence: { ...other.evidence, embedded: end.text } };
}

/** More is shown; or as much, and a pass; or nobody could say, which is not a no. */
function isBetter(a: Outcome, b: Outcome): boolean {
  if (a.correspondence !== b.correspondence) return atLeast(a.correspondence, b.correspondence);
  const rank = ({ result }: Outcome): number => (result === 'pass' ? 0 : result === 'temperror' ? 1 : 2);
  return rank(a) < rank(b);
}

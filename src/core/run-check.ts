/** Runs one check for one client, whose address may embed another. */
import { atLeast, type Check, normalise, type Outcome } from './check.ts';
import type { Client } from './client.ts';
import { tunnelledIpv4 } from './embedded.ts';
import type { Resolver } from './resolver.ts';

/**
 * Runs a check. For a client from a tunnel it runs first with the client's own address, for which the site
 * may publish AAAA and PTR records and `ip6:` terms like any other; if that shows nothing, it runs again with
 * the IPv4 address at the tunnel's end (see `tunnelledIpv4`), and the better outcome counts. Rejects if the
 * check does.
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

/** Whether `a` shows more; or leaves open what `b` denies; or shows as much, and is a pass. */
function isBetter(a: Outcome, b: Outcome): boolean {
  if (a.correspondence !== b.correspondence) return atLeast(a.correspondence, b.correspondence);
  const rank = ({ result }: Outcome): number => (result === 'temperror' ? 0 : result === 'pass' ? 1 : 2);
  return rank(a) < rank(b);
}

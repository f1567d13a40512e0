/** Runs one check for one client, whose address may embed another. */
import { atLeast, type Check, normalise, type Outcome } from './check.ts';
import type { Client } from './client.ts';
import { tunnelledIpv4 } from './embedded.ts';
import type { IpAddress } from './ip.ts';
import type { Resolver } from './resolver.ts';

/**
 * Runs a check; a check that answers at once gives its outcome at once. For a client from a tunnel it runs
 * first with the client's own address, for which the site may publish AAAA and PTR records and `ip6:` terms
 * like any other; if that shows nothing, it runs again with the IPv4 address at the tunnel's end (see
 * `tunnelledIpv4`), and the better outcome counts. Throws or rejects if the check does.
 */
export function runCheck(check: Check, client: Client, resolver: Resolver): Outcome | Promise<Outcome> {
  const answer = check.run(client, resolver);
  // Whoever writes a check of his own may have a promise of another make.
  if (typeof answer === 'object' && 'then' in answer) return whole(check, client, resolver, answer);
  const own = normalise(answer);
  return againFrom(check, client, own) === null ? own : whole(check, client, resolver, own);
}

async function whole(
  check: Check,
  client: Client,
  resolver: Resolver,
  answer: ReturnType<Check['run']>,
): Promise<Outcome> {
  const own = normalise(await answer);
  const end = againFrom(check, client, own);
  if (end === null) return own;
  const other = normalise(await check.run({ ...client, ip: end }, resolver));
  if (!isBetter(other, own)) return own;
  return { ...other, evidence: { ...other.evidence, embedded: end.text } };
}

/** The address with which the check is to be run again; null if its outcome is enough. */
function againFrom(check: Check, { ip }: Client, own: Outcome): IpAddress | null {
  if (check.provesCorrespondence !== true || own.correspondence !== 'none' || own.optOut) return null;
  return ip === null ? null : tunnelledIpv4(ip);
}

/** Whether `a` shows more; or as much, and is a pass; or at least leaves open what `b` denies. */
function isBetter(a: Outcome, b: Outcome): boolean {
  if (a.correspondence !== b.correspondence) return atLeast(a.correspondence, b.correspondence);
  const rank = ({ result }: Outcome): number => (result === 'pass' ? 0 : result === 'temperror' ? 1 : 2);
  return rank(a) < rank(b);
}

/** Runs one check for one client, whose address may embed another. */
import { type Check, type CheckAnswer, isOpen, normalise, type Outcome } from './check.ts';
import type { Client } from './client.ts';
import { tunnelledIpv4 } from './embedded.ts';
import type { IpAddress } from './ip.ts';
import type { Resolver } from './resolver.ts';

/**
 * Runs a check. For a client from a tunnel it runs first with the client's own address, for which the site
 * may publish AAAA and PTR records and `ip6:` terms like any other; if that shows nothing, it runs again with
 * the IPv4 address at the tunnel's end (see `tunnelledIpv4`), and the better outcome counts. Throws or
 * rejects if the check does. No promise is made for a check that has its outcome at once.
 */
export function runCheck(
  check: Check,
  client: Client,
  resolver: Resolver,
  reverse: Resolver,
): Outcome | Promise<Outcome> {
  const answer = check.run(client, resolver, reverse);
  const further = (own: Outcome): Outcome | Promise<Outcome> => {
    if (check.provesCorrespondence !== true || own.correspondence !== 'none' || own.optOut) return own;
    const end = client.ip === null ? null : tunnelledIpv4(client.ip);
    return end === null ? own : atTheEnd(own, end);
  };
  const atTheEnd = async (own: Outcome, end: IpAddress): Promise<Outcome> => {
    const other = normalise(await check.run({ ...client, ip: end }, resolver, reverse));
    if (!isBetter(other, own)) return own;
    return { ...other, evidence: { ...other.evidence, embedded: end.text } };
  };
  if (isPending(answer)) return Promise.resolve(answer).then((own) => further(normalise(own)));
  return further(normalise(answer));
}

/** Also for a promise of another making: the operator's own checks may return what they like. */
function isPending<T extends CheckAnswer<string>>(answer: T | Promise<T>): answer is Promise<T> {
  return typeof answer === 'object' && 'then' in answer;
}

/** Whether `a` says more for the client, or leaves more open, than `b`. */
function isBetter(a: Outcome, b: Outcome): boolean {
  return RANKS.findIndex((isSo) => isSo(a)) < RANKS.findIndex((isSo) => isSo(b));
}

/**
 * Best first. A neighbour is no proof, and may be refuted: what leaves something open goes before it, and
 * before whatever shows nothing.
 */
const RANKS: readonly ((outcome: Outcome) => boolean)[] = [
  ({ correspondence }) => correspondence === 'exact',
  ({ correspondence }) => correspondence === 'authorized',
  ({ correspondence }) => correspondence === 'aligned',
  ({ result }) => result === 'temperror',
  isOpen,
  ({ correspondence }) => correspondence === 'near',
  ({ result }) => result === 'pass',
  () => true,
];

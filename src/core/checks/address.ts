/**
 * Is the client one of the addresses of the name it gives (exact), or their neighbour in the same /24 or /64,
 * as the hosts of a pool are (near)? RFC 5321 §4.1.4: a server MAY verify this.
 */
import { type AddressAnswer, addressesOf, addressTexts } from '../address-answers.ts';
import { defineCheck, none, type Outcome, pass, temperror } from '../check.ts';
import { embeddedIpv4, sameHost } from '../embedded.ts';
import { queryName } from '../helo.ts';
import { type IpAddress, sharesPrefix } from '../ip.ts';
import type { Resolver } from '../resolver.ts';

export const addressMatches = defineCheck({
  name: 'address',
  findings: {},
  provesCorrespondence: true,
  method: { heading: 'address of the name', about: 'helo' },
  async run({ ip, helo }, resolver): Promise<Outcome<never>> {
    const name = queryName(helo);
    if (name === null || ip === null) return none();
    const type = ip.family === 4 ? 'A' : 'AAAA';
    const own = await resolver.lookup(name, type);
    const answer = isAmong(own, ip) ? own : await withEmbedded(own, name, ip, resolver);
    if (answer.status === 'temperror') return temperror(`${name} ${type}`, answer.detail);
    if (answer.status !== 'found') return none({ detail: `no ${type} record` });
    const addresses = addressesOf(answer);
    const evidence = { addresses: addressTexts(addresses) };
    if (isAmong(answer, ip)) return pass(evidence, 'exact');
    const width = ip.family === 4 ? 24 : 64;
    const neighbour = addresses.find((address) => sharesPrefix(address, ip, width));
    if (neighbour !== undefined) {
      return none({ ...evidence, neighbour: neighbour.text, network: `/${width}` }, 'near');
    }
    return { ...none(evidence), result: 'fail' };
  },
});

function isAmong(answer: AddressAnswer, ip: IpAddress): boolean {
  return addressesOf(answer).some((address) => sameHost(address, ip));
}

/**
 * An AAAA record may hold an IPv4 address (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2; that of a translator or a
 * tunnel, see `embedded.ts`), and then names an IPv4 client as well as an A record does; so does an A record
 * a client whose address embeds it. Nothing else of the other family says anything about the client.
 */
async function withEmbedded(
  own: AddressAnswer,
  name: string,
  ip: IpAddress,
  resolver: Resolver,
): Promise<AddressAnswer> {
  if (ip.family === 6 && embeddedIpv4(ip) === null) return own;
  const other = await resolver.lookup(name, ip.family === 4 ? 'AAAA' : 'A');
  return isAmong(other, ip) ? other : own;
}

/**
 * An outcome of version 0.1.0, which took every neighbour for `aligned`: what this check shows is `exact`, or
 * a neighbour.
 */
export function asNeighbour<T extends Outcome & { readonly check: string }>(outcome: T): T {
  const isOurs = outcome.check === addressMatches.name && outcome.correspondence === 'aligned';
  return isOurs ? { ...outcome, correspondence: 'near' } : outcome;
}

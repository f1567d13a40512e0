/**
 * Is the client one of the addresses of the name it gives (exact), or their neighbour in the same /24 or /64,
 * as the hosts of a pool are (aligned)? RFC 5321 §4.1.4: a server MAY verify this.
 */
import { defineCheck, none, type Outcome, pass, temperror } from '../check.ts';
import { queryName } from '../helo.ts';
import { parseIp, sameIp, sharesPrefix } from '../ip.ts';

export const addressMatches = defineCheck({
  name: 'address',
  findings: {},
  provesCorrespondence: true,
  method: { heading: 'address of the name', about: 'helo' },
  async run({ ip, helo }, resolver): Promise<Outcome<never>> {
    const name = queryName(helo);
    if (name === null || ip === null) return none();
    // Only the client's own family can hold its address; the other says nothing about it.
    const type = ip.family === 4 ? 'A' : 'AAAA';
    const answer = await resolver.lookup(name, type);
    if (answer.status === 'temperror') return temperror(`${name} ${type}`, answer.detail);
    if (answer.status !== 'found') return none({ detail: `no ${type} record` });
    const addresses = answer.records.map(parseIp).filter((address) => address !== null);
    const evidence = { addresses: addresses.map((address) => address.text).join(' ') };
    if (addresses.some((address) => sameIp(address, ip))) return pass(evidence, 'exact');
    const width = ip.family === 4 ? 24 : 64;
    const neighbour = addresses.find((address) => sharesPrefix(address, ip, width));
    if (neighbour !== undefined) {
      return none({ ...evidence, neighbour: neighbour.text, network: `/${width}` }, 'aligned');
    }
    return { ...none(evidence), result: 'fail' };
  },
});

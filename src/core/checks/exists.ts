/**
 * Does the HELO name exist, and can it be reached? RFC 5321 §2.3.5: a name that resolves to an address
 * record.
 */
import { defineCheck, type Evidence, found, type Outcome, pass, temperror } from '../check.ts';
import type { Client } from '../client.ts';
import { isPublicSuffix, registrableDomain } from '../domain.ts';
import { queryName } from '../helo.ts';
import { type IpAddress, isPrivateAddress, parseIp, sameIp } from '../ip.ts';
import type { Answer, Resolver } from '../resolver.ts';

export const nameExists = defineCheck({
  name: 'exists',
  findings: {
    'helo-unregistered': {
      basis: 'existence',
      summary: 'the registrable domain of the HELO name does not exist',
      reference: 'RFC 5321 §2.3.5',
      weight: 10,
      reason: 'nobody owns the name, so its DNS cannot be fixed and nobody can be asked',
      reply: 'HELO {helo}: the domain {domain} is not registered; announce a name that you own',
    },
    'helo-nxdomain': {
      basis: 'existence',
      summary: 'the HELO name does not exist in DNS',
      reference: 'RFC 5321 §2.3.5',
      weight: { rfc5321: 5, emailcore: 10, strict: 10 },
      reason:
        'Postfix answers 450 to it by default, since the owner may fix it; the applicability statement allows more',
      reply: 'HELO {helo} does not exist in DNS; publish an address record for it: {helo} IN {type} {client}',
    },
    'helo-no-address': {
      basis: 'existence',
      summary: 'the HELO name exists but has no address record',
      reference: 'RFC 5321 §2.3.5',
      weight: { rfc5321: 5, emailcore: 10, strict: 10 },
      reason: 'a name with an MX alone is not enough for EHLO; the owner may fix it',
      reply: 'HELO {helo} has no A or AAAA record; publish one: {helo} IN {type} {client}',
    },
    'helo-private-address': {
      basis: 'existence',
      summary: 'the HELO name has no address that can be reached from outside',
      reference: 'RFC 6890; RFC 5321 §2.3.5',
      weight: { rfc5321: 5, emailcore: 10, strict: 10 },
      reason: 'not resolvable in the public sense; the owner may fix it',
      reply: 'HELO {helo} resolves to {addresses} only, which is not public; publish its public address',
    },
  },
  async run(client, resolver): Promise<'none' | Outcome<ExistenceId>> {
    const name = queryName(client.helo);
    if (name === null) return 'none';
    const [a, aaaa] = await Promise.all([resolver.lookup(name, 'A'), resolver.lookup(name, 'AAAA')]);
    const addresses = addressesOf(a, aaaa);
    if (addresses.length > 0) return reachable(client, addresses, a, aaaa);
    const evidence = { helo: client.helo.text, type: client.ip?.family === 6 ? 'AAAA' : 'A' };
    // NXDOMAIN from either question denies the name as a whole, whatever became of the other (RFC 8020).
    if (a.status === 'nxdomain' || aaaa.status === 'nxdomain') return absent(name, evidence, resolver);
    const trouble = unknownOf(name, a, aaaa);
    if (trouble !== null) return trouble;
    const txt = await resolver.lookup(name, 'TXT');
    // A name with nothing but a text may be trying to tell us something ("mobile host"): quote it.
    return found('helo-no-address', {
      ...evidence,
      ...(txt.status === 'found' ? { txt: txt.records[0] ?? '' } : {}),
    });
  },
});

/**
 * The addresses of the name as this check has told them, with a blank between them; undefined where it has
 * none.
 */
export function addressesOfName(
  outcomes: readonly { readonly check: string; readonly result: string; readonly evidence: Evidence }[],
): string | undefined {
  const exists = outcomes.find(({ check, result }) => check === nameExists.name && result === 'pass');
  return exists?.evidence['addresses'];
}

type ExistenceId = 'helo-unregistered' | 'helo-nxdomain' | 'helo-no-address' | 'helo-private-address';

function addressesOf(a: Answer<'A'>, aaaa: Answer<'AAAA'>): IpAddress[] {
  const texts = [
    ...(a.status === 'found' ? a.records : []),
    ...(aaaa.status === 'found' ? aaaa.records : []),
  ];
  return texts.map(parseIp).filter((address) => address !== null);
}

function unknownOf(name: string, a: Answer<'A'>, aaaa: Answer<'AAAA'>): Outcome<never> | null {
  if (a.status === 'temperror') return temperror(`${name} A`, a.detail);
  return aaaa.status === 'temperror' ? temperror(`${name} AAAA`, aaaa.detail) : null;
}

function reachable(
  { ip, helo }: Client,
  addresses: readonly IpAddress[],
  a: Answer<'A'>,
  aaaa: Answer<'AAAA'>,
): Outcome<ExistenceId> {
  const texts = addresses.map((address) => address.text).join(' ');
  if (!addresses.every(isPrivateAddress)) return pass({ addresses: texts });
  // A client that comes from that private address can evidently be reached at it.
  if (ip !== null && addresses.some((address) => sameIp(address, ip))) return pass({ addresses: texts });
  const trouble = unknownOf(queryName(helo) ?? '', a, aaaa);
  return trouble ?? found('helo-private-address', { helo: helo.text, addresses: texts });
}

async function absent(
  name: string,
  evidence: Readonly<Record<string, string>>,
  resolver: Resolver,
): Promise<Outcome<ExistenceId>> {
  const domain = registrableDomain(name);
  if (domain === null) return found('helo-nxdomain', evidence);
  const unregistered = domain === name || (await resolver.lookup(domain, 'NS')).status === 'nxdomain';
  if (!unregistered) return found('helo-nxdomain', evidence);
  // A resolver that is cut off from the root may deny everything, and would have us refuse everybody for
  // good.
  const top = name.slice(name.lastIndexOf('.') + 1);
  if (isPublicSuffix(top) && (await resolver.lookup(top, 'NS')).status === 'nxdomain')
    return temperror(`${top} NS`, 'denied');
  return found('helo-unregistered', { helo: evidence['helo'] ?? name, domain });
}

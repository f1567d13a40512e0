/**
 * Does the HELO name exist, and can it be reached? RFC 5321 §2.3.5: a name that resolves to an address
 * record.
 */
import { type AddressAnswer, addressesOf, addressTexts } from '../address-answers.ts';
import {
  CORRESPONDENCE_OUTWEIGHS_EXISTENCE,
  defineCheck,
  type Evidence,
  type Finding,
  found,
  type Outcome,
  pass,
  REVERSE_NAME_MAKES_IT_TEMPORARY,
  temperror,
} from '../check.ts';
import type { Client } from '../client.ts';
import { isPublicSuffix, registrableDomain } from '../domain.ts';
import { isUnreachable, sameHost } from '../embedded.ts';
import { queryName } from '../helo.ts';
import { type IpAddress, literalText } from '../ip.ts';
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
      why: 'The domain of this name does not exist, so nobody is responsible for it, and nobody can be asked.',
      reply: 'HELO {helo}: the domain {domain} is not registered',
      fix: 'announce a name that you own',
      excusedByProof: REVERSE_NAME_MAKES_IT_TEMPORARY,
      cure: 'announce',
    },
    'helo-nxdomain': {
      basis: 'existence',
      summary: 'the HELO name does not exist in DNS, or is an alias of one that does not',
      reference: 'RFC 5321 §2.3.5; RFC 6604 §3',
      weight: { rfc5321: 5, emailcore: 10, strict: 10 },
      reason:
        'Postfix answers 450 to it by default, since the owner may fix it; the applicability statement allows more',
      why: 'A name that is not in DNS can be made up by anybody. Mail servers have an address record, so that others can see whose they are.',
      remedies: ['announce'],
      reply: 'HELO {helo} does not exist in DNS',
      replyWith: { target: 'HELO {helo} is an alias of {target}, which leads nowhere' },
      fix: 'publish an address record for it: {helo} IN {type} {client}',
      fixWith: { target: 'point it at a host or remove it' },
      excusedByProof: CORRESPONDENCE_OUTWEIGHS_EXISTENCE,
      cure: 'give-address',
    },
    'helo-no-address': {
      basis: 'existence',
      summary: 'the HELO name exists but has no address record',
      reference: 'RFC 5321 §2.3.5',
      weight: { rfc5321: 5, emailcore: 10, strict: 10 },
      reason: 'a name with an MX alone is not enough for EHLO; the owner may fix it',
      why: 'RFC 5321 asks for a name with an address record. Without one nobody can see that the name belongs to your server.',
      remedies: ['announce'],
      reply: 'HELO {helo} has no A or AAAA record',
      replyWith: {
        target: 'HELO {helo} is an alias of {target}, which has no A or AAAA record',
        txt: "HELO {helo} has no A or AAAA record, only a text, '{txt}'",
      },
      fix: 'publish one: {helo} IN {type} {client}',
      fixWith: {
        target: 'point it at a host',
        // "Mobile host": it cannot keep an address record.
        txt: "a host without an address of its own may announce {literal}, or publish _auth TXT 'method=none' for its name, or use the mail relay of its provider; any other publishes an address, or SPF for its name",
      },
      excusedByProof: CORRESPONDENCE_OUTWEIGHS_EXISTENCE,
      cure: 'give-address',
      cureWith: { target: 'give-address', txt: 'opt-out' },
    },
    'helo-private-address': {
      basis: 'existence',
      summary: 'the HELO name has no address that can be reached from outside',
      reference: 'RFC 6890; RFC 5321 §2.3.5',
      weight: { rfc5321: 5, emailcore: 10, strict: 10 },
      reason: 'not resolvable in the public sense; the owner may fix it',
      why: "The address published for this name only exists inside somebody's network, so nobody outside can see that the name belongs to your server.",
      remedies: ['announce'],
      reply: 'HELO {helo} resolves to {addresses} only, which is not public',
      fix: 'publish its public address',
      excusedByProof: CORRESPONDENCE_OUTWEIGHS_EXISTENCE,
      cure: 'give-address',
    },
  },
  resolvesTo: 'addresses',
  async run(client, resolver): Promise<'none' | Outcome<ExistenceId>> {
    const { helo, ip } = client;
    const name = queryName(helo);
    if (name === null) return 'none';
    const asked = [resolver.lookup(name, 'A'), resolver.lookup(name, 'AAAA')] as const;
    // Somebody else's resolver may throw, and then nobody waits for the second.
    for (const question of asked) question.catch(() => undefined);
    // If an address of the client's own family is the client's, the name is shown to be its own, and we do
    // not wait for a server that ignores the other question (RFC 4074 §4.1).
    const own = addressesOf(await asked[ip?.family === 6 ? 1 : 0]);
    if (ip !== null && own.some((address) => sameHost(address, ip)))
      return pass({ addresses: addressTexts(own) });
    const answers = await Promise.all(asked);
    const addresses = addressesOf(...answers);
    const trouble = unknownOf(name, answers);
    if (addresses.length > 0) return reachable(client, addresses, trouble);
    // NXDOMAIN denies the name as a whole (RFC 8020), but some servers give it for a type that they do not
    // know (RFC 4074 §4.2): it counts only if the other question was answered too.
    if (trouble !== null) return trouble;
    const evidence = { helo: helo.text, type: ip?.family === 6 ? 'AAAA' : 'A' };
    if (answers.some(({ status }) => status === 'nxdomain')) return absent(name, evidence, answers, resolver);
    const [txt, target] = await Promise.all([resolver.lookup(name, 'TXT'), aliasOf(name, resolver)]);
    return found('helo-no-address', { ...evidence, ...target.evidence, ...textOf(txt, ip) });
  },
});

/**
 * A name with nothing but a text may be trying to tell us something ("mobile host"); records for programs do
 * not.
 */
function textOf(answer: Answer<'TXT'>, ip: IpAddress | null): Evidence {
  const records = answer.status === 'found' ? answer.records : [];
  const [txt = ''] = records.some((record) => /^v=/i.test(record)) ? [] : records;
  return txt === '' ? {} : { txt, literal: ip === null ? 'its address in brackets' : literalText(ip) };
}

/** Whether the name has nothing but a text for people: see `textOf`. */
export function hasOnlyText(found: readonly Finding[]): boolean {
  return found.some(
    ({ id, evidence }) =>
      id === 'helo-no-address' && evidence['txt'] !== undefined && evidence['target'] === undefined,
  );
}

type ExistenceId = 'helo-unregistered' | 'helo-nxdomain' | 'helo-no-address' | 'helo-private-address';

function unknownOf(name: string, answers: readonly [Answer<'A'>, Answer<'AAAA'>]): Outcome<never> | null {
  const [a, aaaa] = answers;
  if (a.status === 'temperror') return temperror(`${name} A`, a.detail);
  return aaaa.status === 'temperror' ? temperror(`${name} AAAA`, aaaa.detail) : null;
}

function reachable(
  { ip, helo }: Client,
  addresses: readonly IpAddress[],
  trouble: Outcome<never> | null,
): Outcome<ExistenceId> {
  const evidence = { addresses: addressTexts(addresses) };
  if (!addresses.every(isUnreachable)) return pass(evidence);
  // A client that comes from that private address can evidently be reached at it.
  if (ip !== null && addresses.some((address) => sameHost(address, ip))) return pass(evidence);
  return trouble ?? found('helo-private-address', { helo: helo.text, ...evidence });
}

/** Whether the name itself exists, as an alias; with its target as evidence. */
interface Alias {
  readonly status: Answer<'CNAME'>['status'];
  readonly evidence: Evidence;
}

/** The name's own alias record: a question for the CNAME record itself does not follow it. */
async function aliasOf(name: string, resolver: Resolver): Promise<Alias> {
  const answer = await resolver.lookup(name, 'CNAME');
  const target = answer.status === 'found' ? answer.records[0] : undefined;
  return { status: answer.status, evidence: target === undefined ? {} : { target } };
}

/**
 * The name is denied. Behind an alias the denial belongs to the last name of the chain (RFC 6604 §3, RFC 2308
 * §2.1), so an alias that leads nowhere exists itself, and so does its domain.
 */
async function absent(
  name: string,
  evidence: Evidence & { readonly helo: string },
  answers: readonly AddressAnswer[],
  resolver: Resolver,
): Promise<Outcome<ExistenceId>> {
  const domain = registrableDomain(name);
  const [own, above] = await Promise.all([
    aliasOf(name, resolver),
    domain === null || domain === name ? null : denialOf(domain, resolver),
  ]);
  const denied = found('helo-nxdomain', { ...evidence, ...own.evidence });
  if (domain === null) return denied;
  // One that says only that there is no such record says that the name is there (RFC 4074 §4.2).
  if (answers.some(({ status }) => status !== 'nxdomain')) return denied;
  const status = above ?? own.status;
  if (status === 'temperror') {
    const finding = {
      id: 'helo-nxdomain',
      evidence: denied.evidence,
      mightBe: ['helo-unregistered'],
    } as const;
    return { ...denied, finding };
  }
  if (status !== 'nxdomain') return denied;
  // A resolver that is cut off from the root may deny everything, and would have us refuse everybody for
  // good.
  const top = name.slice(name.lastIndexOf('.') + 1);
  if (isPublicSuffix(top)) {
    const control = await resolver.lookup(top, 'NS');
    if (control.status === 'nxdomain') return temperror(`${top} NS`, 'denied');
    if (control.status === 'temperror') return temperror(`${top} NS`, control.detail);
  }
  return found('helo-unregistered', { helo: evidence.helo, domain });
}

/**
 * `nxdomain` if two questions agree that there is no such domain, neither of them answered for an alias'
 * target; `temperror` if they might, but for an answer that did not come.
 */
async function denialOf(domain: string, resolver: Resolver): Promise<Answer<'NS'>['status']> {
  const answers = await Promise.all([resolver.lookup(domain, 'NS'), resolver.lookup(domain, 'CNAME')]);
  const said = answers.map(({ status }) => status).filter((status) => status !== 'nxdomain');
  return said.find((status) => status !== 'temperror') ?? said[0] ?? 'nxdomain';
}

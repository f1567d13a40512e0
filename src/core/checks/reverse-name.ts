/**
 * What is told by the verified reverse names of a client (see `iprev.ts`): another host than its HELO name
 * does, or no host at all. Receivers are known that ask for more than RFC 5321 does; those who want to follow
 * them give these findings a weight.
 */
import { defineCheck, found, PROOF_LEAVES_NOTHING, temperror } from '../check.ts';
import { registrableDomain } from '../domain.ts';
import { queryName } from '../helo.ts';
import type { IpAddress } from '../ip.ts';
import { iprev } from '../iprev.ts';
import { holdsAddress } from '../reverse-name.ts';
import { encodingOf } from './dynamic.ts';
import { organisationOf } from './iprev.ts';

export const otherReverseName = defineCheck({
  name: 'reverse-other',
  findings: {
    'iprev-other-name': {
      basis: 'inferred',
      summary: 'the HELO name is none of the verified reverse names of the client',
      reference: "local practice: Fastmail's x-ptr, Haraka's rdns_match, GMX's rule for senders",
      weight: 0,
      reason:
        'hosts with several names are common, and RFC 5321 §4.1.4 forbids a refusal for this; a site that wants both names to agree raises this one weight',
      why: 'A host that has one name in DNS and gives another is harder to recognise.',
      remedies: ['announce', 'give-reverse-name'],
      reply: 'HELO {helo} is not the reverse name of {client}, {names}',
      fix: 'announce that name, or change the PTR record',
      excusedByProof: PROOF_LEAVES_NOTHING,
    },
  },
  reads: 'client',
  async run({ ip, helo }, resolver) {
    const name = queryName(helo);
    if (ip === null || name === null) return 'none';
    const { trouble, verified, unanswered } = await iprev(ip, resolver, organisationOf(helo));
    if (verified.includes(name)) return 'pass';
    const open = trouble ?? unanswered.find((each) => each.name === name) ?? null;
    if (open !== null) return temperror(open.question, open.detail);
    if (verified.length === 0) return 'none';
    return found('iprev-other-name', { helo: helo.text, names: verified.join(' ') });
  },
});

export const genericReverseName = defineCheck({
  name: 'reverse-generic',
  findings: {
    'iprev-generic': {
      basis: 'inferred',
      summary: "the client's reverse name is made from its address, or says that the address is dynamic",
      reference: "local practice: rspamd's HFILTER_HOSTNAME, T-Online's rule for senders",
      weight: 0,
      reason:
        'large mail services name their pools like this too; a site that wants no mail from access lines raises this one weight',
      why: 'Such reverse names are given to access lines. Mail straight from such a line mostly comes from infected machines.',
      remedies: ['give-reverse-name', 'send-by-relay'],
      reply: '{client} has the reverse name {names}, like that of an access line ({pattern})',
      fix: 'ask your provider for a PTR record with a name of your own, or use its mail relay',
      aboutClientAlone: true,
      excusedByProof: PROOF_LEAVES_NOTHING,
    },
  },
  reads: 'client',
  async run({ ip, helo }, resolver) {
    if (ip === null) return 'none';
    const { trouble, verified, unanswered } = await iprev(ip, resolver, organisationOf(helo));
    const patterns = verified.map((name) => patternOf(name, ip));
    // One name of its own is enough for a host, whatever else its provider has written.
    const [pattern] = patterns;
    if (pattern === null || patterns.includes(null)) return 'pass';
    const open = trouble ?? unanswered.find((each) => patternOf(each.name, ip) === null) ?? null;
    if (open !== null) return temperror(open.question, open.detail);
    if (pattern === undefined) return 'none';
    return found('iprev-generic', { names: verified.join(' '), pattern });
  },
});

/**
 * Words that tell of an address on loan. Fewer than those that `helo-dynamic` takes beside two octets: `pool`
 * and `client` also stand in the names of mail services.
 */
const LENT =
  /(?:^|[^a-z])(a?dsl|broadband|dhcp|dial(?:up|in)?|dyn(?:amic)?(?:ip)?|ftth|ppp(?:oe)?|residential)(?:[^a-z]|$)/;

/**
 * What makes the name a generic one, for a person; null if nothing does. The registrable domain does not
 * count.
 */
function patternOf(name: string, ip: IpAddress): string | null {
  if (holdsAddress(name, ip)) return encodingOf(name, ip) ?? 'parts of the address';
  const domain = registrableDomain(name) ?? '';
  return LENT.exec(name.slice(0, name.length - domain.length))?.[1] ?? null;
}

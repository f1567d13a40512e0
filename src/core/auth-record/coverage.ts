/** Is the client in the `helo=` list of an owner record? */
import { canonicalName, isQueryName } from '../domain.ts';
import { type IpAddress, parseIp, prefixContains, sameIp } from '../ip.ts';
import type { Resolver } from '../resolver.ts';
import type { SpfOutcome } from '../spf/index.ts';
import type { HeloList, Reference } from './record.ts';

export type Coverage =
  | { readonly state: 'covered'; readonly by: string; readonly tooWide: string | null }
  /** Every word of the list was understood and answered, and none covers the client. */
  | { readonly state: 'uncovered' }
  /** The list cannot say no: it has words we cannot read, or SPF that does not commit itself. */
  | { readonly state: 'absent' | 'unsure' | 'temperror'; readonly detail: string };

/** RFC 7208 §4.6.4 has the same limit for MX hosts. */
const MAX_MX_HOSTS = 10;

/**
 * Blocks are compared first and cost nothing; references are looked up, together, only where no block
 * matches.
 */
export async function coverage(
  ip: IpAddress,
  domain: string,
  list: HeloList | null,
  resolver: Resolver,
  methods: { readonly spf: (domain: string) => Promise<SpfOutcome> },
): Promise<Coverage> {
  if (list === null) return { state: 'absent', detail: 'no helo= list' };
  const block = list.blocks.find(({ prefixes }) => prefixes.some((prefix) => prefixContains(prefix, ip)));
  if (block !== undefined) return { state: 'covered', by: block.text, tooWide: null };
  const answers = await Promise.all(
    list.references.map((reference) => follow(ip, domain, reference, resolver, methods)),
  );
  const states = ['covered', 'temperror', 'unsure'] as const;
  for (const state of states) {
    const answer = answers.find((candidate) => candidate.state === state);
    if (answer !== undefined) return answer;
  }
  const [unread] = list.unread;
  return unread === undefined
    ? { state: 'uncovered' }
    : { state: 'unsure', detail: `helo= has a word we cannot read: ${unread.slice(0, 80)}` };
}

async function follow(
  ip: IpAddress,
  domain: string,
  reference: Reference,
  resolver: Resolver,
  { spf }: { readonly spf: (domain: string) => Promise<SpfOutcome> },
): Promise<Coverage> {
  switch (reference) {
    case 'A':
      return addressCoverage(ip, [domain], 'A', resolver);
    case 'MX':
      return mxCoverage(ip, domain, resolver);
    case 'SPF':
      return spfCoverage(await spf(domain));
  }
}

/** Is the client an address of one of the hosts? In its own family: the other cannot match. */
async function addressCoverage(
  ip: IpAddress,
  hosts: readonly string[],
  by: Reference,
  resolver: Resolver,
): Promise<Coverage> {
  const type = ip.family === 4 ? 'A' : 'AAAA';
  const answers = await Promise.all(hosts.map((host) => resolver.lookup(host, type)));
  let trouble: string | null = null;
  for (const [i, answer] of answers.entries()) {
    if (answer.status === 'temperror') trouble ??= `${hosts[i] ?? ''} ${type}: ${answer.detail}`;
    if (answer.status === 'found' && answer.records.some((text) => isAddress(text, ip))) {
      return { state: 'covered', by, tooWide: null };
    }
  }
  return trouble === null ? { state: 'uncovered' } : { state: 'temperror', detail: trouble };
}

async function mxCoverage(ip: IpAddress, domain: string, resolver: Resolver): Promise<Coverage> {
  const answer = await resolver.lookup(domain, 'MX');
  if (answer.status === 'temperror') {
    return { state: 'temperror', detail: `${domain} MX: ${answer.detail}` };
  }
  if (answer.status !== 'found') return { state: 'uncovered' };
  const hosts = [...new Set(answer.records.map(({ exchange }) => canonicalName(exchange)))].filter(
    isQueryName,
  );
  const checked = await addressCoverage(ip, hosts.slice(0, MAX_MX_HOSTS), 'MX', resolver);
  return checked.state === 'uncovered' && hosts.length > MAX_MX_HOSTS
    ? { state: 'unsure', detail: `${domain} has more than ${MAX_MX_HOSTS} MX hosts` }
    : checked;
}

/**
 * Only a fail keeps the client out; the softer words are "accept, and count it against the name" (MacQuigg).
 */
function spfCoverage({ result, detail, tooWide }: SpfOutcome): Coverage {
  switch (result) {
    case 'pass':
      return { state: 'covered', by: 'SPF', tooWide };
    case 'fail':
      return { state: 'uncovered' };
    case 'temperror':
      return { state: 'temperror', detail };
    case 'none':
    case 'neutral':
    case 'softfail':
    case 'permerror':
      return { state: 'unsure', detail: `SPF: ${result}` };
  }
}

function isAddress(text: string, ip: IpAddress): boolean {
  const address = parseIp(text);
  return address !== null && sameIp(address, ip);
}

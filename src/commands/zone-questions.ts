/**
 * The questions of `check` beyond the assessment, which show a person what a zone is like; the service never
 * asks them.
 */
import { type Remark, remarksOn } from '../advice/remarks.ts';
import type { Assessment } from '../core/assessment.ts';
import { canonicalName, registrableDomain } from '../core/domain.ts';
import { queryName } from '../core/helo.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import type { Resolver } from '../core/resolver.ts';

/**
 * How many names have their chains of aliases followed, and for how many aliases: more than any resolver
 * follows.
 */
const MOST_NAMES = 3;
const MOST_ALIASES = 20;

/** All remarks; `label` is one that nobody has given to a host. */
export async function remarks(
  { client, dns }: Pick<Assessment, 'client' | 'dns'>,
  resolver: Resolver,
  label: string,
): Promise<readonly Remark[]> {
  const asked = await Promise.all([
    wildcard(queryName(client.helo), dns, resolver, label),
    ...failedNames(dns).map((name) => aliases(name, resolver)),
  ]);
  return [...asked.flat(), ...remarksOn(client, dns)];
}

/**
 * Asks once for a sibling of the HELO name that nobody can have published: if it has an address, that comes
 * from a wildcard (RFC 4592), or from a resolver that makes answers up. If it has none, that proves nothing
 * about other types or other parents. Not asked directly below a registry's suffix, or if the name itself has
 * no address.
 */
async function wildcard(
  name: string | null,
  dns: readonly DnsAnswer[],
  resolver: Resolver,
  label: string,
): Promise<Remark[]> {
  const own = dns.find(
    (answer) => answer.name === name && isAddressType(answer.type) && answer.status === 'found',
  );
  if (name === null || own === undefined || !isAddressType(own.type)) return [];
  if (registrableDomain(name) === name || registrableDomain(name) === null) return [];
  const parent = name.slice(name.indexOf('.') + 1);
  const beside = await resolver.lookup(`${label}.${parent}`, own.type);
  if (beside.status !== 'found') return [];
  const same = sorted(beside.records) === sorted(own.records);
  const said = same
    ? `gives any name below it the ${own.type} records of ${name}, which so need not be a host of its own`
    : `gives any name below it an ${own.type} record (${beside.records.slice(0, 3).join(', ')}); ${name} has its own`;
  return [
    {
      kind: 'wildcard',
      name: parent,
      text: `${said} (one made-up name was asked: a wildcard, or the resolver)`,
    },
  ];
}

function isAddressType(type: DnsAnswer['type']): type is 'A' | 'AAAA' {
  return type === 'A' || type === 'AAAA';
}

function sorted(records: readonly string[]): string {
  return [...records].sort().join(' ');
}

/** Names that the resolver gave up on: it also does so for a loop of aliases, and does not say why. */
function failedNames(dns: readonly DnsAnswer[]): string[] {
  const failed = dns.filter(
    ({ status, records: [detail = ''] }) =>
      status === 'temperror' && (detail === 'servfail' || detail === 'badresp'),
  );
  return [...new Set(failed.map(({ name }) => canonicalName(name)))].slice(0, MOST_NAMES);
}

/** Follows the aliases of a name one by one: a question for the CNAME record itself is not redirected. */
async function aliases(name: string, resolver: Resolver): Promise<Remark[]> {
  const chain = [name];
  for (let last = name; chain.length <= MOST_ALIASES;) {
    const answer = await resolver.lookup(last, 'CNAME');
    const target = answer.status === 'found' ? answer.records[0] : undefined;
    if (target === undefined) return [];
    last = canonicalName(target);
    const isLoop = chain.includes(last);
    chain.push(last);
    if (isLoop) return [{ kind: 'cname-loop', name, text: `is an alias in a loop: ${chain.join(' -> ')}` }];
  }
  return [{ kind: 'cname-chain', name, text: `begins a chain of more than ${MOST_ALIASES} aliases` }];
}

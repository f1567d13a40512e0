/** Where in DNS a record of a name is to stand, as far as the answers of an assessment tell. */
import { canonicalName, isQueryName, organisation } from '../core/domain.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import type { RecordType } from '../core/resolver.ts';
import type { RemovedRecord } from './edit.ts';

export interface Place {
  /** The name itself, or the one that it is an alias of. */
  readonly owner: string;
  /** The alias, where it has to go first: nothing may stand beside a CNAME (RFC 1034 §3.6.2). */
  readonly remove: readonly RemovedRecord[];
}

export function answerTo(dns: readonly DnsAnswer[], name: string, type: RecordType): DnsAnswer | undefined {
  return dns.find((answer) => answer.type === type && canonicalName(answer.name) === name);
}

/**
 * An alias within the same organisation that leads somewhere stays, and the record goes where it leads. One
 * that leads nowhere, or to somebody else, is replaced.
 */
export function placeOf(name: string, dns: readonly DnsAnswer[]): Place {
  const answers = dns.filter((answer) => canonicalName(answer.name) === name);
  const first = answers.find(({ type, status }) => type === 'CNAME' && status === 'found')?.records[0];
  const last = answers.find(({ alias }) => alias !== undefined)?.alias ?? first;
  if (last === undefined) return { owner: name, remove: [] };
  const target = canonicalName(last);
  const leads = answers.some(({ alias, status }) => alias !== undefined && status === 'found');
  if (leads && isQueryName(target) && isSameOwner(name, target)) return { owner: target, remove: [] };
  const rdata = `${canonicalName(first ?? last)}.`;
  return { owner: name, remove: [{ owner: name, type: 'CNAME', rdata }] };
}

/** Of a reverse name, which is often an alias into a zone of the holder's own (RFC 2317). */
export function reversePlaceOf(name: string, dns: readonly DnsAnswer[]): string {
  const alias = answerTo(dns, name, 'PTR')?.alias;
  const target = alias === undefined ? name : canonicalName(alias);
  // What such a zone is called is nobody's but its holder's business: it may well hold a slash.
  return /^[\x21-\x7e]{1,253}$/.test(target) && !/["\\;()]/.test(target) ? target : name;
}

function isSameOwner(name: string, target: string): boolean {
  const owner = organisation(name);
  return owner !== null && organisation(target) === owner;
}

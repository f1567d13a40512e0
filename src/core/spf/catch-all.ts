/**
 * A control question for a pass through a macro of the client's address: `exists:%{i}.spf.example.org` is a
 * list of hosts if the zone answers for some addresses, and `+all` in disguise if a wildcard answers for any.
 * One more question, for an address that has nothing to do with the client, tells the two apart.
 */
import { canonicalName } from '../domain.ts';
import { type IpAddress, ipFromBytes, parseIp, prefixContains, sameIp } from '../ip.ts';
import type { Evaluation } from './evaluation.ts';
import { targetOf } from './target.ts';
import { usesMacro } from './macro.ts';
import { type Directive, parseSpfRecord, selectSpfRecords } from './record.ts';

/** A term that matched, and the domain whose record holds it. */
export interface MatchedTerm {
  readonly directive: Directive;
  readonly domain: string;
}

/**
 * Why the matched terms (outermost first) pass any client; null when they do not, or when nobody could say.
 * Asks at most one question, for the first term with `%{i}` and without `%{p}`.
 */
export async function catchAllMacro(
  evaluation: Evaluation,
  terms: readonly MatchedTerm[],
): Promise<string | null> {
  const term = terms.find(({ directive: { mechanism } }) => {
    const parts = 'target' in mechanism ? (mechanism.target?.parts ?? []) : [];
    return usesMacro(parts, 'i') && !usesMacro(parts, 'p');
  });
  if (term === undefined) return null;
  const { directive, domain } = term;
  const control = unrelated(evaluation.request.ip);
  const { mechanism } = directive;
  if (!('target' in mechanism) || mechanism.kind === 'ptr' || mechanism.kind === 'mx') return null;
  const name = await targetOf(evaluation, mechanism.target, domain, control);
  const own = await targetOf(evaluation, mechanism.target, domain);
  if (name === null || own === null || canonicalName(name) === canonicalName(own)) return null;
  return (await passes(evaluation, mechanism.kind, name, control))
    ? `${directive.text} passes any client, ${control.text} for one`
    : null;
}

async function passes(
  evaluation: Evaluation,
  kind: 'include' | 'exists' | 'a',
  name: string,
  control: IpAddress,
): Promise<boolean> {
  if (kind === 'include') {
    const answer = await evaluation.ask(name, 'TXT');
    return answer.status === 'found' && recordPasses(answer.records, control);
  }
  if (kind === 'exists') return (await evaluation.ask(name, 'A')).status === 'found';
  const answer = await evaluation.ask(name, control.family === 4 ? 'A' : 'AAAA');
  return (
    answer.status === 'found' &&
    answer.records.some((text) => {
      const address = parseIp(text);
      return address !== null && sameIp(address, control);
    })
  );
}

/**
 * Whether a record passes the address by terms that need no DNS; what comes after one that does is unknown.
 */
function recordPasses(texts: readonly string[], ip: IpAddress): boolean {
  const [text, ...others] = selectSpfRecords(texts);
  const record = text === undefined || others.length > 0 ? null : parseSpfRecord(text);
  if (record === null || 'problem' in record) return false;
  for (const { qualifier, mechanism } of record.directives) {
    if (mechanism.kind === 'all') return qualifier === '+';
    if (mechanism.kind !== 'ip') return false;
    if (prefixContains(mechanism.prefix, ip)) return qualifier === '+';
  }
  return false;
}

/**
 * An address of the same /8 or /16, all other bits turned: public if the client is, and far from its network.
 */
function unrelated(ip: IpAddress): IpAddress {
  const kept = ip.family === 4 ? 1 : 2;
  return ipFromBytes(ip.bytes.map((byte, i) => (i < kept ? byte : byte ^ 0xff)));
}

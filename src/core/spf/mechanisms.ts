/** The mechanisms of RFC 7208 §5 that do not recurse: does the term match the client? */
import { canonicalName, isAskable } from '../domain.ts';
import { type IpAddress, parseIp, prefixContains } from '../ip.ts';
import { countLookup, type Evaluation, type Stop, stopAt } from './evaluation.ts';
import { targetOf } from './target.ts';
import { askPointers, namesWithin } from './ptr.ts';
import type { Directive, Mechanism } from './record.ts';
import { isNarrow, noteAddresses } from './width.ts';

/** §4.6.4: "MUST return permerror" beyond ten names. */
const MAX_MX_HOSTS = 10;

export type PlainMechanism = Exclude<Mechanism, { kind: 'include' }>;
type AddressMechanism = Extract<Mechanism, { kind: 'a' | 'mx' }>;

/**
 * `passing` tells whether a match here would be a pass of the whole check: only such terms add to the width.
 */
export function matches(
  evaluation: Evaluation,
  directive: Directive,
  mechanism: PlainMechanism,
  domain: string,
  passing: boolean,
): boolean | Promise<boolean | Stop> {
  switch (mechanism.kind) {
    case 'all':
      return true;
    case 'ip':
      return prefixContains(mechanism.prefix, evaluation.request.ip);
    case 'exists':
      return matchesExists(evaluation, directive, mechanism, domain);
    case 'ptr':
      return matchesPtr(evaluation, mechanism, domain);
    case 'a':
    case 'mx':
      return matchesAddress(evaluation, directive, mechanism, domain, passing);
  }
}

/** §5.7: an A record is asked for whatever the client's family. */
async function matchesExists(
  evaluation: Evaluation,
  directive: Directive,
  { target }: Extract<Mechanism, { kind: 'exists' }>,
  domain: string,
): Promise<boolean | Stop> {
  const stop = countLookup(evaluation);
  if (stop !== null) return stop;
  const name = await targetOf(evaluation, target, domain);
  const answer = name === null ? null : await evaluation.ask(name, 'A');
  if (answer?.status === 'found') return true;
  isNarrow(evaluation.width, directive);
  return answer === null ? false : (stopAt(evaluation, `${name} A`, answer) ?? false);
}

/** §5.5: trouble with the PTR question is "no match"; the term is counted. */
async function matchesPtr(
  evaluation: Evaluation,
  { target }: Extract<Mechanism, { kind: 'ptr' }>,
  domain: string,
): Promise<boolean | Stop> {
  const stop = countLookup(evaluation);
  if (stop !== null) return stop;
  const name = await targetOf(evaluation, target, domain);
  if (name === null) return false;
  const answer = await askPointers(evaluation);
  if (answer.status === 'temperror') return false;
  if (answer.status !== 'found') return stopAt(evaluation, 'PTR', answer) ?? false;
  return (await namesWithin(evaluation, answer.records, name)).length > 0;
}

async function matchesAddress(
  evaluation: Evaluation,
  directive: Directive,
  mechanism: AddressMechanism,
  domain: string,
  passing: boolean,
): Promise<boolean | Stop> {
  const stop = countLookup(evaluation);
  if (stop !== null) return stop;
  const name = await targetOf(evaluation, mechanism.target, domain);
  if (name === null) return false;
  const found =
    mechanism.kind === 'a' ? await addressesOf(evaluation, name) : await mxAddressesOf(evaluation, name);
  if ('result' in found) return found;
  const { ip, length } = clientSide(evaluation, mechanism);
  const matched = found.addresses.some((address) => prefixContains({ address, length }, ip));
  if (!matched && found.trouble !== null) return found.trouble;
  if (passing) noteAddresses(evaluation.width, directive, found.addresses, length, ip.family);
  return matched;
}

function clientSide(
  { request: { ip } }: Evaluation,
  { length4, length6 }: AddressMechanism,
): { ip: IpAddress; length: number } {
  return { ip, length: ip.family === 4 ? length4 : length6 };
}

interface Addresses {
  readonly addresses: readonly IpAddress[];
  /** What to say if none of the addresses matches. */
  readonly trouble: Stop | null;
}

/** §5.3. */
async function addressesOf(evaluation: Evaluation, name: string): Promise<Addresses> {
  const type = evaluation.request.ip.family === 4 ? 'A' : 'AAAA';
  const answer = await evaluation.ask(name, type);
  if (answer.status === 'found') return { addresses: parseAddresses(answer.records), trouble: null };
  return { addresses: [], trouble: stopAt(evaluation, `${name} ${type}`, answer) };
}

/**
 * §5.4. The hosts are asked together; §5 would take them one by one, so here a match by one host outweighs
 * trouble with another, whatever their order. Hosts without an address of the client's family are not void
 * lookups: an IPv6 client of a domain with many IPv4-only MX hosts would get a permerror for nothing.
 */
async function mxAddressesOf(evaluation: Evaluation, name: string): Promise<Addresses | Stop> {
  const answer = await evaluation.ask(name, 'MX');
  if (answer.status !== 'found') return { addresses: [], trouble: stopAt(evaluation, `${name} MX`, answer) };
  if (answer.records.length > MAX_MX_HOSTS) {
    return { result: 'permerror', detail: `${name} has more than ${MAX_MX_HOSTS} MX hosts` };
  }
  const type = evaluation.request.ip.family === 4 ? 'A' : 'AAAA';
  const hosts = new Set(answer.records.map(({ exchange }) => canonicalName(exchange)));
  const answers = await Promise.all(
    [...hosts].filter(isAskable).map(async (host) => {
      const addresses = await evaluation.ask(host, type);
      return { host, addresses };
    }),
  );
  const addresses: IpAddress[] = [];
  let trouble: Stop | null = null;
  for (const { host, addresses: found } of answers) {
    if (found.status === 'found') addresses.push(...parseAddresses(found.records));
    else if (found.status === 'temperror') trouble ??= stopAt(evaluation, `${host} ${type}`, found);
  }
  return { addresses, trouble };
}

function parseAddresses(records: readonly string[]): IpAddress[] {
  return records.map(parseIp).filter((address) => address !== null);
}

/**
 * The iprev method of RFC 8601 §3: the names that the reverse tree gives for an address, and which of them
 * lead back to it. It is about the address alone and does not look at HELO.
 */
import { isQueryName, organisation } from './domain.ts';
import { type IpAddress, parseIp, reverseName, sameIp } from './ip.ts';
import type { Resolver } from './resolver.ts';

/** What the reverse names of an address are worth (RFC 8601 §3). */
export interface Iprev {
  /**
   * RFC 8601 §2.7.3. `pass`: a name leads back; `fail`: there are names and none does; `permerror`: there is
   * no name; `temperror`: DNS could not say.
   */
  readonly result: 'pass' | 'fail' | 'temperror' | 'permerror';
  /** The names as DNS gave them, ten at most; hostile bytes. */
  readonly names: readonly string[];
  /** Those that lead back, canonical. */
  readonly verified: readonly string[];
  /** For `temperror`: what was asked first without an answer, and what came of it. */
  readonly trouble: { readonly question: string; readonly detail: string } | null;
  /**
   * Names of which DNS could not say whether they lead back, canonical, with what was asked
   * (`mail.example.org A`) and what came of it in one word; a `pass` may have some too.
   */
  readonly unanswered: readonly {
    readonly name: string;
    readonly question: string;
    readonly detail: string;
  }[];
}

/** RFC 8601 gives no limit; RFC 7208 §4.6.4 uses the first ten names of a PTR answer, and so do we. */
const MAX_NAMES = 10;

/**
 * With more names than are followed, those of the organisation `owner` come first, and the others in a stable
 * order: servers rotate their answers, and a verdict must not depend on the turn.
 */
export async function iprev(
  address: IpAddress,
  resolver: Resolver,
  owner: string | null = null,
): Promise<Iprev> {
  const question = reverseName(address);
  const pointers = await resolver.lookup(question, 'PTR');
  const nothing = { names: [], verified: [], trouble: null, unanswered: [] };
  if (pointers.status === 'temperror') {
    return {
      ...nothing,
      result: 'temperror',
      trouble: { question: `${question} PTR`, detail: pointers.detail },
    };
  }
  if (pointers.status !== 'found') return { ...nothing, result: 'permerror' };
  const names = followed(pointers.records, owner);
  const type = address.family === 4 ? 'A' : 'AAAA';
  const forward = await Promise.all(
    [...new Set(names.map((name) => name.toLowerCase()))].filter(isQueryName).map(async (name) => {
      const answer = await resolver.lookup(name, type);
      // The answers are not kept until the last is there: each may hold a thousand addresses.
      return {
        name,
        leadsBack: answer.status === 'found' && answer.records.some((text) => leadsTo(text, address)),
        trouble: answer.status === 'temperror' ? answer.detail : null,
      };
    }),
  );
  const verified = forward.filter(({ leadsBack }) => leadsBack).map(({ name }) => name);
  const unanswered = forward.flatMap(({ name, trouble }) =>
    trouble === null ? [] : [{ name, question: `${name} ${type}`, detail: trouble }],
  );
  const [first] = unanswered;
  if (verified.length > 0) return { result: 'pass', names, verified, trouble: null, unanswered };
  if (first !== undefined) {
    const { question, detail } = first;
    return { result: 'temperror', names, verified, trouble: { question, detail }, unanswered };
  }
  return { result: 'fail', names, verified, trouble: null, unanswered };
}

function followed(records: readonly string[], owner: string | null): readonly string[] {
  if (records.length <= MAX_NAMES) return records;
  const isOwn = (name: string): boolean =>
    owner !== null && isQueryName(name) && organisation(name.toLowerCase()) === owner;
  const names = [...new Set(records.map((name) => name.toLowerCase()))].sort();
  return [...names.filter(isOwn), ...names.filter((name) => !isOwn(name))].slice(0, MAX_NAMES);
}

function leadsTo(text: string, address: IpAddress): boolean {
  const parsed = parseIp(text);
  return parsed !== null && sameIp(parsed, address);
}

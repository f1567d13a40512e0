/**
 * Reads an SPF record (RFC 7208 §4.5, §4.6, §12). The whole record is parsed before anything is evaluated: a
 * syntax error anywhere makes a permerror, also after a term that would have matched (§4.6).
 */
import { type IpPrefix, parseIp } from '../ip.ts';
import { MAX_TEXT } from '../resolver.ts';
import { type DomainSpec, parseDomainSpec, parseMacroString } from './macro.ts';

/**
 * Terms of one record. RFC 7208 gives no number and wants the record to fit into 450 octets (§3.4), which
 * hold some 30; the longest that senders publish have fewer than 200.
 */
const MAX_TERMS = 300;

export type Qualifier = '+' | '-' | '~' | '?';

export type Mechanism =
  | { readonly kind: 'all' }
  | { readonly kind: 'include'; readonly target: DomainSpec }
  | { readonly kind: 'exists'; readonly target: DomainSpec }
  | { readonly kind: 'ptr'; readonly target: DomainSpec | null }
  | {
      readonly kind: 'a' | 'mx';
      readonly target: DomainSpec | null;
      readonly length4: number;
      readonly length6: number;
    }
  | { readonly kind: 'ip'; readonly prefix: IpPrefix };

export interface Directive {
  /** As written. */
  readonly text: string;
  readonly qualifier: Qualifier;
  readonly mechanism: Mechanism;
}

export interface SpfRecord {
  readonly text: string;
  /** How many there are, modifiers included. */
  readonly terms: number;
  readonly directives: readonly Directive[];
  readonly redirect: { readonly text: string; readonly target: DomainSpec } | null;
  readonly explanation: DomainSpec | null;
}

/** What is wrong with a record, for its owner; quotes the term. */
export interface RecordProblem {
  readonly problem: string;
}

/** The TXT records that are SPF records (§4.5): `v=spf1`, then a space or nothing. */
export function selectSpfRecords(texts: readonly string[]): string[] {
  return texts.filter((text) => /^v=spf1(?: |$)/i.test(text));
}

/**
 * Parses a text that `selectSpfRecords` chose. One that would cost too much to read is a problem like any
 * other.
 */
export function parseSpfRecord(text: string): SpfRecord | RecordProblem {
  if (text.length >= MAX_TEXT) return { problem: `${MAX_TEXT} characters or more in the record` };
  const terms = text
    .slice('v=spf1'.length)
    .split(' ')
    .filter((term) => term !== '');
  if (terms.length > MAX_TERMS) return { problem: `more than ${MAX_TERMS} terms in the record` };
  const directives: Directive[] = [];
  const modifiers = new Map<string, { text: string; target: DomainSpec }>();
  for (const term of terms) {
    const modifier = /^([a-z][a-z0-9_.-]*)=(.*)$/is.exec(term);
    if (modifier !== null) {
      const problem = readModifier(term, (modifier[1] ?? '').toLowerCase(), modifier[2] ?? '', modifiers);
      if (problem !== null) return problem;
      continue;
    }
    const directive = parseDirective(term);
    if ('problem' in directive) return directive;
    directives.push(directive);
  }
  return {
    text,
    terms: terms.length,
    directives,
    redirect: modifiers.get('redirect') ?? null,
    explanation: modifiers.get('exp')?.target ?? null,
  };
}

/** §6: `redirect` and `exp` once at most; others are ignored, but must be macro-strings. */
function readModifier(
  term: string,
  name: string,
  value: string,
  modifiers: Map<string, { text: string; target: DomainSpec }>,
): RecordProblem | null {
  if (name !== 'redirect' && name !== 'exp') {
    return parseMacroString(value, 'modifier') === null ? syntax(term) : null;
  }
  if (modifiers.has(name)) return { problem: `${name}= appears twice` };
  const target = parseDomainSpec(value);
  if (target === null) return syntax(term);
  modifiers.set(name, { text: term, target });
  return null;
}

function parseDirective(term: string): Directive | RecordProblem {
  const match = /^([-+~?]?)([a-z][a-z0-9]*)(?![^:/])(.*)$/is.exec(term);
  if (match === null) return syntax(term);
  const qualifier = (match[1] === '' ? '+' : match[1]) as Qualifier;
  const mechanism = parseMechanism((match[2] ?? '').toLowerCase(), match[3] ?? '');
  if (mechanism === null) return syntax(term, hint(term));
  return { text: term, qualifier, mechanism };
}

function parseMechanism(name: string, rest: string): Mechanism | null {
  switch (name) {
    case 'all':
      return rest === '' ? { kind: 'all' } : null;
    case 'include':
    case 'exists': {
      const target = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : null;
      return target === null ? null : { kind: name, target };
    }
    case 'ptr': {
      if (rest === '') return { kind: 'ptr', target: null };
      const target = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : null;
      return target === null ? null : { kind: 'ptr', target };
    }
    case 'a':
    case 'mx':
      return parseAddressMechanism(name, rest);
    case 'ip4':
    case 'ip6':
      return parseIpMechanism(name, rest);
    default:
      return null;
  }
}

/** §5.3, §5.4: `[":" domain-spec] ["/" ip4-cidr] ["//" ip6-cidr]`; a domain-spec may itself hold slashes. */
function parseAddressMechanism(kind: 'a' | 'mx', rest: string): Mechanism | null {
  const lengths = /(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(rest);
  const length4 = cidrLength(lengths?.[1], 32);
  const length6 = cidrLength(lengths?.[2], 128);
  if (lengths === null || length4 === null || length6 === null) return null;
  const spec = rest.slice(0, lengths.index);
  if (spec === '') return { kind, target: null, length4, length6 };
  const target = spec.startsWith(':') ? parseDomainSpec(spec.slice(1)) : null;
  return target === null ? null : { kind, target, length4, length6 };
}

/** §5.6: `ip4:` takes a dotted quad, `ip6:` an RFC 4291 address, each with one length. */
function parseIpMechanism(name: 'ip4' | 'ip6', rest: string): Mechanism | null {
  const match = /^:([^/]+)(?:\/(\d+))?$/.exec(rest);
  const network = match?.[1] ?? '';
  if (network.includes(':') !== (name === 'ip6')) return null;
  const address = parseIp(network);
  const length = cidrLength(match?.[2], name === 'ip4' ? 32 : 128);
  if (address === null || length === null) return null;
  if (name === 'ip4' || address.family === 6) return { kind: 'ip', prefix: { address, length } };
  // A mapped network (::ffff:192.0.2.0) is valid and holds no client: mapped clients count as IPv4 (§5).
  const bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address.bytes];
  return { kind: 'ip', prefix: { address: { family: 6, bytes, text: `::ffff:${address.text}` }, length } };
}

/** §12 allows no leading zeros; the suite reads §5.6 so too. An absent length is the whole address. */
function cidrLength(digits: string | undefined, most: number): number | null {
  if (digits === undefined) return most;
  return /^(?:0|[1-9]\d{0,2})$/.test(digits) && Number(digits) <= most ? Number(digits) : null;
}

function syntax(term: string, advice = ''): RecordProblem {
  const shown = term.length > 80 ? `${term.slice(0, 80)}...` : term;
  return { problem: `syntax error in "${shown}"${advice}` };
}

/** The most common mistake: an address where a domain belongs. */
function hint(term: string): string {
  return /^[-+~?]?(?:a|mx|include|ptr):\d+\.\d+\.\d+\.\d+(?:\/\d+)?$/i.test(term)
    ? ' (an address belongs in ip4:)'
    : '';
}

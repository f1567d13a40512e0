/**
 * Domain names: what may be asked of DNS, what hosts are called, and which part of a name somebody
 * registered.
 *
 * The public suffix list comes from tldts; this file is the only one that knows it. Its ICANN section says
 * what can be registered; its private section says which organisation a name under, say, `github.io` belongs
 * to.
 */
import { parse } from 'tldts';

const LABEL = /^[a-z0-9_-]{1,63}$/i;

/**
 * Whether a name is one that hosts and services have: letters, digits, hyphen and underscore, labels of 1–63
 * octets, at most 253 in all (RFC 1035 §2.3.4), no trailing dot. A hyphen may be anywhere: what is not a host
 * name may be in DNS all the same (RFC 2181 §11).
 */
export function isQueryName(name: string): boolean {
  return name.length > 0 && name.length <= 253 && name.split('.').every((label) => LABEL.test(label));
}

/** Labels of printable ASCII except the backslash, with dots between them. */
const PRINTABLE_NAME = /^[ -\-/-[\]-~]{1,63}(?:\.[ -\-/-[\]-~]{1,63})*$/;

/**
 * Whether a name may be sent to a resolver. DNS names may hold any octet (RFC 2181 §11), and SPF makes names
 * with `@`, `+`, `/`, spaces and hyphens anywhere (RFC 7208 §4.8, §7): all printable ASCII is asked for as it
 * is. A backslash is doubled, as in a master file (RFC 1035 §5.1); no other escapes are accepted, so that
 * every dot separates two labels.
 */
export function isAskable(name: string): boolean {
  // Two backslashes stand for one octet.
  const octets = name.includes('\\') ? name.replaceAll('\\\\', '_') : name;
  return octets.length <= 253 && PRINTABLE_NAME.test(octets);
}

/** A name as DNS compares it: lower case, without the final dot. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/**
 * The domain that somebody registered with a registry: one label under an ICANN suffix (`mail.a.co.uk` →
 * `a.co.uk`); an unlisted top-level domain counts as a suffix. Null for a suffix itself and for a single
 * label.
 */
export function registrableDomain(name: string): string | null {
  return parse(name, ICANN_ONLY).domain;
}

/**
 * The organisation a name belongs to: like `registrableDomain`, but suffixes of the private section keep
 * their customers apart (`a.github.io` and `b.github.io` are two). A name that is itself a private suffix
 * stands for itself.
 */
export function organisation(name: string): string | null {
  const { domain, isPrivate } = parse(name, WITH_PRIVATE);
  return domain ?? (isPrivate === true ? name : null);
}

/**
 * Whether the name as a whole is a suffix of the ICANN section (`com`, `co.uk`). Private suffixes are hosts.
 */
export function isPublicSuffix(name: string): boolean {
  const { publicSuffix, isIcann } = parse(name, ICANN_ONLY);
  return publicSuffix === name && isIcann === true;
}

/** Whether `name` is `ancestor` or lies below it. Both canonical. */
export function isWithin(name: string, ancestor: string): boolean {
  return name === ancestor || name.endsWith(`.${ancestor}`);
}

/** The name and its parents, nearest first, down to and including `last`: `a.b.c`, `b.c` for last `b.c`. */
export function selfAndParents(name: string, last: string): string[] {
  const names: string[] = [];
  let current = name;
  while (isWithin(current, last)) {
    names.push(current);
    const dot = current.indexOf('.');
    if (dot === -1) break;
    current = current.slice(dot + 1);
  }
  return names;
}

/** Names are already clean here: tldts need not take a URL apart or validate a host name. */
const OPTIONS = { extractHostname: false, validateHostname: false, detectIp: false } as const;
const ICANN_ONLY = { ...OPTIONS, allowPrivateDomains: false };
const WITH_PRIVATE = { ...OPTIONS, allowPrivateDomains: true };

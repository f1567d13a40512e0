/** What a term is about: its domain-spec with the macros expanded (RFC 7208 §7). */
import { isAskable } from '../domain.ts';
import { type IpAddress, ipv6Nibbles } from '../ip.ts';
import type { Evaluation, SpfRequest } from './evaluation.ts';
import { type DomainSpec, expandTarget, type MacroPart, type MacroValues, usesMacro } from './macro.ts';
import { validatedName } from './ptr.ts';

/**
 * The name a term is about: its domain-spec expanded, or the current domain. Null when it may not be asked.
 */
export async function targetOf(
  evaluation: Evaluation,
  spec: DomainSpec | null,
  domain: string,
  ip: IpAddress = evaluation.request.ip,
): Promise<string | null> {
  const name =
    spec === null
      ? domain
      : presented(expandTarget(spec, await macroValues(evaluation, spec.parts, domain, ip)));
  return isAskable(name) ? name : null;
}

/**
 * A name in the form in which DNS is asked for it: a macro-string gives octets, and a backslash is one of
 * them.
 */
function presented(name: string): string {
  return name.includes('\\') ? name.replaceAll('\\', '\\\\') : name;
}

function octets(name: string): string {
  return name.replaceAll('\\\\', '\\');
}

/**
 * Macro values with `domain` as the current domain (§7.2). Looks the client's name up only if `%{p}` is
 * there.
 */
export async function macroValues(
  evaluation: Evaluation,
  parts: readonly MacroPart[],
  domain: string,
  ip: IpAddress = evaluation.request.ip,
): Promise<MacroValues> {
  const validated = usesMacro(parts, 'p') ? await validatedName(evaluation, domain) : 'unknown';
  return valuesFor(evaluation.request, { domain, ip, validated, now: evaluation.now() });
}

/** `validated` is for `%{p}`, `now` in milliseconds. */
export function valuesFor(
  request: SpfRequest,
  { domain, ip, validated, now }: { domain: string; ip: IpAddress; validated: string; now: number },
): MacroValues {
  const at = request.sender.lastIndexOf('@');
  const local = request.sender.slice(0, Math.max(at, 0)) || 'postmaster';
  const senderDomain = request.sender.slice(at + 1);
  return {
    s: `${local}@${senderDomain}`,
    l: local,
    o: senderDomain,
    d: octets(domain),
    i: ip.family === 4 ? ip.text : ipv6Nibbles(ip).join('.').toUpperCase(),
    p: octets(validated),
    v: ip.family === 4 ? 'in-addr' : 'ip6',
    h: request.helo,
    c: ip.text,
    r: request.receiver ?? 'unknown',
    t: String(Math.floor(now / 1000)),
  };
}

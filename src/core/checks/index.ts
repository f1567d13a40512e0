/**
 * The registry: every check, in the order in which findings are listed. Everything that enumerates findings
 * (policy, `--list-findings`, documentation, log words) reads it from here.
 */
import type { Check, FindingSpec } from '../check.ts';
import { addressMatches } from './address.ts';
import { alias } from './alias.ts';
import { auth } from './auth.ts';
import { csa } from './csa.ts';
import {
  heloBareIp,
  heloMissing,
  heloNotFqdn,
  heloNumericTld,
  heloPublicSuffix,
  heloSpecialUse,
  heloSyntax,
  heloTrailingDot,
  heloUnderscore,
} from './domain.ts';
import { dynamicName } from './dynamic.ts';
import { nameExists } from './exists.ts';
import { reverseLookup } from './iprev.ts';
import { literal, literalMatches, literalPrivate, literalSyntax } from './literal.ts';
import { forgedResults, type MessageFacts } from './message.ts';
import { mismatchFindings } from './mismatch.ts';
import { genericReverseName, otherReverseName } from './reverse-name.ts';
import { claimsUs, dnsShare, heloChanged, heloChurn, heloDenied, type SessionCheck } from './session.ts';
import { spf } from './spf.ts';
import { streamFindings } from './stream.ts';
import { unknownFindings } from './unknown.ts';

/** Functions of the client and DNS: their outcomes are cached per client and name. */
export const checks: readonly Check[] = [
  heloMissing,
  heloSyntax,
  heloUnderscore,
  heloTrailingDot,
  heloBareIp,
  literalSyntax,
  literalPrivate,
  literal,
  heloNotFqdn,
  heloSpecialUse,
  heloNumericTld,
  heloPublicSuffix,
  dynamicName,
  nameExists,
  alias,
  spf,
  csa,
  auth,
  addressMatches,
  literalMatches,
  reverseLookup,
  otherReverseName,
  genericReverseName,
];

/** Functions of the client and the session: applied at HELO, to what is cached. */
export const sessionChecks: readonly SessionCheck[] = [
  claimsUs,
  heloChanged,
  heloChurn,
  heloDenied,
  dnsShare,
];

/** Functions of the message, run when there is something to say about it. */
export const messageChecks: readonly SessionCheck<string, MessageFacts>[] = [forgedResults];

/** All findings by id, in registry order. Extended by the operator's own checks with `findingsOf`. */
export const findings: ReadonlyMap<string, FindingSpec> = findingsOf(checks);

/** The findings of a set of checks together with those that belong to no single check. */
export function findingsOf(registered: readonly Check[]): ReadonlyMap<string, FindingSpec> {
  const specs = new Map<string, FindingSpec>();
  const add = (table: Readonly<Record<string, FindingSpec>>): void => {
    for (const [id, spec] of Object.entries(table)) specs.set(id, spec);
  };
  for (const check of registered) {
    add(check.findings);
    if (check === addressMatches) add(mismatchFindings);
  }
  for (const check of [...sessionChecks, ...messageChecks]) add(check.findings);
  add(streamFindings);
  add(unknownFindings);
  return specs;
}

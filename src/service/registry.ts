/** The parts that several commands make of a Config: registry, policy, reply texts, resolver. */
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Check, FindingSpec } from '../core/check.ts';
import {
  checks as builtin,
  findings as builtinFindings,
  findingsOf,
  messageChecks,
  sessionChecks,
} from '../core/checks/index.ts';
import type { SharedResolver } from '../dns/asker.ts';
import { createNodeResolver } from '../dns/node-resolver.ts';
import { zoneFileResolver } from '../dns/zone-file.ts';
import { closest } from '../config/closest.ts';
import { describeError } from '../describe-error.ts';
import { loadOperatorChecks } from './operator-checks.ts';
import type { Config } from '../config/config.ts';
import { makePolicy, type Policy } from '../policy/policy.ts';
import { placeholders, type ReplyOptions } from '../policy/smtp-reply.ts';
import { OptionError, UsageError } from '../errors.ts';

export interface Registry {
  readonly checks: readonly Check[];
  readonly findings: ReadonlyMap<string, FindingSpec>;
  /** What the operator's modules were when they were read: other texts are other checks. */
  readonly versions: readonly string[];
}

/** Our checks and the operator's, with all their findings. */
export async function registryOf({ check, deadline }: Pick<Config, 'check' | 'deadline'>): Promise<Registry> {
  if (check.length === 0) return { checks: builtin, findings: builtinFindings, versions: [] };
  const { checks: own, versions } = await loadOperatorChecks(
    check,
    {
      checks: [...builtin, ...sessionChecks, ...messageChecks].map(({ name }) => name),
      findings: [...builtinFindings.keys()],
    },
    deadline,
  );
  const checks = [...builtin, ...own];
  return { checks, findings: findingsOf(checks), versions };
}

/** The resolver of the flags: servers, or a zone file. Rejects with UsageError. */
export async function resolverOf({
  dnsServer,
  dnsTimeout,
  dnsZone,
}: Pick<Config, 'dnsServer' | 'dnsTimeout' | 'dnsZone'>): Promise<SharedResolver> {
  if (dnsZone === null) {
    return createNodeResolver({ servers: dnsServer, timeoutMs: dnsTimeout, now: () => performance.now() });
  }
  try {
    return zoneFileResolver(await readFile(dnsZone, 'utf8'), dnsZone);
  } catch (error) {
    throw error instanceof UsageError ? error : new OptionError('--dns-zone', describeError(error));
  }
}

export type PolicyConfig = Pick<Config, 'policy' | 'rejectAt' | 'tempfailAt' | 'require' | 'weight'>;

/** The policy of the flags. Throws UsageError for a weight of a finding that does not exist. */
export function policyOf(
  { policy, rejectAt, tempfailAt, require, weight }: PolicyConfig,
  known: ReadonlyMap<string, FindingSpec>,
): Policy {
  for (const [id] of weight) {
    if (!known.has(id)) throw noFinding('--weight', id, known);
  }
  return makePolicy(policy, known, {
    rejectAt,
    tempfailAt,
    require: require ?? undefined,
    weights: new Map(weight),
  });
}

function noFinding(flag: string, id: string, known: ReadonlyMap<string, FindingSpec>): OptionError {
  const meant = closest(id, [...known.keys()]);
  return new OptionError(
    flag,
    `there is no finding "${id}"${meant === '' ? '; see --list-findings' : meant}`,
    id,
  );
}

/**
 * Reply texts of the flags. Throws UsageError for a finding that does not exist, and for a placeholder that its evidence
 * does not have: the sender would read a question mark.
 */
export function replyOf(
  { helpUrl, contact, replyTemplate }: Pick<Config, 'helpUrl' | 'contact' | 'replyTemplate'>,
  known: ReadonlyMap<string, FindingSpec>,
): ReplyOptions {
  for (const [id, text] of replyTemplate) {
    const spec = known.get(id);
    if (spec === undefined) throw noFinding('--reply-template', id, known);
    const allowed = new Set(['client', 'helo', ...placeholders(spec.reply)]);
    const stray = placeholders(text).find((name) => !allowed.has(name));
    if (stray !== undefined) {
      const has = [...allowed].map((name) => `{${name}}`).join(', ');
      throw new OptionError('--reply-template', `${id} has no {${stray}}, only ${has}`, id);
    }
  }
  return { helpUrl, contact, templates: new Map(replyTemplate) };
}

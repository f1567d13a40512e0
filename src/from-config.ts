/** The parts that the commands make of a Config: registry, policy, resolver, access list. */
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { AccessList, parseAccess } from './access.ts';
import type { Check, FindingSpec } from './core/check.ts';
import {
  checks as builtin,
  findings as builtinFindings,
  findingsOf,
  sessionChecks,
} from './core/checks/index.ts';
import type { Resolver } from './core/resolver.ts';
import { createNodeResolver } from './dns/node-resolver.ts';
import { zoneFileResolver } from './dns/zone-file.ts';
import { describeError } from './describe-error.ts';
import { loadOperatorChecks } from './operator-checks.ts';
import type { Config } from './options.ts';
import { makePolicy, type Policy } from './policy.ts';
import { UsageError } from './usage-error.ts';

export interface Registry {
  readonly checks: readonly Check[];
  readonly findings: ReadonlyMap<string, FindingSpec>;
}

/** Our checks and the operator's, with all their findings. */
export async function registryOf({ check, deadline }: Pick<Config, 'check' | 'deadline'>): Promise<Registry> {
  if (check.length === 0) return { checks: builtin, findings: builtinFindings };
  const own = await loadOperatorChecks(
    check,
    {
      checks: [...builtin, ...sessionChecks].map(({ name }) => name),
      findings: [...builtinFindings.keys()],
    },
    deadline,
  );
  const checks = [...builtin, ...own];
  return { checks, findings: findingsOf(checks) };
}

/** The resolver of the flags: servers, or a zone file. Rejects with UsageError. */
export async function resolverOf({
  dnsServer,
  dnsTimeout,
  dnsZone,
}: Pick<Config, 'dnsServer' | 'dnsTimeout' | 'dnsZone'>): Promise<Resolver> {
  if (dnsZone === null) {
    return createNodeResolver({ servers: dnsServer, timeoutMs: dnsTimeout, now: () => performance.now() });
  }
  try {
    return zoneFileResolver(await readFile(dnsZone, 'utf8'), dnsZone);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`--dns-zone: ${describeError(error)}`);
  }
}

/** The policy of the flags. Throws UsageError for a weight of a finding that does not exist. */
export function policyOf(
  { policy, rejectAt, tempfailAt, require, weight }: Config,
  known: ReadonlyMap<string, FindingSpec>,
): Policy {
  for (const [id] of weight) {
    if (!known.has(id)) throw new UsageError(`--weight: there is no finding "${id}"; see --list-findings`);
  }
  return makePolicy(policy, known, {
    rejectAt,
    tempfailAt,
    require: require ?? undefined,
    weights: new Map(weight),
  });
}

/** The list of the flags, empty without one. `onVoid` hears of lines that do not count any more. Rejects with UsageError. */
export async function readAccess(
  { access: file }: Pick<Config, 'access'>,
  onVoid: (file: string, line: number) => void,
): Promise<AccessList> {
  if (file === null) return new AccessList({ entries: [], expired: [] }, () => undefined);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--access: ${describeError(error)}`);
  });
  const parsed = parseAccess(text, file, Date.now());
  for (const line of parsed.expired) onVoid(file, line);
  return new AccessList(parsed, (line) => {
    onVoid(file, line);
  });
}

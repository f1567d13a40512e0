/** Every check and every finding: ours, and those of the operator's modules. */
import type { Check, FindingSpec } from '../core/check.ts';
import {
  checks as builtin,
  findings as builtinFindings,
  findingsOf,
  messageChecks,
  sessionChecks,
} from '../core/checks/index.ts';
import { loadOperatorChecks } from './operator-checks.ts';
import type { Config } from '../config/config.ts';

export interface Registry {
  readonly checks: readonly Check[];
  readonly findings: ReadonlyMap<string, FindingSpec>;
  /** Identifies the operator's modules as they were read: another text means other checks. */
  readonly versions: readonly string[];
}

/** Our checks and the operator's, with all their findings. */
export async function registryOf({ check, deadline }: Pick<Config, 'check' | 'deadline'>): Promise<Registry> {
  if (check.length === 0) return { checks: builtin, findings: builtinFindings, versions: [] };
  const { checks: own, versions } = await loadOperatorChecks(
    check,
    {
      checks: [...builtin, ...sessionChecks, ...messageChecks],
      findings: [...builtinFindings.keys()],
    },
    deadline,
  );
  const checks = [...builtin, ...own];
  return { checks, findings: findingsOf(checks), versions };
}

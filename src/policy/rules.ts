/**
 * What the operator has decided, as far as it can change while sessions are open: read from a Config as one thing, and
 * replaced as one thing.
 */
import { readFile } from 'node:fs/promises';
import { AccessList, type OnVoid, parseAccess } from './access.ts';
import type { Check } from '../core/check.ts';
import type { IpAddress, IpPrefix } from '../core/ip.ts';
import type { Stage } from '../decisions/decision.ts';
import { describeError } from '../describe-error.ts';
import type { Enforcement } from './enforcement.ts';
import type { ExemptionOptions } from './exemption.ts';
import { policyOf, type Registry, replyOf } from '../service/registry.ts';
import type { Config } from '../config/config.ts';
import { makePolicy, type Policy, worthwhile } from './policy.ts';
import { parseRecipientRules, RecipientPolicies } from './recipients.ts';
import type { ReplyOptions } from './smtp-reply.ts';
import { OptionError } from '../errors.ts';

export interface Rules extends ExemptionOptions {
  /** What is asked of a client, as far as one of the policies heeds it. */
  readonly checks: readonly Check[];
  readonly policy: Policy;
  /** Judged beside the policy and only logged. */
  readonly shadowPolicy: Policy | null;
  readonly recipients: RecipientPolicies;
  readonly enforcement: Enforcement;
  /** The SMTP command at which a verdict is given. */
  readonly applyAt: Stage;
  readonly ourNames: readonly string[];
  readonly ourAddresses: readonly IpAddress[];
  readonly access: AccessList;
  /** More names than this from one address are `helo-churn`. */
  readonly churnLimit: number;
  readonly reply: ReplyOptions;
  /** Clients whose dialogue is logged. */
  readonly traceClients: readonly IpPrefix[];
}

/** All policies by which somebody may be judged. */
export function policiesOf({
  policy,
  shadowPolicy,
  recipients,
}: Pick<Rules, 'policy' | 'shadowPolicy' | 'recipients'>): readonly Policy[] {
  return [policy, ...(shadowPolicy === null ? [] : [shadowPolicy]), ...recipients.policies];
}

/** Reads the files that the Config names. Rejects with UsageError. */
export async function readRules(
  config: Config,
  { checks, findings }: Registry,
  onVoid: OnVoid,
): Promise<Rules> {
  const policies = {
    policy: policyOf(config, findings),
    shadowPolicy: config.shadowPolicy === null ? null : makePolicy(config.shadowPolicy, findings),
    recipients: await readRecipients(config, (preset) => {
      const { rejectAt, tempfailAt, require, weight } = config;
      return policyOf({ policy: preset, rejectAt, tempfailAt, require, weight }, findings);
    }),
  };
  return {
    ...policies,
    checks: worthwhile(checks, policiesOf(policies)),
    enforcement: { observe: config.observe, percent: config.enforcePercent },
    applyAt: config.applyAt,
    trusted: config.trust,
    exemptDaemons: config.exemptDaemon,
    ourNames: config.ourName,
    ourAddresses: config.ourAddress,
    access: await readAccess(config, onVoid),
    churnLimit: config.churnLimit,
    reply: replyOf(config, findings),
    traceClients: config.traceClient,
  };
}

async function readAccess({ access: file }: Config, onVoid: OnVoid): Promise<AccessList> {
  if (file === null) return new AccessList({ entries: [], expired: [] }, () => undefined);
  const parsed = parseAccess(await text(file, '--access'), file, Date.now());
  for (const entry of parsed.expired) onVoid(file, entry);
  return new AccessList(parsed, (entry) => {
    onVoid(file, entry);
  });
}

async function readRecipients(
  { recipientPolicy: file }: Config,
  make: ConstructorParameters<typeof RecipientPolicies>[1],
): Promise<RecipientPolicies> {
  const rules = file === null ? [] : parseRecipientRules(await text(file, '--recipient-policy'), file);
  return new RecipientPolicies(new Map(rules), make);
}

async function text(file: string, flag: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new OptionError(flag, describeError(error));
  });
}

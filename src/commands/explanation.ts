/** Everything to be said about one (client, HELO) pair: its assessment, and the verdict under each policy. */
import type { Config } from '../config/config.ts';
import { randomUUID } from 'node:crypto';
import type { Remark } from '../advice/remarks.ts';
import { assess, type Assessment, withSession } from '../core/assess.ts';
import { type Check, PRESETS, type PresetName } from '../core/check.ts';
import { sessionChecks } from '../core/checks/index.ts';
import { clientAddress } from '../core/embedded.ts';
import { parseHelo } from '../core/helo.ts';
import { parseIp } from '../core/ip.ts';
import type { Resolver } from '../core/resolver.ts';
import { Asker, clientNetwork } from '../dns/asker.ts';
import { withDeadline } from '../dns/deadline.ts';
import { UsageError } from '../errors.ts';
import { decide, makePolicy, type Policy, type Verdict } from '../policy/policy.ts';
import { smtpReply } from '../policy/smtp-reply.ts';
import { policyOf, replyOf } from '../service/read-rules.ts';
import { registryOf } from '../service/registry.ts';
import { remarks } from './zone-questions.ts';

/** One pair under every preset. The field names of the report are public API. */
export interface Explanation {
  readonly assessment: Assessment;
  /** Remarks on the zones, without weight in the verdict. */
  readonly remarks: readonly Remark[];
  /** The checks that were run. */
  readonly checks: readonly Check[];
  /** The verdict under the policy that the flags give. */
  readonly verdict: Verdict;
  readonly policy: Policy;
  readonly presets: ReadonlyMap<PresetName, Verdict>;
  readonly reply: (verdict: Verdict) => string | null;
}

/** Throws UsageError if `ip` is not an address. `label` is one that no host has. */
export async function explain(
  ip: string,
  helo: string,
  config: Config,
  resolver: Resolver,
  label = `helo-milter-${randomUUID()}`,
): Promise<Explanation> {
  const address = parseIp(ip);
  if (address === null) throw new UsageError(`"${ip}" is not an IP address`);
  const client = { ip: clientAddress(address, config.nat64Prefix), helo: parseHelo(helo) };
  const { checks, findings } = await registryOf(config);
  const bounded = withDeadline(resolver, config.deadline, new Asker(clientNetwork(client.ip)));
  let assessment: Assessment;
  let told: readonly Remark[];
  try {
    assessment = await assess(client, {
      resolver: bounded.resolver,
      checks,
      onCheckError: (_, error) => {
        throw error;
      },
    });
    told = await remarks(assessment, bounded.resolver, label);
  } finally {
    bounded.done();
  }
  assessment = withSession(
    assessment,
    {
      ourNames: config.ourName,
      ourAddresses: config.ourAddress,
      previousHelo: null,
      namesSeen: 1,
      churnLimit: config.churnLimit,
      denied: null,
      shareUsedUp: false,
    },
    sessionChecks,
  );
  const policy = policyOf(config, findings);
  const options = replyOf(config, findings);
  return {
    assessment,
    remarks: told,
    checks,
    policy,
    verdict: decide(assessment, policy),
    presets: new Map(PRESETS.map((preset) => [preset, decide(assessment, makePolicy(preset, findings))])),
    reply: (verdict) => {
      const reply = smtpReply(verdict, { assessment, findings, words: options, reference: null });
      return reply === null ? null : `${reply.code} ${reply.enhancedCode} ${reply.text}`;
    },
  };
}

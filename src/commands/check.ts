/** `helo-milter check IP HELO`: explains one pair, for a person or as JSON. */
import { assess, type Assessment, withSession } from '../core/assess.ts';
import { PRESETS, type PresetName } from '../core/check.ts';
import { sessionChecks } from '../core/checks/index.ts';
import { makeClient } from '../core/client.ts';
import type { Resolver } from '../core/resolver.ts';
import { Asker, clientNetwork } from '../dns/asker.ts';
import { withDeadline } from '../dns/deadline.ts';
import type { Config } from '../config/config.ts';
import { decide, makePolicy, type Policy, type Verdict } from '../policy/policy.ts';
import { policyOf, registryOf, replyOf, resolverOf } from '../service/registry.ts';
import { smtpReply } from '../policy/smtp-reply.ts';
import { UsageError } from '../errors.ts';
import { explanationText } from './explanation-text.ts';
import { makePaint } from './paint.ts';

/** One pair under every preset. The field names of the report are public API. */
export interface Explanation {
  readonly assessment: Assessment;
  /** Under the policy of the flags. */
  readonly verdict: Verdict;
  readonly policy: Policy;
  readonly presets: ReadonlyMap<PresetName, Verdict>;
  readonly reply: (verdict: Verdict) => string | null;
}

/** Asks the resolver of the flags. Throws UsageError for an address that is none. */
export async function check(
  ip: string,
  helo: string,
  config: Config,
  json: boolean,
  colour = false,
): Promise<string> {
  const explanation = await explain(ip, helo, config, await resolverOf(config));
  return json
    ? `${JSON.stringify(checkReport(explanation), null, 2)}\n`
    : explanationText(explanation, makePaint(colour));
}

async function explain(ip: string, helo: string, config: Config, resolver: Resolver): Promise<Explanation> {
  const client = makeClient(ip, helo);
  if (client.ip === null) throw new UsageError(`"${ip}" is not an IP address`);
  const { checks, findings } = await registryOf(config);
  const bounded = withDeadline(resolver, config.deadline, new Asker(clientNetwork(client.ip)));
  let assessment: Assessment;
  try {
    assessment = await assess(client, bounded.resolver, checks, (_, error) => {
      throw error;
    });
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
    },
    sessionChecks,
  );
  const policy = policyOf(config, findings);
  const options = replyOf(config, findings);
  return {
    assessment,
    policy,
    verdict: decide(assessment, policy),
    presets: new Map(PRESETS.map((preset) => [preset, decide(assessment, makePolicy(preset, findings))])),
    reply: (verdict) => {
      const reply = smtpReply(verdict, assessment, findings, options, null);
      return reply === null ? null : `${reply.code} ${reply.enhancedCode} ${reply.text}`;
    },
  };
}

/** The object that `--json` prints. */
function checkReport({ assessment, verdict, policy, presets, reply }: Explanation): object {
  const { client, correspondence, undecided, trouble, dns } = assessment;
  return {
    version: 1,
    client: { ip: client.ip?.text ?? null, family: client.ip?.family ?? null },
    helo: client.helo.text,
    correspondence,
    undecided,
    trouble,
    stream: verdict.stream,
    findings: verdict.counted.map(({ finding: { id, evidence, provisional = false } }) => ({
      id,
      basis: policy.findings.get(id)?.basis,
      provisional,
      evidence,
    })),
    verdicts: Object.fromEntries(
      [...presets].map(([preset, each]) => [
        preset,
        {
          disposition: each.disposition,
          score: each.score,
          reply: reply(each),
          cause: each.cause?.id ?? null,
        },
      ]),
    ),
    dns,
  };
}

/**
 * What there is to say about one (client, HELO) pair: its assessment, the verdict under each policy, and
 * what this installation does with it, by the code that the service judges with.
 */
import { randomUUID } from 'node:crypto';
import type { Remark } from '../advice/remarks.ts';
import type { Way } from '../advice/sender-advice.ts';
import type { Config } from '../config/config.ts';
import { assess } from '../core/assess.ts';
import type { Assessment } from '../core/assessment.ts';
import { type Check, PRESETS, type PresetName } from '../core/check.ts';
import { isUnknown } from '../core/checks/unknown.ts';
import { clientAddress } from '../core/embedded.ts';
import { parseHelo } from '../core/helo.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';
import type { Resolver } from '../core/resolver.ts';
import { networksOf } from '../core/client-networks.ts';
import { Asker } from '../dns/asker.ts';
import { withDeadline } from '../dns/deadline.ts';
import { UsageError } from '../errors.ts';
import { type Exemption, exemptAddress } from '../policy/exemption.ts';
import { type Judged, judge, type SessionSeen } from '../policy/judge.ts';
import { decide } from '../policy/decide.ts';
import { type Disposition, makePolicy, type Policy, type Verdict } from '../policy/policy.ts';
import type { Rules } from '../policy/rules.ts';
import { waysFor } from '../policy/sender-ways.ts';
import { smtpReply } from '../policy/smtp-reply.ts';
import { treatmentOf } from '../policy/treatment.ts';
import { readRules } from '../service/read-rules.ts';
import { registryOf } from '../service/registry.ts';
import type { RegularHere } from './known-regulars.ts';
import { remarks } from './zone-questions.ts';

/** One pair under every policy. The field names of the report are public API. */
export interface Explanation {
  /**
   * With what this installation finds in the session, such as a name of ours or a line of the access list.
   */
  readonly assessment: Assessment;
  /** Remarks on the zones, without weight in the verdict. */
  readonly remarks: readonly Remark[];
  /** The checks that were run. */
  readonly checks: readonly Check[];
  /** Under the policy of this installation, or of the recipient. */
  readonly verdict: Verdict;
  readonly policy: Policy;
  readonly presets: ReadonlyMap<PresetName, Verdict>;
  readonly reply: (verdict: Verdict) => string | null;
  readonly yours: Yours;
  /** What the sender can do so that each preset accepts it, and this installation. */
  readonly ways: readonly Way[];
}

/** What this installation does. */
export interface Yours {
  readonly action: Disposition;
  /** Why nothing is held against it, whatever the verdict. */
  readonly exempt: Exemption | null;
  readonly judged: Judged;
  /** Why it is not known whether the client is a regular (`--regulars`); null where it is. */
  readonly regularsFault: string | null;
}

/** What is to be explained. */
export interface Pair {
  readonly client: { readonly ip: IpAddress | null; readonly helo: string };
  /** As it came over the wire; null where no recipient is asked about. */
  readonly recipient: string | null;
}

/** What was seen when the assessment was made. */
export interface SeenOfPair {
  /** As it is cached. */
  readonly cached: Assessment;
  readonly remarks: readonly Remark[];
  readonly session: SessionSeen;
  readonly dnsIll: boolean;
  /** Why it is not known whether the client is a regular; absent where it is. */
  readonly regularsFault?: string | null;
}

const NOTHING_SEEN: SessionSeen = {
  previousHelo: null,
  namesSeen: 1,
  regular: false,
  mta: { name: null, address: null },
};

/** Throws UsageError if `ip` is not an address. `label` is a label that no host has. */
export async function explain(
  ip: string,
  helo: string,
  config: Config,
  resolver: Resolver,
  recipient: string | null = null,
  label = `helo-milter-${randomUUID()}`,
): Promise<Explanation> {
  const address = parseIp(ip);
  if (address === null) throw new UsageError(`"${ip}" is not an IP address`);
  const client = { ip: clientAddress(address, config.nat64Prefix), helo: parseHelo(helo) };
  const registry = await registryOf(config);
  const bounded = withDeadline(resolver, config.deadline, new Asker(networksOf(client.ip)));
  let seen: SeenOfPair;
  try {
    const cached = await assess(client, {
      resolver: bounded.resolver,
      checks: registry.checks,
      onCheckError: (_, error) => {
        throw error;
      },
    });
    const told = await remarks(cached, bounded.resolver, label);
    const { regular, fault } = await regularOf(config, client.ip, helo);
    const session = { ...NOTHING_SEEN, regular };
    seen = { cached, remarks: told, session, dnsIll: false, regularsFault: fault };
  } finally {
    bounded.done();
  }
  return explainSeen(seen, { client: { ip: address, helo }, recipient }, config);
}

/** Whether the client is a regular. Most installations keep no file of them. */
async function regularOf(config: Config, ip: IpAddress | null, helo: string): Promise<RegularHere> {
  if (config.regularsFile === null) return { regular: false, fault: null };
  const { regularHere } = await import('./known-regulars.ts');
  return regularHere(config, ip, helo);
}

/** What was seen, under the options as they are now. */
export async function explainSeen(
  { cached, remarks: told, session, dnsIll, regularsFault = null }: SeenOfPair,
  { client: { ip }, recipient }: Pair,
  config: Config,
): Promise<Explanation> {
  const registry = await registryOf(config);
  const { checks, findings } = registry;
  const rules = await readRules(config, registry, () => undefined);
  const yours = { ...judgedHere({ cached, session, dnsIll }, ip, recipient, rules), regularsFault };
  const { assessment, verdict, policy } = yours.judged;
  const bare = { ...rules, access: NO_LINES };
  const plain = judge(cached, bare, { session, dnsIll, elapsedMs: 0, at: 0 }).assessment;
  const presets = PRESETS.map((preset) => {
    const each = makePolicy(preset, findings);
    return { preset, policy: each, verdict: decide(plain, each) };
  });
  return {
    assessment,
    remarks: told,
    checks,
    policy,
    verdict,
    presets: new Map(presets.map((each) => [each.preset, each.verdict])),
    reply: (each) => {
      const own = presets.find((preset) => preset.verdict === each);
      const context = { findings, words: rules.reply, reference: null, recipient };
      const reply = smtpReply(
        each,
        own === undefined
          ? { ...context, assessment, policy }
          : { ...context, assessment: plain, policy: own.policy },
      );
      return reply === null ? null : `${reply.code} ${reply.enhancedCode} ${reply.text}`;
    },
    yours,
    ways: isOurResolver(assessment) ? [] : waysFor(assessment, [...presets, { verdict, policy }]),
  };
}

/**
 * Whether it is our own resolver that has to be looked at: it denies a public top-level domain (see
 * `exists.ts`), or answers nothing at all. Then nothing is known of the sender.
 */
export function isOurResolver({ dns, findings }: Assessment): boolean {
  return (
    findings.some((finding) => isUnknown(finding) && finding.evidence['detail'] === 'denied') ||
    (dns.length > 0 && dns.every(({ status }) => status === 'temperror'))
  );
}

const NO_LINES: Pick<Rules['access'], 'match'> = { match: () => null };

/** As the service does at CONNECT and RCPT. */
function judgedHere(
  { cached, session, dnsIll }: Pick<SeenOfPair, 'cached' | 'session' | 'dnsIll'>,
  ip: IpAddress | null,
  recipient: string | null,
  rules: Rules,
): Omit<Yours, 'regularsFault'> {
  const asked = { session, dnsIll, elapsedMs: 0, at: Date.now(), recipient, message: null };
  const treatment = treatmentOf(cached, rules, asked);
  const exempt = (ip === null ? null : exemptAddress(ip, rules)) ?? treatment.exempt;
  return { ...treatment, exempt, action: exempt === null ? treatment.action : 'accept' };
}

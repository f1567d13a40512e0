/**
 * What the page is given to judge with: the options that bear on a verdict, as plain data, and the rules that
 * it makes of them in a browser. They are the rules that `replay` has with the same options.
 */
import { type Check, type FindingSpec } from '../core/check.ts';
import { checks as builtin, findingsOf } from '../core/checks/index.ts';
import type { Unproved } from '../core/checks/stream.ts';
import type { IpAddress, IpPrefix } from '../core/ip.ts';
import { AccessList, parseAccess } from '../policy/access.ts';
import type { Enforcement } from '../policy/enforcement.ts';
import type { JudgingRules } from '../policy/judge.ts';
import { makePolicy } from '../policy/policy.ts';
import { policyFrom, type PolicyOptions } from '../policy/policy-options.ts';
import { RecipientPolicies, type RecipientRule } from '../policy/recipients.ts';
import type { Rules, Stage, StreamLimit } from '../policy/rules.ts';
import type { ReplyCodes, ReplyOptions } from '../policy/smtp-reply.ts';
import type { PastOptions } from './earlier-mail.ts';

/** The options of the same names. */
export interface PageOptions extends PolicyOptions, PastOptions {
  readonly shadowPolicy: PolicyOptions['policy'] | null;
  readonly observe: boolean;
  readonly enforcePercent: number;
  readonly streamLimit: readonly (readonly [stream: Unproved, limit: StreamLimit])[];
  readonly applyAt: Stage;
  readonly trust: readonly IpPrefix[];
  readonly ourName: readonly string[];
  readonly ourAddress: readonly IpAddress[];
  readonly churnLimit: number;
}

/** A check of the operator's, without what only Node can run. */
export type ForeignCheck = Omit<Check, 'run'>;

/** Plain data: it survives JSON. */
export interface PageData {
  readonly version: string;
  /** Unix time in milliseconds. */
  readonly made: number;
  readonly options: PageOptions;
  /** Text of the file of `--access`. */
  readonly access: string | null;
  /** By mailbox, domain or `.domain`. */
  readonly recipients: readonly (readonly [who: string, rule: RecipientRule])[];
  readonly reply: Pick<ReplyOptions, 'helpUrl' | 'contact'> & {
    readonly templates: readonly (readonly [id: string, text: string])[];
    readonly codes: readonly (readonly [id: string, codes: ReplyCodes])[];
  };
  readonly foreign: readonly ForeignCheck[];
  /** Of a page that a service serves: names what is in force there. Null for a file. */
  readonly live: string | null;
  /** Recipients are hidden. */
  readonly masked: boolean;
  /** Older decisions that are not in the page. */
  readonly left: number;
  /** What an administrator has to know, one sentence for each point. */
  readonly notes: readonly string[];
}

/** Only what the page needs: a Config has more, such as paths. */
export function pageOptionsOf(config: PageOptions): PageOptions {
  return {
    policy: config.policy,
    rejectAt: config.rejectAt,
    tempfailAt: config.tempfailAt,
    require: config.require,
    weight: config.weight,
    ramp: config.ramp,
    streamWeight: config.streamWeight,
    txtOptsOut: config.txtOptsOut,
    shadowPolicy: config.shadowPolicy,
    observe: config.observe,
    enforcePercent: config.enforcePercent,
    streamLimit: config.streamLimit,
    applyAt: config.applyAt,
    trust: config.trust,
    ourName: config.ourName,
    ourAddress: config.ourAddress,
    churnLimit: config.churnLimit,
    tempfailLimit: config.tempfailLimit,
    regulars: config.regulars,
    regularsNetwork: config.regularsNetwork,
  };
}

/** Everything known today; the checks of the operator only by what they declare. */
export interface PageRegistry {
  readonly checks: readonly Check[];
  readonly findings: ReadonlyMap<string, FindingSpec>;
}

export function pageRegistry(foreign: readonly ForeignCheck[]): PageRegistry {
  const declared = foreign.map((check): Check => ({ ...check, run: () => 'none' }));
  const all = [...builtin, ...declared];
  return { checks: all, findings: findingsOf(all) };
}

/** What the page judges by. */
export type PageRules = JudgingRules &
  Pick<Rules, 'trusted' | 'applyAt'> & {
    /** Lines of the access list. */
    readonly accessLines: number;
  };

/** `options` may be other ones than those of the data. Throws UsageError for an access list with mistakes. */
export function pageRules(
  { access, recipients }: Pick<PageData, 'access' | 'recipients'>,
  options: PageOptions,
  { checks, findings }: PageRegistry,
  shareOf: Enforcement['shareOf'],
): PageRules {
  const list = access === null ? { entries: [], expired: [] } : parseAccess(access, 'access', 0, checks);
  return {
    policy: policyFrom(options, findings),
    shadowPolicy: options.shadowPolicy === null ? null : makePolicy(options.shadowPolicy, findings),
    recipients: new RecipientPolicies(new Map(recipients), (preset) =>
      policyFrom({ ...options, policy: preset }, findings),
    ),
    enforcement: { observe: options.observe, percent: options.enforcePercent, shareOf },
    streamLimits: new Map(options.streamLimit),
    applyAt: options.applyAt,
    trusted: options.trust,
    ourNames: options.ourName,
    ourAddresses: options.ourAddress,
    access: new AccessList(list, () => undefined),
    accessLines: list.entries.length,
    churnLimit: options.churnLimit,
  };
}

/**
 * What the operator has decided, as far as it can change while sessions are open: made as a whole and
 * replaced as a whole.
 */
import type { Check, Finding } from '../core/check.ts';
import type { Unproved } from '../core/checks/stream.ts';
import type { IpAddress, IpPrefix } from '../core/ip.ts';
import type { AccessList } from './access.ts';
import type { Enforcement } from './enforcement.ts';
import type { ExemptionOptions } from './exemption.ts';
import type { Mailbox } from './mailbox.ts';
import type { Policy } from './policy.ts';
import { settles } from './weight.ts';
import type { RecipientPolicies } from './recipients.ts';
import type { ReplyOptions } from './smtp-reply.ts';

export interface StreamLimit {
  readonly count: number;
  /** Milliseconds in which so many messages are taken. */
  readonly ageMs: number;
  /** The same as the operator wrote it, such as `1h`. */
  readonly time: string;
}

/** The SMTP command at which a verdict is given. */
export type Stage = 'helo' | 'mail' | 'rcpt';

export interface Rules extends ExemptionOptions {
  /** The checks that are made, as far as one of the policies uses them. */
  readonly checks: readonly Check[];
  readonly policy: Policy;
  /** Judged beside the policy and only logged. */
  readonly shadowPolicy: Policy | null;
  readonly recipients: RecipientPolicies;
  readonly enforcement: Enforcement;
  /** The most that one client network may send in a stream before it is told to come again later. */
  readonly streamLimits: ReadonlyMap<Unproved, StreamLimit>;
  /** The SMTP command at which a verdict is given. */
  readonly applyAt: Stage;
  readonly ourNames: readonly string[];
  readonly ourAddresses: readonly IpAddress[];
  /** NAT64 prefixes of ours, beside the well-known one: clients behind them have IPv4 addresses. */
  readonly nat64: readonly IpPrefix[];
  readonly access: AccessList;
  /** More names than this from one address are `helo-churn`. */
  readonly churnLimit: number;
  readonly reply: ReplyOptions;
  /** Addresses that answer to a sender what is held against it. */
  readonly selfTest: readonly Mailbox[];
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

/**
 * Whether findings of the text alone make every policy reject, so that DNS need not be asked. An operator who
 * only watches wants to see everything, and a line of the access list may want what is looked up.
 */
export function settledByText(found: readonly Finding[], rules: Rules): boolean {
  return (
    !rules.enforcement.observe &&
    !rules.access.needsReverse &&
    policiesOf(rules).every((each) => settles(found, each))
  );
}

/** What is noted of a decision when it is made. The rest is known only when the message is over. */
import type { DecidedAt } from '../decisions/decision.ts';
import { type Exemption, mayBeDelayed } from '../policy/exemption.ts';
import type { Judged } from '../policy/judge.ts';
import type { Claim } from './claim.ts';
import type { ConnectedClient } from './connected-client.ts';
import type { MessageLimits } from './message-limits.ts';
import type { Noted } from './transaction.ts';

/** A decision on a claim. */
export interface Decided {
  readonly claim: Claim;
  /** Null if an exempt client was not judged, or not yet. */
  readonly judged: Judged | null;
  readonly stage: DecidedAt;
  readonly exempt: Exemption | null;
}

/** The session in which it was made. */
interface Circumstances {
  /** Null before CONNECT. */
  readonly client: ConnectedClient | null;
  /** The reverse-path; null before MAIL. */
  readonly sender: string | null;
  readonly limits: MessageLimits;
}

export function notedOf(
  { claim, judged, stage, exempt }: Decided,
  { client, sender, limits }: Circumstances,
): Noted {
  return {
    reference: claim.reference,
    helo: claim.helo,
    cache: claim.cache,
    client: client?.ip?.text ?? null,
    judged,
    exempt,
    limit: judged === null || !mayBeDelayed(exempt) ? null : limits.ofTempfails(judged),
    stage,
    sender,
    connectedAt: client?.connectedAt ?? null,
  };
}

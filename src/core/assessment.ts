/** What was found out about one (client, HELO). */
import type { Correspondence, Evidence, Finding, Outcome, Proof, Zone } from './check.ts';
import type { Client } from './client.ts';
import type { DnsAnswer } from './recording-resolver.ts';

/** What is true about a client and its HELO, whatever the policy. */
export interface Assessment {
  readonly client: Client;
  /** One outcome for each check, in registry order. */
  readonly outcomes: readonly CheckOutcome[];
  /** What is wrong, in registry order; `dns-temperror` at most once. */
  readonly findings: readonly Finding[];
  readonly correspondence: Correspondence;
  /** Everything that was shown about the client, strongest first. */
  readonly proofs: readonly Proof[];
  /** The client gave its own address, or the name's owner says that it cannot be identified yet. */
  readonly optOut: boolean;
  /** A method that could have shown more correspondence met DNS trouble. */
  readonly undecided: boolean;
  /**
   * Whose zones left something unknown: `client` where only the client's own did, `owner` where those of the
   * name's owner did; null where everything was answered. Only trouble on the owner's side excuses the name.
   */
  readonly trouble: Zone | null;
  /**
   * Evidence for a mismatch, whatever a policy makes of it: set where the name resolves but not to the
   * client.
   */
  readonly mismatch: Evidence | null;
  /** Every question asked, in order, with what came back. */
  readonly dns: readonly DnsAnswer[];
  /** The text alone decided and DNS was not asked: enough for this policy, not for another. */
  readonly settled: boolean;
}

/** What a check concluded, without what the assessment says about all checks together. */
export type CheckOutcome = Omit<Outcome, 'proofs' | 'foreign'> & { readonly check: string };

/** A sender that would be hit, as it is counted. */
import type { Assessment } from '../core/assessment.ts';
import type { Group } from './group.ts';
import type { Part, Replayed } from './replayed.ts';

/** Mail of one client under one name that would be hit for the same reason. */
export interface HitCase {
  decisions: number;
  /** One message may have several decisions, also of several cases. */
  messages: number;
  /** Of these: no case before it had a decision on the message, so that together they count it once. */
  firsts: number;
  /** The latest; the others were judged alike. */
  sample: Replayed;
  /** What would be done with it: the strictest part. */
  part: Part;
}

/** What is known of every sender in the log, whether it would be hit or not. */
export interface SenderPast {
  /** All its decisions, whatever they were. */
  readonly history: Group;
  /** Messages of these that were let in and that we saw accepted at their end. */
  readonly accepted: number;
  /** Messages that the client gave up, or that somebody else refused. */
  readonly aborted: number;
}

/**
 * A sender, named by its organisation, and where it comes from: so a forger of a name is not taken for its
 * owner, nor the mail of the owner counted for the forger.
 */
export interface HitSender {
  readonly name: string;
  /**
   * Organisation of the verified reverse name of the clients; their network if they have none, or one
   * that looks like that of an access line: behind those are all kinds of people.
   */
  readonly origin: string;
  readonly past: SenderPast;
  /** Sessions of clients in the same networks that had logged in or shown a certificate. */
  readonly authenticated: number;
  /** The decisions that would be stricter. */
  readonly hits: Group;
  /** Of these: the name was shown to be the client's, or to be of its organisation. */
  readonly proved: number;
  /** The client had a verified reverse name that does not look like that of an access line. */
  readonly reverse: number;
  /** The owner of the name permits the client (SPF and its like). */
  readonly permitted: number;
  /** The owner of the name says that the client is not to use it. */
  readonly denied: number;
  /** Recipients of these by number of decisions; a bounded number of them. */
  readonly recipients: ReadonlyMap<string, number>;
  /** Recipients that are only counted, each time anew. */
  readonly moreRecipients: number;
  readonly cases: ReadonlyMap<string, HitCase>;
  /** Decisions of cases that are not kept. */
  readonly left: number;
}

/** Exact and authorized prove what they say; aligned only where it is not the name of an access line. */
export function isProved({ correspondence, proofs }: Assessment): boolean {
  return (
    correspondence === 'exact' ||
    correspondence === 'authorized' ||
    proofs.some((each) => each === 'exact' || each === 'authorized' || each === 'aligned')
  );
}

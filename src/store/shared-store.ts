/**
 * What the MX hosts of a farm tell each other, as the rest of the program sees it.
 *
 * Each host works with its own tables (`state/`) and can go on with them alone at any time. The store is
 * asked at two places: at HELO, before DNS and while the client goes on talking, what is known of a client
 * (`meet`); and where a message is about to be delayed, refused under a ramp, or counted in a stream
 * (`count`). Each is one script that the server runs as a whole, hence one round trip. What is to be
 * remembered of accepted mail and of new assessments is told, and nobody waits for it.
 *
 * Atomic is one message: all that is counted for it, and the decision that rests on the count. So it does not
 * matter which host a sender comes to: the budgets of n hosts equal those of one.
 *
 * The clock is that of the server; hosts tell ages, not times. A host's clock may be wrong without harm.
 *
 * With each question a host tells what it knows itself, under each name that the message may be counted
 * under, and the server keeps the larger count and the longer age. So a store that was emptied fills again,
 * and what a host counted while it was alone is not lost, nor counted twice. If an answer does not come in
 * time, the host counts in its own tables only. The server may have counted as well: then both know of one
 * and the same message, and the larger count is still right.
 */
import type { Acquaintance } from '../state/regulars.ts';
import type { Tries } from '../state/fair-table.ts';

/**
 * What is counted: tempfails, those that would have been given where we only watch, tries on a ramp, and
 * messages in a stream.
 */
export type CountTable = 'tempfails' | 'rehearsed' | 'ramps' | 'streams';

/** One thing to be counted for a message. */
export interface CountStep {
  readonly table: CountTable;
  /** Under which names it may have been counted before, the one for new records first. */
  readonly names: readonly string[];
  /** The block of the client's address, which may have no more than its share of new records. */
  readonly block: string;
  readonly count: number;
  /** Seconds. */
  readonly age: number;
  /** What this host knows under each of the names, without the message at hand. */
  readonly known: readonly KnownUnder[];
  /** Counted only if tempfails of the step before are used up. */
  readonly ifSpent: boolean;
}

export interface KnownUnder {
  readonly tries: Tries | null;
  /** Of tempfails: they are used up. */
  readonly spent: boolean;
}

/** The answer to one step; null for one that was not counted. */
export type Counted = {
  readonly within: boolean;
  readonly spent: boolean;
  /** Which of the names it was counted under; what is said of one says nothing of the others. */
  readonly under: number;
  /** With the message at hand. */
  readonly tries: Tries;
} | null;

/** What is asked about a client that says HELO; null for what is not wanted. */
export interface Meeting {
  /** Its network, and the name that it gives now. */
  readonly churn: {
    readonly network: string;
    /** Of the client's address, which may have no more than its share of new records. */
    readonly block: string;
    readonly name: string;
    readonly limits: ChurnSpan;
  } | null;
  /** Client and name, as they are counted. */
  readonly regular: string | null;
  /** Client, name, and what was checked. */
  readonly assessment: string | null;
}

export interface ChurnSpan {
  readonly windowMs: number;
  readonly maxNames: number;
}

/** How well a client is known by its mail; see `Acquaintance`. */
export type MailStanding = Pick<Acquaintance, 'messages' | 'days' | 'firstDay' | 'lastDay'>;

export interface Met {
  /** Different names that the network gave, with this one; null if not asked. */
  readonly names: number | null;
  /** This one is new. */
  readonly isNewName: boolean;
  readonly regular: MailStanding | null;
  /** As it was written, and for how many milliseconds it may be used. */
  readonly assessment: { readonly text: string; readonly lifeMs: number } | null;
}

/**
 * Each question returns null at once while the store is not asked, and gives null if it did not answer in
 * time.
 */
export interface SharedStore {
  count(steps: readonly CountStep[]): Promise<readonly Counted[] | null> | null;
  meet(meeting: Meeting): Promise<Met | null> | null;
  /** Takes back a name that was only tried. */
  forgetName(network: string, name: string): void;
  /** A message was accepted; `known` is what this host knows, with that message. */
  learn(regular: string, block: string, known: MailStanding): void;
  keep(assessment: string, block: string, text: string, lifeMs: number): void;
}

/**
 * What was decided about one message, and for which recipients, until it is known how the message ended. Then it is
 * told: once a verdict, not once a recipient, with all recipients that it was for.
 */
import type { Decision, End } from '../decisions/decision.ts';
import type { Exemption } from '../policy/exemption.ts';
import type { Policy } from '../policy/policy.ts';

/**
 * What let a recipient of the message through: the general policy (null), its own policy, or an exemption.
 */
export type Taker = Policy | Exemption | null;

/** A decision without what only the end of the message tells. */
export type Noted = Omit<Decision, 'message' | 'recipients' | 'recipientCount' | 'queueId' | 'end'>;

/** Recipients that a decision names; of more, it has the number only. */
const MAX_RECIPIENTS = 32;

interface Open {
  readonly kind: string;
  readonly noted: Noted;
  readonly recipients: string[];
  recipientCount: number;
}

/** Shared, because many thousand sessions may be open, most of them waiting. */
const NONE: readonly never[] = [];

export class Transaction {
  /** Which message of the connection it is, from 1; 0 before the first. */
  #number = 0;
  /** The reverse-path, as it came; null before MAIL. */
  sender: string | null = null;
  /** Whether the tempfail limit is reached for this message; null until asked. */
  spent: boolean | null = null;
  #queueId: string | null = null;
  #open: readonly Open[] = NONE;
  #takers: readonly Taker[] = NONE;

  /** The next message. Nothing of the one before may be waiting. */
  begin(sender: string): void {
    this.#number++;
    this.sender = sender;
    this.spent = null;
    this.#queueId = null;
    this.#takers = NONE;
  }

  /** For the recipients so far, each once. */
  get takers(): readonly Taker[] {
    return this.#takers;
  }

  take(taker: Taker): void {
    if (!this.#takers.includes(taker)) this.#takers = [...this.#takers, taker];
  }

  /** The MTA gives a queue id when it has one: Sendmail at MAIL, Postfix after the first recipient. */
  queued(id: string | undefined): void {
    if (id !== undefined && id !== '') this.#queueId = id;
  }

  /** Takes a decision, or one more recipient of the same. */
  note(noted: Noted, recipient: string | null): void {
    const kind = kindOf(noted);
    let open = this.#open.find((each) => each.kind === kind);
    if (open === undefined) {
      open = { kind, noted, recipients: [], recipientCount: 0 };
      this.#open = [...this.#open, open];
    }
    if (recipient === null) return;
    if (++open.recipientCount <= MAX_RECIPIENTS) open.recipients.push(recipient);
  }

  /** The message is over, and what was let through ended like this. */
  end(end: End, decided: (decision: Decision) => void): void {
    const ended = this.#open;
    this.#open = NONE;
    this.sender = null;
    const forSomebody = ended.some(({ recipientCount }) => recipientCount > 0);
    for (const { noted, recipients, recipientCount } of ended) {
      // Accepted at MAIL, before it was known that all its recipients are judged otherwise.
      if (forSomebody && recipientCount === 0 && noted.stage === 'mail') continue;
      const refused = noted.exempt === null && (noted.judged?.action ?? 'accept') !== 'accept';
      decided({
        ...noted,
        message: this.#number,
        recipients,
        recipientCount,
        queueId: this.#queueId,
        end: refused ? 'refused' : end,
      });
    }
  }
}

/** Decisions of the same kind on one message differ in their recipients only. */
function kindOf({ exempt, judged, stage }: Noted): string {
  const how = exempt ?? judged?.ownPolicy?.preset ?? 'general';
  return stage === 'message' ? `message ${how}` : how;
}

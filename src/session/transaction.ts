/**
 * Collects what was decided about one message, and for which recipients, until it is known how the message
 * ended. Then each decision is told once, not once for each recipient, with all the recipients that it was
 * for.
 */
import type { Decision, End } from '../decisions/decision.ts';
import type { Exemption } from '../policy/exemption.ts';
import type { Policy } from '../policy/policy.ts';

/**
 * What let a recipient through: the general policy (null), its own policy, or an exemption.
 */
export type Taker = Policy | Exemption | null;

/** A decision, without the parts that are only known at the end of the message. */
export type Noted = Omit<Decision, 'message' | 'recipients' | 'recipientCount' | 'queueId' | 'end'>;

/** The most recipients that a decision names; of the others it only has the number. */
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
  /** The number of the message in its connection, from 1; 0 before the first. */
  #number = 0;
  /** The reverse-path as received; null before MAIL. */
  sender: string | null = null;
  /** Why the client or the sender is never refused. */
  exempt: Exemption | null = null;
  #queueId: string | null = null;
  #open: readonly Open[] = NONE;
  #takers: readonly Taker[] = NONE;
  #settled = false;
  #tested = false;
  #heard = false;

  /** Begins the next message. No decision on the previous one may be waiting. */
  begin(sender: string): void {
    this.#number++;
    this.sender = sender;
    this.#queueId = null;
    this.#takers = NONE;
    this.exempt = null;
    this.#settled = false;
    this.#tested = false;
    this.#heard = false;
  }

  /** The message is accepted for all: what comes after that is of no interest, and is not waited for. */
  settle(): void {
    this.#settled = true;
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  /** A recipient was the address of a self-test, about which nothing is decided. */
  selfTested(): void {
    this.#tested = true;
  }

  /** A recipient of a settled message, which is no self-test. */
  heardRecipient(): void {
    this.#heard = true;
  }

  get #isOnlyTest(): boolean {
    return this.#tested && !this.#heard && this.#open.every(({ recipientCount }) => recipientCount === 0);
  }

  /** For the recipients so far, each once. */
  get takers(): readonly Taker[] {
    return this.#takers;
  }

  take(taker: Taker): void {
    if (!this.#takers.includes(taker)) this.#takers = [...this.#takers, taker];
  }

  /** The MTA tells a queue id as soon as it has one: Sendmail at MAIL, Postfix after the first recipient. */
  queued(id: string | undefined): void {
    if (id !== undefined && id !== '') this.#queueId = id;
  }

  /** Takes a decision, or one more recipient of the same decision. */
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

  /** The message is over, and this is what became of the recipients that were let through. */
  end(end: End, decided: (decision: Decision) => void): void {
    // Nobody's mail was decided about.
    const ended = this.#isOnlyTest ? NONE : this.#open;
    this.#open = NONE;
    this.sender = null;
    const forSomebody = ended.some(({ recipientCount }) => recipientCount > 0);
    for (const { noted, recipients, recipientCount } of ended) {
      // Accepted at MAIL, before it was known that all its recipients are judged otherwise.
      if (forSomebody && recipientCount === 0 && noted.stage === 'mail') continue;
      const refused = noted.exempt === null && (noted.judged?.action ?? 'accept') !== 'accept';
      // Field by field: spread from `noted`, each would take two kilobytes.
      decided({
        reference: noted.reference,
        client: noted.client,
        helo: noted.helo,
        cache: noted.cache,
        judged: noted.judged,
        exempt: noted.exempt,
        stage: noted.stage,
        limit: noted.limit,
        sender: noted.sender,
        connectedAt: noted.connectedAt,
        message: this.#number,
        recipients,
        recipientCount,
        queueId: this.#queueId,
        end: refused ? 'refused' : this.#settled ? 'unseen' : end,
      });
    }
  }
}

/** Decisions of the same kind on one message differ only in their recipients. */
function kindOf({ exempt, judged, stage }: Noted): string {
  const how = exempt ?? judged?.ownPolicy?.preset ?? 'general';
  return stage === 'message' ? `message ${how}` : how;
}

/**
 * One message that came in, with what it takes to judge it, wherever that was learned: from a record of the
 * decision log, or from a delivered message. The texts in it are a stranger's.
 */
import type { Assessment } from '../core/assessment.ts';
import type { MessageFacts } from '../core/checks/message.ts';
import type { SessionSeen } from '../policy/judge.ts';

/** A recorded decision with a verdict is one too. Times are Unix times in milliseconds. */
export interface Seen {
  readonly time: number;
  readonly client: string | null;
  readonly helo: string;
  /** With its angle brackets, as in MAIL. */
  readonly sender: string | null;
  /** As in RCPT; a bounded number of them. */
  readonly recipients: readonly string[];
  /** All of them, as far as it is known. */
  readonly recipientCount: number;
  readonly judged: SeenJudged;
}

/** What a verdict rests on. */
export interface SeenJudged {
  /** Without what was found in the session and in the message. */
  readonly assessment: Assessment;
  readonly session: SessionSeen;
  readonly message: MessageFacts | null;
  readonly dnsIll: boolean;
  /** Milliseconds that the assessment took. */
  readonly elapsedMs: number;
}

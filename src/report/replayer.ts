/**
 * What other rules would have done with recorded sessions: the functions that judge live sessions, applied to
 * what was seen then. Nothing is looked up again.
 */
import { parseIp } from '../core/ip.ts';
import { type Exemption, exemptRecipient, isToldByMta, isTrusted } from '../policy/exemption.ts';
import {
  isPutOff,
  judge,
  type Judged,
  type JudgingRules,
  judgeMessage,
  judgeUnder,
  mildestOf,
  type Opinion,
} from '../policy/judge.ts';
import { withoutBrackets } from '../policy/mailbox.ts';
import type { Disposition, Policy } from '../policy/policy.ts';
import { settles } from '../policy/weight.ts';
import { policiesOf, type Rules } from '../policy/rules.ts';
import type { RecordedDecision, RecordedJudged } from '../decisions/record-reader.ts';

export interface ReplayOptions {
  readonly rules: JudgingRules & Pick<Rules, 'trusted'>;
  /**
   * Counts a message that is about to be tempfailed; false once its sender has been tempfailed often enough.
   * `given`: the tempfail would really be given, not only watched. `at` is Unix time in milliseconds.
   */
  readonly spend: (judged: Judged, given: boolean, at: number) => boolean;
}

/** What would be done for a group of recipients that would be treated alike. */
export interface Part {
  readonly recipients: readonly string[];
  readonly recipientCount: number;
  readonly action: Disposition;
  readonly exempt: Exemption | null;
  readonly limit: 'within' | 'spent' | null;
  readonly judged: Judged | null;
}

/**
 * Why a record does not say what would have been done. `not-looked-up`: the client was exempt then and would
 * not be now; `settled`: its text alone decided, so DNS was not asked, and now it would be.
 */
export type Unknown = 'not-looked-up' | 'settled';

export interface Replayed {
  readonly record: RecordedDecision;
  /** At least one; more if recipients would be treated differently. */
  readonly parts: readonly Part[];
  /** If it is not null, `parts` still say what is known. */
  readonly unknown: Unknown | null;
}

/** What let those recipients through that were seen before the end of the message. */
type Taker = Policy | Exemption | null;

/** Takes the records of a log in order. */
export class Replayer {
  readonly #options: ReplayOptions;
  /** The message under way, which may have several records. */
  #message = '';
  #takers: Taker[] = [];
  /** Whether the limit is reached for this message; null until asked. */
  #spent: boolean | null = null;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  replay(record: RecordedDecision): Replayed {
    const message = messageOf(record);
    if (message !== this.#message) {
      this.#message = message;
      this.#takers = [];
      this.#spent = null;
    }
    const { judged: recorded } = record;
    if (this.#isTrusted(record)) return { record, parts: [whole(record, 'trusted')], unknown: null };
    const session = isToldByMta(record.exempt) || record.exempt === 'loopback' ? record.exempt : null;
    if (recorded === null) {
      const unknown = session === null ? 'not-looked-up' : null;
      return { record, parts: [whole(record, session)], unknown };
    }
    const { rules } = this.#options;
    const { assessment, dnsIll, elapsedMs } = recorded;
    const general = judge(assessment, rules, {
      session: recorded.session,
      dnsIll,
      elapsedMs,
      at: record.time,
    });
    if (session !== null) {
      return { record, parts: [{ ...whole(record, session), judged: general }], unknown: null };
    }
    const parts =
      recorded.message === null
        ? this.#forRecipients(record, general)
        : [this.#atEnd(record, general, recorded.message)];
    const settled =
      assessment.settled && !policiesOf(rules).every((policy) => settles(assessment.findings, policy));
    return { record, parts, unknown: settled ? 'settled' : null };
  }

  #isTrusted({ client }: RecordedDecision): boolean {
    const ip = client === null ? null : parseIp(client);
    return ip !== null && isTrusted(ip, this.#options.rules.trusted);
  }

  #forRecipients(record: RecordedDecision, general: Judged): readonly Part[] {
    const { rules } = this.#options;
    if (record.recipients.length === 0) return [this.#part(record, general, [], record.recipientCount)];
    const alike = new Map<Taker, string[]>();
    for (const recipient of record.recipients) {
      const own = rules.recipients.of(withoutBrackets(recipient));
      const exempt = exemptRecipient(withoutBrackets(recipient)) ?? (own === 'off' ? 'opted-out' : null);
      const taker = exempt ?? (own === 'off' ? null : own);
      const list = alike.get(taker);
      if (list === undefined) alike.set(taker, [recipient]);
      else list.push(recipient);
    }
    // Recipients that the record only counts were treated like those that it names.
    let more = record.recipientCount - record.recipients.length;
    const parts = Array.from(alike, ([taker, recipients]): Part => {
      const count = recipients.length + more;
      more = 0;
      if (typeof taker === 'string') {
        this.#takers.push(taker);
        return {
          recipients,
          recipientCount: count,
          action: 'accept',
          exempt: taker,
          limit: null,
          judged: general,
        };
      }
      const judged = taker === null ? general : judgeUnder(taker, general, rules);
      const part = this.#part(record, judged, recipients, count);
      this.#takers.push(part.exempt === 'access' ? part.exempt : taker);
      return part;
    });
    return together(parts);
  }

  /** The message as a whole is treated as mildly as the mildest policy of its recipients demands. */
  #atEnd(record: RecordedDecision, general: Judged, facts: NonNullable<RecordedJudged['message']>): Part {
    const { rules } = this.#options;
    const takers = this.#takers.length === 0 ? [null] : this.#takers;
    const opinions = takers.map((taker): Opinion => {
      const own = taker === null || typeof taker === 'string' ? general : judgeUnder(taker, general, rules);
      const judged = judgeMessage(own, facts, rules);
      const { exempt } = this.#part(record, judged, [], 0);
      return { judged, exempt: typeof taker === 'string' ? taker : exempt };
    });
    const { judged, exempt } = mildestOf(opinions) ?? { judged: general, exempt: null };
    const part = this.#part(record, judged, record.recipients, record.recipientCount);
    return exempt === null ? part : { ...part, action: 'accept', exempt, limit: null };
  }

  #part(
    record: RecordedDecision,
    judged: Judged,
    recipients: readonly string[],
    recipientCount: number,
  ): Part {
    if (judged.access?.action === 'allow') {
      return { recipients, recipientCount, action: 'accept', exempt: 'access', limit: null, judged };
    }
    const limit = this.#limit(record, judged);
    const letIn = judged.action === 'tempfail' && limit === 'spent';
    return {
      recipients,
      recipientCount,
      action: letIn ? 'accept' : judged.action,
      exempt: letIn ? 'tempfail-limit' : null,
      limit,
      judged,
    };
  }

  #limit({ time }: RecordedDecision, judged: Judged): Part['limit'] {
    if (judged.verdict.disposition !== 'tempfail' || isPutOff(judged)) return null;
    this.#spent ??= !this.#options.spend(judged, judged.action === 'tempfail', time);
    return this.#spent ? 'spent' : 'within';
  }
}

/** As they are told: once for each exemption, once for each policy. */
function together(parts: readonly Part[]): readonly Part[] {
  const byKind = new Map<string, Part>();
  for (const part of parts) {
    const kind = part.exempt ?? `policy ${part.judged?.ownPolicy?.preset ?? ''}`;
    const before = byKind.get(kind);
    byKind.set(
      kind,
      before === undefined
        ? part
        : {
            ...before,
            recipients: [...before.recipients, ...part.recipients],
            recipientCount: before.recipientCount + part.recipientCount,
          },
    );
  }
  return [...byKind.values()];
}

/** All recipients alike, with no verdict. */
function whole({ recipients, recipientCount }: RecordedDecision, exempt: Exemption | null): Part {
  return { recipients, recipientCount, action: 'accept', exempt, limit: null, judged: null };
}

/** Records of one message follow each other and have this key in common. */
export function messageOf({ reference, message, stage }: RecordedDecision): string {
  const session = reference.slice(0, reference.lastIndexOf('.'));
  return stage === 'helo' ? reference : `${session} ${message}`;
}

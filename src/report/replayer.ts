/**
 * What other rules would have done with recorded sessions: the functions that judge live sessions, applied to
 * what was seen then. Nothing is looked up again.
 */
import { parseIp } from '../core/ip.ts';
import type { RecordedDecision, RecordedJudged } from '../decisions/record-reader.ts';
import { type Exemption, exemptRecipient, isToldByMta, isTrusted } from '../policy/exemption.ts';
import {
  judge,
  type Judged,
  type JudgingRules,
  judgeMessage,
  judgeUnder,
  mildestOf,
  type Opinion,
} from '../policy/judge.ts';
import { withoutBrackets } from '../policy/mailbox.ts';
import type { Policy } from '../policy/policy.ts';
import { policiesOf, type Rules } from '../policy/rules.ts';
import { settles } from '../policy/weight.ts';
import { PastOfMessage } from './past-of-message.ts';
import type { ReplayPast } from './replay-past.ts';
import { asTold, messageOf, type Part, type Replayed, whole } from './replayed.ts';

export interface ReplayOptions {
  readonly rules: JudgingRules & Pick<Rules, 'trusted' | 'applyAt'>;
  readonly past: ReplayPast;
}

/** What let those recipients through that were seen before the end of the message. */
type Taker = Policy | Exemption | null;

/** Takes the records of a log in order. */
export class Replayer {
  readonly #options: ReplayOptions;
  /** The message under way, which may have several records. */
  #message = '';
  #takers: Taker[] = [];
  /** The name that a client gave, and whether it is known by its mail under it. */
  #claim: { readonly reference: string; readonly regular: boolean | 'perhaps' } = {
    reference: '',
    regular: false,
  };
  readonly #past: PastOfMessage;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#past = new PastOfMessage(options.past, options.rules);
  }

  replay(record: RecordedDecision): Replayed {
    const message = messageOf(record);
    if (message !== this.#message) {
      this.#message = message;
      this.#takers = [];
      this.#past.begin();
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
    const known = this.#isRegular(record, recorded);
    const judgedAs = (regular: boolean): Judged =>
      judge(assessment, rules, {
        session: { ...recorded.session, regular },
        dnsIll,
        elapsedMs,
        at: record.time,
      });
    // Where it is open, it is as it was then.
    const regular = known === 'perhaps' ? recorded.session.regular : known;
    const general = judgedAs(regular);
    if (session !== null) {
      return { record, parts: [{ ...whole(record, session), judged: general }], unknown: null };
    }
    const parts =
      recorded.message === null
        ? this.#forRecipients(record, general)
        : [this.#atEnd(record, general, recorded.message)];
    this.#learn(record, parts);
    const settled =
      assessment.settled && !policiesOf(rules).every((policy) => settles(assessment.findings, policy));
    const other = known === 'perhaps' ? judgedAs(!regular) : general;
    const isOpen = differs(general, other, rules) || parts.some((part) => wasFurther(record, part));
    return { record, parts, unknown: settled ? 'settled' : isOpen ? 'earlier-mail' : null };
  }

  /**
   * Asked once for each name that a client gives, as in a session: what is learned from its first message
   * counts in the next. What was known then counts too, as the log may begin in the middle.
   */
  #isRegular({ reference, helo, time }: RecordedDecision, recorded: RecordedJudged): boolean | 'perhaps' {
    const { past } = this.#options;
    const { ip } = recorded.assessment.client;
    if (!past.followsRegulars || ip === null) return false;
    if (this.#claim.reference !== reference) {
      this.#claim = { reference, regular: past.isRegular(ip, helo, time) };
    }
    const { regular } = this.#claim;
    return regular === false && recorded.session.regular ? 'perhaps' : regular;
  }

  #learn({ judged, helo, stage, action, end, time }: RecordedDecision, parts: readonly Part[]): void {
    const ip = judged?.assessment.client.ip ?? null;
    if (ip === null) return;
    for (const part of parts) {
      // Refused now; or accepted then too, and refused as a whole at its end.
      const isRefused = part.exempt === null && part.action !== 'accept';
      const isOver = isRefused || (end === 'refused' && action === 'accept');
      this.#options.past.learn(ip, helo, { ...part, stage, end: isOver ? 'aborted' : end }, time);
    }
  }

  #isTrusted({ client }: RecordedDecision): boolean {
    const { trusted } = this.#options.rules;
    const ip = client === null || trusted.length === 0 ? null : parseIp(client);
    return ip !== null && isTrusted(ip, trusted);
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
    return asTold(parts);
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
    found: Judged,
    recipients: readonly string[],
    recipientCount: number,
  ): Part {
    const verdict = this.#past.withRamp(record, found);
    if (verdict.access?.action === 'allow') {
      return { recipients, recipientCount, action: 'accept', exempt: 'access', limit: null, judged: verdict };
    }
    const limit = this.#past.tempfailLimit(record, verdict);
    const isSpent = verdict.action === 'tempfail' && limit === 'spent';
    const judged = this.#past.withStreamLimit(record, verdict, isSpent);
    const letIn = isSpent && judged.streamLimit !== 'over';
    return {
      recipients,
      recipientCount,
      action: letIn ? 'accept' : judged.action,
      exempt: letIn ? 'tempfail-limit' : null,
      limit,
      judged,
    };
  }
}

/** Whether somebody would be treated otherwise by the one than by the other. */
function differs(one: Judged, other: Judged, rules: JudgingRules): boolean {
  if (one === other) return false;
  const under = (judged: Judged): string[] =>
    [judged, ...rules.recipients.policies.map((policy) => judgeUnder(policy, judged, rules))].map(
      ({ action }) => action,
    );
  return String(under(one)) !== String(under(other));
}

/** Whether the sender had come further then than the log shows. */
function wasFurther({ ramp, streamLimit }: RecordedDecision, { judged }: Part): boolean {
  return (
    (ramp === 'over' && judged?.ramp === 'within') ||
    (streamLimit === 'over' && judged?.streamLimit === 'within')
  );
}

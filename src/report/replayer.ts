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
import { type Named, type ReplayPast, welcomeOf } from './replay-past.ts';
import { asTold, messageOf, type Part, type Replayed, sessionOf, whole } from './replayed.ts';
import { UnderWay } from './under-way.ts';

export interface ReplayOptions {
  readonly rules: JudgingRules & Pick<Rules, 'trusted' | 'applyAt'>;
  readonly past: ReplayPast;
}

/** What let those recipients through that were seen before the end of the message. */
type Taker = Policy | Exemption | null;

/** A message of a session, which may have several records. */
interface MessageUnderWay {
  readonly name: string;
  readonly takers: Taker[];
  readonly past: PastOfMessage;
}

/** Takes the records of a log in order. */
export class Replayer {
  readonly #options: ReplayOptions;
  readonly #underWay = new UnderWay<MessageUnderWay>();

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  replay(record: RecordedDecision): Replayed {
    const message = this.#messageOf(record);
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
        ? this.#forRecipients(record, general, message)
        : [this.#atEnd(record, general, { ...message, facts: recorded.message })];
    this.#learn(record, parts);
    const settled =
      assessment.settled && !policiesOf(rules).every((policy) => settles(assessment.findings, policy));
    const other = known === 'perhaps' ? judgedAs(!regular) : general;
    const isOpen = differs(general, other, rules) || parts.some((part) => wasFurther(record, part));
    return { record, parts, unknown: settled ? 'settled' : isOpen ? 'earlier-mail' : null };
  }

  /**
   * The one that the record is about, begun anew if it is another than that of the last record of the
   * session.
   */
  #messageOf(record: RecordedDecision): MessageUnderWay {
    const { past, rules } = this.#options;
    const now = past.goTo(record.time);
    const session = sessionOf(record);
    const name = messageOf(record);
    const before = this.#underWay.get(session, now);
    const message =
      before?.name === name ? before : { name, takers: [], past: new PastOfMessage(past, rules) };
    this.#underWay.set(session, message, now);
    return message;
  }

  /**
   * What is learned from the first message under a name counts in the next session. What was known then
   * counts too, as the log may begin in the middle.
   */
  #isRegular(record: RecordedDecision, recorded: RecordedJudged): boolean | 'perhaps' {
    const { past } = this.#options;
    const who = namedIn(record);
    if (!past.followsRegulars || who === null) return false;
    const regular = past.isRegular(who);
    return regular === false && recorded.session.regular ? 'perhaps' : regular;
  }

  #learn(record: RecordedDecision, parts: readonly Part[]): void {
    const { stage, action, end } = record;
    const { past } = this.#options;
    const who = past.followsRegulars ? namedIn(record) : null;
    if (who === null) return;
    for (const part of parts) {
      // Refused now; or accepted then too, and refused as a whole at its end.
      const isRefused = part.exempt === null && part.action !== 'accept';
      const isOver = isRefused || (end === 'refused' && action === 'accept');
      const welcome = welcomeOf({ ...part, stage, end: isOver ? 'aborted' : end });
      if (welcome !== null) past.learn(who, welcome);
    }
  }

  #isTrusted({ client }: RecordedDecision): boolean {
    const { trusted } = this.#options.rules;
    const ip = client === null || trusted.length === 0 ? null : parseIp(client);
    return ip !== null && isTrusted(ip, trusted);
  }

  #forRecipients(
    record: RecordedDecision,
    general: Judged,
    { takers, past }: MessageUnderWay,
  ): readonly Part[] {
    const { rules } = this.#options;
    if (record.recipients.length === 0) {
      return [this.#part(record, general, { recipients: [], recipientCount: record.recipientCount, past })];
    }
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
        takers.push(taker);
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
      const part = this.#part(record, judged, { recipients, recipientCount: count, past });
      takers.push(part.exempt === 'access' ? part.exempt : taker);
      return part;
    });
    return asTold(parts);
  }

  /** The message as a whole is treated as mildly as the mildest policy of its recipients demands. */
  #atEnd(
    record: RecordedDecision,
    general: Judged,
    { takers, past, facts }: MessageUnderWay & { readonly facts: NonNullable<RecordedJudged['message']> },
  ): Part {
    const { rules } = this.#options;
    const opinions = (takers.length === 0 ? [null] : takers).map((taker): Opinion => {
      const own = taker === null || typeof taker === 'string' ? general : judgeUnder(taker, general, rules);
      const judged = judgeMessage(own, facts, rules);
      const { exempt } = this.#part(record, judged, { recipients: [], recipientCount: 0, past });
      return { judged, exempt: typeof taker === 'string' ? taker : exempt };
    });
    const { recipients, recipientCount } = record;
    const { judged, exempt } = mildestOf(opinions) ?? { judged: general, exempt: null };
    const part = this.#part(record, judged, { recipients, recipientCount, past });
    return exempt === null ? part : { ...part, action: 'accept', exempt, limit: null };
  }

  #part(
    record: RecordedDecision,
    found: Judged,
    {
      recipients,
      recipientCount,
      past,
    }: Pick<Part, 'recipients' | 'recipientCount'> & Pick<MessageUnderWay, 'past'>,
  ): Part {
    const verdict = past.withRamp(found);
    if (verdict.access?.action === 'allow') {
      return { recipients, recipientCount, action: 'accept', exempt: 'access', limit: null, judged: verdict };
    }
    const limit = past.tempfailLimit(verdict);
    const isSpent = verdict.action === 'tempfail' && limit === 'spent';
    const judged = past.withStreamLimit(record, verdict, isSpent);
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

/** Null for a client without an address, which nobody knows by its mail. */
function namedIn({ judged, helo, reference }: RecordedDecision): Named | null {
  const ip = judged?.assessment.client.ip ?? null;
  return ip === null ? null : { ip, helo, reference };
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

/**
 * What other rules would have done with recorded sessions: the functions that judge live sessions, applied to
 * what was seen then. Nothing is looked up again.
 */
import type { Unproved } from '../core/checks/stream.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';
import { type Exemption, exemptRecipient, isToldByMta, isTrusted } from '../policy/exemption.ts';
import {
  isPutOff,
  judge,
  type Judged,
  type JudgingRules,
  judgeMessage,
  judgeUnder,
  mildestOf,
  onRamp,
  onStreamLimit,
  type Opinion,
} from '../policy/judge.ts';
import { withoutBrackets } from '../policy/mailbox.ts';
import type { Disposition, Policy, Ramp } from '../policy/policy.ts';
import { settles } from '../policy/weight.ts';
import { policiesOf, type Rules, type StreamLimit } from '../policy/rules.ts';
import type { Ended } from '../decisions/welcome.ts';
import type { RecordedDecision, RecordedJudged } from '../decisions/record-reader.ts';

export interface ReplayOptions {
  readonly rules: JudgingRules & Pick<Rules, 'trusted' | 'applyAt'>;
  readonly past: ReplayPast;
}

/** What depends on earlier mail. `at` is Unix time in milliseconds. */
export interface ReplayPast {
  /**
   * Counts a message that is about to be tempfailed; false once its sender has been tempfailed often enough.
   * `given`: the tempfail would really be given, not only watched.
   */
  readonly spend: (judged: Judged, given: boolean, at: number) => boolean;
  /** Counts a try of a sender on the ramp of a finding; whether it is still answered 4yz. */
  readonly isWithinRamp: (judged: Judged, finding: string, ramp: Ramp, at: number) => boolean;
  /** Whether the client's network may send one more message in the stream, which is counted if so. */
  readonly isWithinStream: (ip: IpAddress, stream: Unproved, limit: StreamLimit, at: number) => boolean;
  /** `perhaps`: if messages that were not seen to be accepted were. */
  readonly isRegular: (ip: IpAddress, helo: string, at: number) => boolean | 'perhaps';
  /** Takes note of what became of a message. */
  readonly learn: (ip: IpAddress, helo: string, decision: Ended, at: number) => void;
  /** Whether anybody can be a regular. */
  readonly followsRegulars: boolean;
}

/** Each message for itself: nothing that came before counts. */
export const NO_PAST: ReplayPast = {
  spend: () => true,
  isWithinRamp: () => false,
  isWithinStream: () => true,
  isRegular: () => false,
  learn: () => undefined,
  followsRegulars: false,
};

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
 * not be now; `settled`: its text alone decided, so DNS was not asked, and now it would be;
 * `earlier-mail`: it depends on mail from before the first record, or on how a message ended that was not
 * seen to its end.
 */
export const UNKNOWNS = ['not-looked-up', 'settled', 'earlier-mail'] as const;
export type Unknown = (typeof UNKNOWNS)[number];

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
  /** The name that a client gave, and whether it is known by its mail under it. */
  #claim: { readonly reference: string; readonly regular: boolean | 'perhaps' } = {
    reference: '',
    regular: false,
  };
  /** What was asked about this message, once however many recipients it has. */
  #answers = new Map<string, boolean>();

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  replay(record: RecordedDecision): Replayed {
    const message = messageOf(record);
    if (message !== this.#message) {
      this.#message = message;
      this.#takers = [];
      this.#answers = new Map();
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

  #once(what: string, ask: () => boolean): boolean {
    const known = this.#answers.get(what);
    if (known !== undefined) return known;
    const answer = ask();
    this.#answers.set(what, answer);
    return answer;
  }

  #withRamp({ time }: RecordedDecision, judged: Judged): Judged {
    const { rules, past } = this.#options;
    return onRamp(
      judged,
      (finding, ramp) => this.#once(`ramp ${finding}`, () => past.isWithinRamp(judged, finding, ramp, time)),
      rules,
    );
  }

  /** As `session/message-limits.ts` does it: only at RCPT, and only for what comes in otherwise. */
  #withStreamLimit({ time, stage }: RecordedDecision, judged: Judged, isLetIn: boolean): Judged {
    const { rules, past } = this.#options;
    const { ip } = judged.assessment.client;
    const isAsked = stage !== 'message' && (rules.applyAt === 'rcpt' || rules.recipients.size > 0);
    if (!isAsked || ip === null || !(judged.verdict.disposition === 'accept' || isLetIn)) return judged;
    return onStreamLimit(
      judged,
      (stream, limit) => this.#once(`stream ${stream}`, () => past.isWithinStream(ip, stream, limit, time)),
      rules,
    );
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
    found: Judged,
    recipients: readonly string[],
    recipientCount: number,
  ): Part {
    const verdict = this.#withRamp(record, found);
    if (verdict.access?.action === 'allow') {
      return { recipients, recipientCount, action: 'accept', exempt: 'access', limit: null, judged: verdict };
    }
    const limit = this.#limit(record, verdict);
    const isSpent = verdict.action === 'tempfail' && limit === 'spent';
    const judged = this.#withStreamLimit(record, verdict, isSpent);
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

  #limit({ time }: RecordedDecision, judged: Judged): Part['limit'] {
    if (judged.verdict.disposition !== 'tempfail' || isPutOff(judged)) return null;
    const isWithin = this.#once('tempfail limit', () =>
      this.#options.past.spend(judged, judged.action === 'tempfail', time),
    );
    return isWithin ? 'within' : 'spent';
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

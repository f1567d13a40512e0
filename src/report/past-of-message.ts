/**
 * What earlier mail says about a message. Each question is asked once, however many recipients the message
 * has, as a session does; asking counts.
 */
import { isPutOff, type Judged, type JudgingRules, onRamp, onStreamLimit } from '../policy/judge.ts';
import type { Rules } from '../policy/rules.ts';
import type { RecordedDecision } from '../decisions/record-reader.ts';
import { budgetKey } from '../state/budget-key.ts';
import type { Part } from './replayed.ts';
import type { ReplayPast } from './replay-past.ts';

export class PastOfMessage {
  readonly #past: ReplayPast;
  readonly #rules: JudgingRules & Pick<Rules, 'applyAt'>;
  readonly #answers = new Map<string, boolean>();

  constructor(past: ReplayPast, rules: JudgingRules & Pick<Rules, 'applyAt'>) {
    this.#past = past;
    this.#rules = rules;
  }

  withRamp(judged: Judged): Judged {
    const { assessment, action } = judged;
    return onRamp(
      judged,
      (finding, ramp) =>
        this.#once(`ramp ${finding}`, () =>
          this.#past.isWithinRamp({
            sender: budgetKey(assessment),
            finding,
            ramp,
            watched: action === 'accept',
          }),
        ),
      this.#rules,
    );
  }

  /** As `session/message-limits.ts` does it: only at RCPT, and only for what comes in otherwise. */
  withStreamLimit({ stage }: RecordedDecision, judged: Judged, isLetIn: boolean): Judged {
    const { ip } = judged.assessment.client;
    const { applyAt, recipients } = this.#rules;
    const isAsked = stage !== 'message' && (applyAt === 'rcpt' || recipients.size > 0);
    if (!isAsked || ip === null || !(judged.verdict.disposition === 'accept' || isLetIn)) return judged;
    return onStreamLimit(
      judged,
      (stream, limit) => this.#once(`stream ${stream}`, () => this.#past.isWithinStream(ip, stream, limit)),
      this.#rules,
    );
  }

  /** Of a tempfail; null for anything else, and for what an outage has turned into one. */
  tempfailLimit(judged: Judged): Part['limit'] {
    if (judged.verdict.disposition !== 'tempfail' || isPutOff(judged)) return null;
    const isWithin = this.#once('tempfail limit', () =>
      this.#past.spend(budgetKey(judged.assessment), judged.action === 'tempfail'),
    );
    return isWithin ? 'within' : 'spent';
  }

  #once(what: string, ask: () => boolean): boolean {
    const known = this.#answers.get(what);
    if (known !== undefined) return known;
    const answer = ask();
    this.#answers.set(what, answer);
    return answer;
  }
}

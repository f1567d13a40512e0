/**
 * What depends on how often a sender has come: ramps, stream limits and the tempfail limit. Each is asked
 * once a message, however many recipients it has, and gives them all the same answer.
 */
import type { Unproved } from '../core/checks/stream.ts';
import type { IpAddress } from '../core/ip.ts';
import type { Decision } from '../decisions/decision.ts';
import type { Exemption } from '../policy/exemption.ts';
import { isPutOff, type Judged, onRamp, onStreamLimit } from '../policy/judge.ts';
import type { Ramp } from '../policy/policy.ts';
import type { Rules, StreamLimit } from '../policy/rules.ts';
import { SELF_TEST_LIMIT } from '../policy/self-test.ts';
import { budgetKey } from '../state/budget-key.ts';
import type { NetworkLimit } from '../state/network-limit.ts';
import type { RampTable } from '../state/ramp-table.ts';
import type { TempfailBudget } from '../state/tempfail-budget.ts';

/** What is counted of all senders. */
export interface LimitOptions {
  readonly rules: () => Rules;
  readonly budget: TempfailBudget;
  /**
   * Counts the tempfails that are not given because we only watch: it says what the limit would have done.
   */
  readonly rehearsedBudget: TempfailBudget;
  readonly ramps: RampTable;
  /** Messages of client networks, by stream. */
  readonly streams: NetworkLimit;
  /** Self-tests of client networks. */
  readonly selfTests: NetworkLimit;
}

/** The limits for the message under way. */
export class MessageLimits {
  readonly #options: LimitOptions;
  /** Whether the tempfail limit is reached; null until asked. */
  #spent: boolean | null = null;
  #answers: ReadonlyMap<string, boolean> | null = null;

  constructor(options: LimitOptions) {
    this.#options = options;
  }

  /** Another message begins, or another name was given. */
  askAgain(): void {
    this.#spent = null;
    this.#answers = null;
  }

  onRamp(judged: Judged): Judged {
    const { ramps, rules } = this.#options;
    const watched = judged.action === 'accept';
    const isWithin = (finding: string, ramp: Ramp): boolean =>
      this.#once(`ramp ${finding}`, () =>
        ramps.isWithin({ sender: budgetKey(judged.assessment), finding, ramp, watched }),
      );
    return onRamp(judged, isWithin, rules());
  }

  /** Only what would be let in is counted; what the operator's list allows is free. */
  onStreamLimit(judged: Judged, excuse: Exemption | null): Judged {
    const comesIn = judged.verdict.disposition === 'accept' || excuse === 'tempfail-limit';
    if (!comesIn || excuse === 'access') return judged;
    const { streams, rules } = this.#options;
    const { ip } = judged.assessment.client;
    const isWithin = (stream: Unproved, limit: StreamLimit): boolean =>
      ip === null || this.#once(`stream ${stream}`, () => streams.take(ip, stream, limit));
    return onStreamLimit(judged, isWithin, rules());
  }

  /** Whether the client's network may ask for one more self-test; one without an address always may. */
  mayTest(ip: IpAddress | null): boolean {
    const { selfTests } = this.#options;
    return ip === null || this.#once('self-test', () => selfTests.take(ip, 'self-test', SELF_TEST_LIMIT));
  }

  /** Why a verdict is not acted on: it is allowed, or this message would be one tempfail too many. */
  excused(judged: Judged): Exemption | null {
    if (judged.access?.action === 'allow') return 'access';
    return judged.action === 'tempfail' && this.ofTempfails(judged) === 'spent' ? 'tempfail-limit' : null;
  }

  /**
   * What the tempfail limit says: counted where the tempfail is given. Null if it does not apply.
   */
  ofTempfails(judged: Judged): Decision['limit'] {
    if (judged.verdict.disposition !== 'tempfail' || isPutOff(judged)) return null;
    const { budget, rehearsedBudget } = this.#options;
    const counted = judged.action === 'tempfail' ? budget : rehearsedBudget;
    this.#spent ??= !counted.spend(budgetKey(judged.assessment));
    return this.#spent ? 'spent' : 'within';
  }

  #once(what: string, ask: () => boolean): boolean {
    const known = this.#answers?.get(what);
    if (known !== undefined) return known;
    const answer = ask();
    this.#answers = new Map([...(this.#answers ?? []), [what, answer]]);
    return answer;
  }
}

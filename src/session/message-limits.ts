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
import type { RampTable, RampTry } from '../state/ramp-table.ts';
import type { TempfailBudget } from '../state/tempfail-budget.ts';
import type { SharedCounts, ToCount } from '../store/shared-counts.ts';

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
  /** Counts with the other hosts of a farm; absent or null where there are none. */
  readonly sharedCounts?: SharedCounts | null;
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

  /**
   * Asks the other hosts all that the answers to these verdicts depend on, in one question, so that the
   * methods below have it. Null where nobody is asked: then they count here. Never rejects.
   */
  ask(all: readonly Judged[], withStream = false): Promise<void> | null {
    const { sharedCounts } = this.#options;
    if (sharedCounts === undefined || sharedCounts === null) return null;
    const wanted = this.#toCount(all, withStream);
    if (wanted === null) return null;
    const pending = sharedCounts.ask(wanted);
    if (pending === null) return null;
    return pending.then((told) => {
      if (told === null) return;
      this.#spent ??= told.spent;
      const answers = new Map(this.#answers ?? []);
      for (const [finding, within] of told.withinRamps) answers.set(`ramp ${finding}`, within);
      if (wanted.stream !== null && told.withinStream !== null) {
        answers.set(`stream ${wanted.stream.name}`, told.withinStream);
      }
      this.#answers = answers;
    });
  }

  /** What is not known yet for this message; null if there is nothing. */
  #toCount(all: readonly Judged[], withStream: boolean): ToCount | null {
    const rules = this.#options.rules();
    const ramps = new Map<string, RampTry>();
    let budget: ToCount['budget'] = null;
    let stream = null as ToCount['stream'];
    for (const judged of all) {
      const climbs = (finding: string, ramp: Ramp): boolean => {
        if (this.#answers?.has(`ramp ${finding}`) !== true) ramps.set(finding, tryOf(judged, finding, ramp));
        return true;
      };
      onRamp(judged, climbs, rules);
      if (judged.access?.action === 'allow') continue;
      if (this.#spent === null && isTempfail(judged)) {
        budget ??= { sender: budgetKey(judged.assessment), rehearsed: judged.action !== 'tempfail' };
      }
      const { ip } = judged.assessment.client;
      const mayComeIn = judged.verdict.disposition === 'accept';
      const ifSpent = !mayComeIn && judged.action === 'tempfail' && isTempfail(judged);
      if (!withStream || ip === null || !(mayComeIn || (ifSpent && this.#spent !== false))) continue;
      const counts = (name: Unproved, limit: StreamLimit): boolean => {
        if (this.#answers?.has(`stream ${name}`) !== true) {
          stream ??= { ip, name, limit, ifSpent: ifSpent && this.#spent === null };
        }
        return true;
      };
      onStreamLimit(judged, counts, rules);
    }
    if (budget === null && stream === null && ramps.size === 0) return null;
    return { budget, ramps: [...ramps.values()], stream };
  }

  onRamp(judged: Judged): Judged {
    const { ramps, rules } = this.#options;
    const isWithin = (finding: string, ramp: Ramp): boolean =>
      this.#once(`ramp ${finding}`, () => ramps.isWithin(tryOf(judged, finding, ramp)));
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
    if (!isTempfail(judged)) return null;
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

/** Whether it counts for the tempfail limit. */
function isTempfail(judged: Judged): boolean {
  return judged.verdict.disposition === 'tempfail' && !isPutOff(judged);
}

function tryOf(judged: Judged, finding: string, ramp: Ramp): RampTry {
  return { sender: budgetKey(judged.assessment), finding, ramp, watched: judged.action === 'accept' };
}

/**
 * How decisions that are alike can end, by what earlier mail says about each. One of them is judged by the
 * replayer once for every way that is taken; the others only ask, in the order of the log, and follow it.
 */
import type { Unproved } from '../src/core/checks/stream.ts';
import type { IpAddress } from '../src/core/ip.ts';
import type { RecordedDecision } from '../src/decisions/record-reader.ts';
import type { StreamLimit } from '../src/policy/rules.ts';
import type { PageRules } from '../src/report/page-data.ts';
import type { Named, ReplayPast, Welcome } from '../src/report/replay-past.ts';
import { Replayer } from '../src/report/replayer.ts';
import type { BudgetKey } from '../src/state/budget-key.ts';
import type { RampTry } from '../src/state/ramp-table.ts';
import type { RegularSender } from '../src/state/regulars.ts';
import { outcomeOf, type WouldBe } from './overview.ts';

/** What is asked of earlier mail, whoever the sender is. */
export type PastQuestion =
  | { readonly kind: 'regular' }
  | { readonly kind: 'tempfail'; readonly given: boolean }
  | ({ readonly kind: 'ramp' } & Omit<RampTry, 'sender'>)
  | { readonly kind: 'stream'; readonly stream: Unproved; readonly limit: StreamLimit };

type Answer = boolean | 'perhaps';

/** Where a way ends. */
export interface WayEnd {
  readonly outcome: WouldBe;
  /** What is learned of the sender. */
  readonly learned: readonly Welcome[];
  /** How many ended here, by slice of time. */
  readonly slices: Map<number, number>;
}

/** Where a way goes on, by the answer to the next question, or ends. */
interface Step {
  question: PastQuestion | null;
  end: WayEnd | null;
  readonly next: Map<Answer, Step>;
}

/** One of the decisions that are alike. */
export interface Candidate extends Omit<Named, 'ip'> {
  readonly ip: IpAddress | null;
  readonly sender: BudgetKey;
}

export interface WaysOptions {
  readonly rules: PageRules;
  readonly followsRegulars: boolean;
}

export class Ways {
  /** What is asked about somebody of whom earlier mail says nothing. */
  readonly asked: readonly PastQuestion[];
  /** And where that ends. */
  readonly usual: WayEnd;
  readonly #sample: RecordedDecision;
  readonly #options: WaysOptions;
  readonly #ends: WayEnd[] = [];
  readonly #start = newStep();

  constructor(sample: RecordedDecision, options: WaysOptions) {
    this.#sample = sample;
    this.#options = options;
    const { questions, end } = this.#judge([]);
    this.asked = questions;
    this.usual = end;
    this.#enter(questions, [], end);
  }

  /** All that were reached, and the usual one. */
  get ends(): readonly WayEnd[] {
    return this.#ends;
  }

  /** Asks about one of the decisions, and takes note of what became of it. */
  follow(candidate: Candidate, past: ReplayPast): WayEnd {
    const answers: Answer[] = [];
    let at = this.#start;
    while (at.question !== null) {
      const answer = answerOf(at.question, candidate, past);
      answers.push(answer);
      at = at.next.get(answer) ?? this.#explore(answers);
    }
    const end = at.end ?? this.usual;
    const { regular = null } = candidate;
    if (regular !== null) learn(end, regular, past);
    return end;
  }

  /** Where these answers lead, which nobody has had yet. */
  #explore(answers: readonly Answer[]): Step {
    const { questions, end } = this.#judge(answers);
    return this.#enter(questions, answers, end);
  }

  /** Returns the step after the given answers; after those, the way is the usual one. */
  #enter(questions: readonly PastQuestion[], answers: readonly Answer[], end: WayEnd): Step {
    let at = this.#start;
    let found = at;
    for (const [i, question] of questions.entries()) {
      at.question = question;
      const answer = answers[i] ?? usualAnswer(question);
      const next = at.next.get(answer) ?? newStep();
      at.next.set(answer, next);
      at = next;
      if (i < answers.length) found = at;
    }
    at.end = end;
    this.#ends.push(end);
    return found;
  }

  #judge(answers: readonly Answer[]): { questions: readonly PastQuestion[]; end: WayEnd } {
    const questions: PastQuestion[] = [];
    const learned: Welcome[] = [];
    const answer = (question: PastQuestion): Answer => {
      questions.push(question);
      return answers[questions.length - 1] ?? usualAnswer(question);
    };
    const past: ReplayPast = {
      goTo: (time) => time,
      spend: (_, given) => answer({ kind: 'tempfail', given }) === true,
      isWithinRamp: ({ finding, ramp, watched }) => answer({ kind: 'ramp', finding, ramp, watched }) === true,
      isWithinStream: (_, stream, limit) => answer({ kind: 'stream', stream, limit }) === true,
      isRegular: () => answer({ kind: 'regular' }),
      learn: (_, welcome) => {
        learned.push(welcome);
      },
      followsRegulars: this.#options.followsRegulars,
    };
    const replayer = new Replayer({ rules: this.#options.rules, past });
    const outcome = outcomeOf(replayer.replay(this.#sample));
    return { questions, end: { outcome, learned, slices: new Map() } };
  }
}

/** Takes note of what became of one of the decisions. */
export function learn({ learned }: WayEnd, regular: RegularSender, past: ReplayPast): void {
  for (const each of learned) past.learn({ regular }, each);
}

function newStep(): Step {
  return { question: null, end: null, next: new Map() };
}

/** What earlier mail says of somebody who has not come often. */
function usualAnswer({ kind }: PastQuestion): Answer {
  return kind !== 'regular';
}

function answerOf(question: PastQuestion, { sender, ...who }: Candidate, past: ReplayPast): Answer {
  const { ip } = who;
  switch (question.kind) {
    case 'tempfail':
      return past.spend(sender, question.given);
    case 'ramp':
      return past.isWithinRamp({ ...question, sender });
    // Nobody asks these about a client without an address.
    case 'regular':
      return ip !== null && past.isRegular({ ...who, ip });
    case 'stream':
      return ip === null || past.isWithinStream(ip, question.stream, question.limit);
  }
}

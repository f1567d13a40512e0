/**
 * Many assessments share one way to DNS: equal questions under way are asked once, and each has to get a
 * place at the gate. A question that several want waits in the name of each of them and starts with the first
 * whose turn comes, so nobody is held up by another's share. Every wait is bounded, and ends in an answer.
 * Reserved askers bypass the gate. A question that nobody wants any more is cancelled.
 */
import { isAskable } from '../core/domain.ts';
import type { Answer, RecordType } from '../core/resolver.ts';
import type { Unasked } from '../core/unasked.ts';
import { type Asker, askedDomain, type SharedResolver } from './asker.ts';
import { FairGate, type GateOptions, type Ticket } from './fair-gate.ts';

/** A question on its way. */
export interface Sent {
  /** Never rejects. */
  readonly answer: Promise<Answer<RecordType>>;
  /** Cancels it: nothing is left in flight, and the answer is some temperror. */
  cancel(): void;
}

export interface SharedQuestionsOptions extends GateOptions {
  /** Milliseconds one question may take, waiting included. */
  readonly timeoutMs: number;
  /** Sends a question that has got its place. The answer comes by `deadline`, on the scale of `now`. */
  readonly send: (name: string, type: RecordType, deadline: number) => Sent;
}

/** One question under way, for all who want the answer. */
interface Question {
  readonly name: string;
  readonly type: RecordType;
  readonly key: string;
  readonly wanted: Set<Wish>;
  /** Null before it is sent, and after it has been answered. */
  sent: Sent | null;
}

/** An asker that waits for a question. */
interface Wish {
  /** Null for askers that came after it was sent. */
  readonly ticket: Ticket | null;
  readonly settle: (answer: Answer<RecordType>) => void;
}

/**
 * How many questions of reserved askers may be in flight, beyond those of the gate. There are at most six
 * control questions in 2.5 seconds, and a server may be silent for as long as a question's time limit.
 */
const RESERVED_PLACES = 64;

const TIMEOUT: Answer<RecordType> = { status: 'temperror', detail: 'timeout' };
/** The question was sent, and its asker ended before the answer came. */
const DEADLINE: Answer<RecordType> = { status: 'temperror', detail: 'deadline' };

/** The resolver, with the numbers of questions that wait and that are in flight. */
export type SharedQuestions = Required<SharedResolver> & Pick<FairGate, 'waiting' | 'inFlight'>;

export function shareQuestions(options: SharedQuestionsOptions): SharedQuestions {
  const { timeoutMs, send, now } = options;
  const gate = new FairGate(options);
  const open = new Map<string, Question>();
  let reserved = 0;

  function ask(name: string, type: RecordType, asker: Asker | null): Promise<Answer<RecordType>> {
    // Checks ask for what they find in records: a text that is not a name is not in DNS.
    if (!isAskable(name)) return Promise.resolve({ status: 'nxdomain', ttl: null });
    const key = `${type} ${name.toLowerCase()}`;
    const known = open.get(key);
    if (asker !== null && asker.ended !== null) return Promise.resolve(unasked(reason(asker.ended, asker)));
    if (known !== undefined && known.sent !== null) return join(known, known.sent, asker);
    if (asker?.reserved === true) return askAtOnce(name, type, asker);
    const question: Question = known ?? { name, type, key, wanted: new Set(), sent: null };
    if (known === undefined) open.set(key, question);
    return wish(question, asker, now() + timeoutMs);
  }

  /** A question of it has waited, or waits, for its turn. */
  function noteCrowd(asker: Asker): void {
    asker.crowded ||= gate.greedy(asker.networks);
  }

  /** Says whose fault it is that there was no place. */
  function reason(why: Unasked, asker: Asker | null): Unasked {
    if (why !== 'overload' || asker === null) return why;
    noteCrowd(asker);
    return asker.crowded ? 'share' : why;
  }

  async function askAtOnce(name: string, type: RecordType, asker: Asker): Promise<Answer<RecordType>> {
    if (reserved >= RESERVED_PLACES) return unasked('overload');
    reserved++;
    const sent = send(name, type, now() + timeoutMs);
    const forget = asker.hold(() => {
      sent.cancel();
    });
    const answer = await sent.answer;
    forget();
    reserved--;
    return asker.ended === null ? answer : endedAnswer(asker.ended);
  }

  /** Waits for a question that was sent in the name of another. */
  function join(question: Question, sent: Sent, asker: Asker | null): Promise<Answer<RecordType>> {
    return new Promise((resolve) => {
      let forget: () => void = () => undefined;
      const mine: Wish = {
        ticket: null,
        settle: (answer) => {
          forget();
          question.wanted.delete(mine);
          resolve(blamed(answer, asker));
        },
      };
      question.wanted.add(mine);
      if (asker !== null) {
        forget = asker.hold((why) => {
          leave(question, sent, mine, why);
        });
      }
    });
  }

  /** An asker stops waiting for a question that was sent; the last one to do so cancels it. */
  function leave(question: Question, sent: Sent, { settle }: Wish, why: Unasked): void {
    settle(endedAnswer(why));
    if (question.wanted.size > 0) return;
    // Whoever asks from now on starts a new question.
    open.delete(question.key);
    sent.cancel();
  }

  function wish(question: Question, asker: Asker | null, deadline: number): Promise<Answer<RecordType>> {
    return new Promise((resolve) => {
      let release: () => void = () => undefined;
      let waits = false;
      const settle = (answer: Answer<RecordType>): void => {
        release();
        question.wanted.delete(mine);
        if (question.sent === null && question.wanted.size === 0) open.delete(question.key);
        resolve(blamed(answer, asker));
      };
      const ticket: Ticket = {
        networks: asker?.networks ?? null,
        domain: askedDomain(question.name),
        start: () => {
          if (waits && asker !== null) noteCrowd(asker);
          if (now() < deadline) start(question, ticket, deadline);
          else settle(unasked(reason('overload', asker)));
          return question.sent !== null;
        },
      };
      const mine: Wish = { ticket, settle };
      const give = (why: Unasked): void => {
        if (question.sent !== null) {
          leave(question, question.sent, mine, why);
          return;
        }
        const told = reason(why, asker);
        gate.leave(ticket);
        settle(unasked(told));
      };
      question.wanted.add(mine);
      if (!gate.enter(ticket)) settle(unasked(reason('overload', asker)));
      if (!question.wanted.has(mine)) return;
      waits = question.sent === null;
      const forget = asker?.hold(give);
      const timer = setTimeout(() => {
        if (question.sent === null) give('overload');
        else settle(TIMEOUT);
      }, timeoutMs);
      release = () => {
        clearTimeout(timer);
        forget?.();
      };
    });
  }

  /** Sends the question in the place of one of those who want it; the others no longer wait at the gate. */
  function start(question: Question, first: Ticket, deadline: number): void {
    const sent = send(question.name, question.type, deadline);
    question.sent = sent;
    for (const { ticket } of question.wanted) if (ticket !== null && ticket !== first) gate.leave(ticket);
    void sent.answer.then((answer) => {
      if (open.get(question.key) === question) open.delete(question.key);
      for (const { settle } of [...question.wanted]) settle(answer);
      gate.leave(first);
      // V8's tables may keep the question alive for some collections more; what it refers to need not stay
      // that long.
      question.sent = null;
    });
  }

  return {
    lookup: <T extends RecordType>(name: string, type: T) => ask(name, type, null) as Promise<Answer<T>>,
    for: (asker) => ({
      lookup: <T extends RecordType>(name: string, type: T) => ask(name, type, asker) as Promise<Answer<T>>,
    }),
    get waiting() {
      return gate.waiting;
    },
    get inFlight() {
      return gate.inFlight + reserved;
    },
  };
}

/**
 * What an asker is told that ends while a question is in flight: that it was asked, unless nobody cares any
 * more.
 */
function endedAnswer(why: Unasked): Answer<RecordType> {
  return why === 'dropped' ? unasked('dropped') : DEADLINE;
}

/**
 * An answer that came too late for an asker that had waited behind its own network: the question was sent
 * with too little time left.
 */
function blamed(answer: Answer<RecordType>, asker: Asker | null): Answer<RecordType> {
  const late = answer.status === 'temperror' && (answer.detail === 'timeout' || answer.detail === 'deadline');
  return late && asker?.crowded === true ? unasked('share') : answer;
}

function unasked(detail: Unasked): Answer<RecordType> {
  return { status: 'temperror', detail };
}

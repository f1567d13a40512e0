/**
 * Many assessments, one way to DNS: equal questions under way are asked once, and each has to get a place at the gate. A
 * question that several want waits in the name of each of them and starts with the first whose turn it is, so nobody is
 * held up by the share of another. Every wait is bounded, and ends in an answer. Reserved askers pass by the gate.
 */
import { isQueryName } from '../core/domain.ts';
import type { Answer, RecordType } from '../core/resolver.ts';
import { type Asker, askedDomain, type SharedResolver, type Unasked } from './asker.ts';
import { FairGate, type GateOptions, type Ticket } from './fair-gate.ts';

export interface SharedQuestionsOptions extends GateOptions {
  /** Milliseconds one question may take, waiting included. */
  readonly timeoutMs: number;
  /** Sends a question that has got its place. Answers by `deadline`, on the scale of `now`; never rejects. */
  readonly send: (name: string, type: RecordType, deadline: number) => Promise<Answer<RecordType>>;
}

/** One question under way, for all who want to know. */
interface Question {
  readonly name: string;
  readonly type: RecordType;
  readonly key: string;
  readonly wanted: Set<Wish>;
  sent: Promise<Answer<RecordType>> | null;
}

/** One who waits for a question that has not been sent when they asked. */
interface Wish {
  readonly ticket: Ticket;
  readonly settle: (answer: Answer<RecordType>) => void;
}

/**
 * Questions of reserved askers in flight, beyond those of the gate. There are six control questions in 2.5 seconds at most,
 * and a server may be silent for as long as the time limit of a question.
 */
const RESERVED_PLACES = 64;

const TIMEOUT: Answer<RecordType> = { status: 'temperror', detail: 'timeout' };

/** The resolver, with the numbers of questions that wait and that are in flight. */
export type SharedQuestions = Required<SharedResolver> & Pick<FairGate, 'waiting' | 'inFlight'>;

export function shareQuestions(options: SharedQuestionsOptions): SharedQuestions {
  const { timeoutMs, send, now } = options;
  const gate = new FairGate(options);
  const open = new Map<string, Question>();
  let reserved = 0;

  function ask(name: string, type: RecordType, asker: Asker | null): Promise<Answer<RecordType>> {
    // c-ares would cut the name at NUL, read backslashes as escapes, map other scripts to Punycode.
    if (!isQueryName(name)) return Promise.resolve({ status: 'nxdomain', ttl: null });
    const key = `${type} ${name.toLowerCase()}`;
    const known = open.get(key);
    if (known !== undefined && known.sent !== null) return known.sent;
    if (asker !== null && asker.ended !== null) return Promise.resolve(unasked(reason(asker.ended, asker)));
    if (asker?.reserved === true) return askAtOnce(name, type);
    const question: Question = known ?? { name, type, key, wanted: new Set(), sent: null };
    if (known === undefined) open.set(key, question);
    return wish(question, asker, now() + timeoutMs);
  }

  /** Whose fault it is that there was no place. */
  function reason(why: Unasked, asker: Asker | null): Unasked {
    return why === 'overload' && asker !== null && gate.greedy(asker.network) ? 'share' : why;
  }

  async function askAtOnce(name: string, type: RecordType): Promise<Answer<RecordType>> {
    if (reserved >= RESERVED_PLACES) return unasked('overload');
    reserved++;
    const answer = await send(name, type, now() + timeoutMs);
    reserved--;
    return answer;
  }

  function wish(question: Question, asker: Asker | null, deadline: number): Promise<Answer<RecordType>> {
    return new Promise((resolve) => {
      let release: () => void = () => undefined;
      const settle = (answer: Answer<RecordType>): void => {
        release();
        question.wanted.delete(mine);
        if (question.sent === null && question.wanted.size === 0) open.delete(question.key);
        resolve(answer);
      };
      const ticket: Ticket = {
        network: asker?.network ?? null,
        domain: askedDomain(question.name),
        start: () => {
          if (now() < deadline) start(question, mine, deadline);
          else settle(unasked(reason('overload', asker)));
          return question.sent !== null;
        },
      };
      const mine: Wish = { ticket, settle };
      const give = (why: Unasked): void => {
        // Sent in the name of another: it is not ours to take back.
        if (question.sent !== null) return;
        const told = reason(why, asker);
        gate.leave(ticket);
        settle(unasked(told));
      };
      question.wanted.add(mine);
      if (!gate.enter(ticket)) settle(unasked(reason('overload', asker)));
      if (question.sent !== null || !question.wanted.has(mine)) return;
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

  /** Sends the question with the place of one of those who want it; the others wait no more at the gate. */
  function start(question: Question, first: Wish, deadline: number): void {
    question.sent = send(question.name, question.type, deadline);
    for (const { ticket } of question.wanted) if (ticket !== first.ticket) gate.leave(ticket);
    void question.sent.then((answer) => {
      open.delete(question.key);
      for (const { settle } of question.wanted) settle(answer);
      gate.leave(first.ticket);
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

function unasked(detail: Unasked): Answer<RecordType> {
  return { status: 'temperror', detail };
}

/**
 * Many assessments share one way to DNS: equal questions under way are asked once, and each has to get a
 * place at the gate. A question that several want waits in the name of each of them and starts with the first
 * whose turn comes, so nobody is held up by another's share. Every wait is bounded, and ends in an answer.
 * Reserved askers bypass the gate. A question that nobody wants any more is cancelled.
 */
import { isAskable } from '../core/domain.ts';
import type { Answer, RecordType } from '../core/resolver.ts';
import type { Unasked } from '../core/unasked.ts';
import { NamedWork } from '../core/named-work.ts';
import { type Asker, askedDomain, type Pending, type SharedResolver } from './asker.ts';
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
  const board = new Switchboard(options);
  return {
    lookup: <T extends RecordType>(name: string, type: T) =>
      board.ask(name, type, null) as Promise<Answer<T>>,
    for: (asker) => ({
      lookup: <T extends RecordType>(name: string, type: T) =>
        board.ask(name, type, asker) as Promise<Answer<T>>,
    }),
    get waiting() {
      return board.gate.waiting;
    },
    get inFlight() {
      return board.gate.inFlight + board.reserved;
    },
  };
}

/** All questions under way. */
class Switchboard {
  readonly options: SharedQuestionsOptions;
  readonly gate: FairGate;
  /** By type and name. */
  readonly open = new NamedWork<Question>();
  /** Questions of reserved askers in flight. */
  reserved = 0;

  constructor(options: SharedQuestionsOptions) {
    this.options = options;
    this.gate = new FairGate(options);
  }

  ask(name: string, type: RecordType, asker: Asker | null): Promise<Answer<RecordType>> {
    // Checks ask for what they find in records: a text that is not a name is not in DNS.
    if (!isAskable(name)) return Promise.resolve({ status: 'nxdomain', ttl: null });
    if (asker !== null && asker.ended !== null) {
      return Promise.resolve(unasked(this.reason(asker.ended, asker)));
    }
    const key = `${type} ${name.toLowerCase()}`;
    let question = this.open.get(key);
    if (asker?.reserved === true && (question === undefined || question.sent === null)) {
      return this.#askAtOnce(name, type, asker);
    }
    if (question === undefined) {
      question = new Question(this, name, type, key);
      this.open.set(key, question);
    }
    return question.want(asker);
  }

  /** A question of it has waited, or waits, for its turn. */
  noteCrowd(asker: Asker): void {
    asker.crowded ||= this.gate.greedy(asker.networks);
  }

  /** Says whose fault it is that there was no place. */
  reason(why: Unasked, asker: Asker | null): Unasked {
    if (why !== 'overload' || asker === null) return why;
    this.noteCrowd(asker);
    return asker.crowded ? 'share' : why;
  }

  async #askAtOnce(name: string, type: RecordType, asker: Asker): Promise<Answer<RecordType>> {
    if (this.reserved >= RESERVED_PLACES) return unasked('overload');
    this.reserved++;
    const { send, now, timeoutMs } = this.options;
    const sent = send(name, type, now() + timeoutMs);
    const held: Pending = {
      askerEnded: () => {
        sent.cancel();
      },
    };
    asker.hold(held);
    const answer = await sent.answer;
    asker.forget(held);
    this.reserved--;
    return asker.ended === null ? answer : endedAnswer(asker.ended);
  }
}

/** One question under way, for all who want the answer. */
class Question {
  readonly board: Switchboard;
  readonly name: string;
  /** Null before it is sent, and after it has been answered. */
  sent: Sent | null = null;
  readonly #type: RecordType;
  readonly #key: string;
  readonly #wanted = new Set<Wish>();

  constructor(board: Switchboard, name: string, type: RecordType, key: string) {
    this.board = board;
    this.name = name;
    this.#type = type;
    this.#key = key;
  }

  want(asker: Asker | null): Promise<Answer<RecordType>> {
    return new Promise((resolve) => {
      const wish = new Wish(this, asker, resolve);
      this.#wanted.add(wish);
      if (this.sent === null) wish.enter();
      // It was sent in the name of another.
      else asker?.hold(wish);
    });
  }

  isWantedBy(wish: Wish): boolean {
    return this.#wanted.has(wish);
  }

  /** Sends it in the place of one of those who want it; the others no longer wait at the gate. */
  start(first: Wish, deadline: number): void {
    const { gate, options } = this.board;
    const sent = options.send(this.name, this.#type, deadline);
    this.sent = sent;
    for (const wish of this.#wanted) if (wish !== first) gate.leave(wish);
    void sent.answer.then((answer) => {
      this.#close();
      for (const wish of [...this.#wanted]) wish.settle(answer);
      gate.leave(first);
      // V8's tables may keep the question alive for some collections more; what it refers to need not stay
      // that long.
      this.sent = null;
    });
  }

  /** One waits for it no longer. Nobody sends a question that nobody wants. */
  drop(wish: Wish): void {
    this.#wanted.delete(wish);
    if (this.sent === null && this.#wanted.size === 0) this.#close();
  }

  /** Cancels what was sent if nobody wants it any more. Whoever asks from now on starts a new question. */
  cancelUnwanted(sent: Sent): void {
    if (this.#wanted.size > 0) return;
    this.#close();
    sent.cancel();
  }

  #close(): void {
    if (this.board.open.get(this.#key) === this) this.board.open.delete(this.#key);
  }
}

/**
 * An asker that waits for a question, and its ticket at the gate as long as the question has not been sent.
 * One object without closures, because many thousand may wait, and each collection of garbage copies them.
 */
class Wish implements Ticket, Pending {
  readonly networks: Ticket['networks'];
  readonly domain: string;
  place: Ticket['place'] = undefined;
  readonly #question: Question;
  readonly #asker: Asker | null;
  readonly #resolve: (answer: Answer<RecordType>) => void;
  #deadline = 0;
  /** It did not get a place at once. */
  #waits = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(question: Question, asker: Asker | null, resolve: (answer: Answer<RecordType>) => void) {
    this.networks = asker?.networks ?? null;
    this.domain = question.sent === null ? askedDomain(question.name) : '';
    this.#question = question;
    this.#asker = asker;
    this.#resolve = resolve;
  }

  /** Goes to the gate. */
  enter(): void {
    const { board } = this.#question;
    const { timeoutMs, now } = board.options;
    this.#deadline = now() + timeoutMs;
    if (!board.gate.enter(this)) this.settle(unasked(board.reason('overload', this.#asker)));
    if (!this.#question.isWantedBy(this)) return;
    this.#waits = this.#question.sent === null;
    this.#asker?.hold(this);
    this.#timer = setTimeout(expire, timeoutMs, this);
  }

  start(): boolean {
    const { board } = this.#question;
    if (this.#waits && this.#asker !== null) board.noteCrowd(this.#asker);
    if (board.options.now() < this.#deadline) this.#question.start(this, this.#deadline);
    else this.settle(unasked(board.reason('overload', this.#asker)));
    return this.#question.sent !== null;
  }

  settle(answer: Answer<RecordType>): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#asker?.forget(this);
    this.#question.drop(this);
    this.#resolve(blamed(answer, this.#asker));
  }

  askerEnded(why: Unasked): void {
    const { sent } = this.#question;
    if (sent === null) {
      this.#giveUp(why);
      return;
    }
    this.settle(endedAnswer(why));
    this.#question.cancelUnwanted(sent);
  }

  timedOut(): void {
    if (this.#question.sent === null) this.#giveUp('overload');
    else this.settle(TIMEOUT);
  }

  /** Leaves the gate before its turn has come. */
  #giveUp(why: Unasked): void {
    const { board } = this.#question;
    // While it is still counted among those that wait.
    const told = board.reason(why, this.#asker);
    board.gate.leave(this);
    this.settle(unasked(told));
  }
}

function expire(wish: Wish): void {
  wish.timedOut();
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

/**
 * The talk with one MTA connection: takes bytes, calls the session's callbacks in order, gives bytes. Knows no socket,
 * so that the whole state machine can be driven from a test.
 *
 * The order of commands is that of libmilter (`engine.c`): a command out of its place ends the message under way
 * (abort callback) and is tried again from there; if it still has no place it is ignored without a reply.
 */
import { type Command, type ConnectInfo, decodeCommand } from './command.ts';
import { MAX_DATA, SMFIC, SMFIP } from './constants.ts';
import { Macros } from './macros.ts';
import { Message } from './message.ts';
import {
  type ActionName,
  type Agreement,
  answers,
  declined,
  grants,
  negotiate,
  type Wishes,
} from './negotiation.ts';
import { describeCommand, describeMacros, describePacket, type Observer } from './observer.ts';
import { PacketDecoder, ProtocolError } from './packet.ts';
import { describeReply, encodeReply, type Reply } from './reply.ts';
import type { Awaitable, EventName, MilterContext, MilterSession } from './session.ts';

export interface ConversationOptions {
  readonly newSession: () => MilterSession;
  readonly wishes: Wishes;
  /** What is answered where a callback fails; the connection goes on in any case. */
  readonly replyOnError: 'continue' | 'tempfail';
  /** Hears of callbacks that failed and of peers that broke the protocol. */
  readonly onError: (error: unknown, event: EventName | 'abort' | 'close' | 'protocol') => void;
  /** Asked at CONNECT for somebody who wants to hear the dialogue of this session; null for nobody. */
  readonly observe?: Observe | undefined;
}

export type Observe = (info: ConnectInfo, session: MilterSession) => Observer | null;

/** Where the bytes go. */
export interface Peer {
  write(bytes: Buffer): void;
  /** Hold back further bytes, or let them come again. */
  pause(): void;
  resume(): void;
  /** The conversation is over; nothing more will be written. */
  destroy(): void;
}

/** How far a message has come. */
const IDLE = 0;
const RANK = { mail: 1, rcpt: 2, data: 3, header: 4, endOfHeaders: 5, body: 6 } as const;
type MessageEvent = keyof typeof RANK;
/** Events that come at most once in a message. */
const ONCE: ReadonlySet<MessageEvent> = new Set(['mail', 'data', 'endOfHeaders']);

export class Conversation implements MilterContext {
  readonly #options: ConversationOptions;
  readonly #peer: Peer;
  readonly #decoder = new PacketDecoder();
  #macros = new Macros();
  #session: MilterSession;
  #observer: Observer | null = null;
  #agreement: Agreement | null = null;
  #connected = false;
  #progress: number = IDLE;
  /** Replies that have not left; null while there are none, as most of the time. */
  #out: Buffer[] | null = null;
  /** The event whose callback has not settled. */
  #waitingFor: EventName | null = null;
  #paused = false;
  #over = false;

  constructor(options: ConversationOptions, peer: Peer) {
    this.#options = options;
    this.#peer = peer;
    this.#session = options.newSession();
  }

  get version(): number {
    return this.#agreement?.version ?? 0;
  }

  macro(name: string): string | undefined {
    return this.#macros.get(name);
  }

  granted(action: ActionName): boolean {
    return this.#agreement !== null && grants(action, this.#agreement);
  }

  receive(chunk: Buffer): void {
    if (this.#over) return;
    this.#decoder.push(chunk);
    if (this.#waitingFor === null) {
      this.#work();
    } else if (!this.#paused && this.#decoder.pending > MAX_DATA) {
      // A peer that sends on while a callback works must not fill our memory.
      this.#paused = true;
      this.#peer.pause();
    }
  }

  /** The connection is gone, or is to go: tells the session, once. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#endSession();
    this.#peer.destroy();
  }

  /** Ends without leaving an open question: the MTA goes on as if there had been no filter. */
  release(): void {
    if (this.#waitingFor !== null && this.#agreement !== null && answers(this.#waitingFor, this.#agreement)) {
      this.#send(encodeReply('continue'));
    }
    this.#flush();
    this.end();
  }

  /** Takes packet after packet until a callback has to be waited for; what they gave leaves in one write. */
  #work(): void {
    try {
      while (!this.#isOver() && this.#waitingFor === null) {
        const packet = this.#decoder.next();
        if (packet === null) break;
        this.#take(decodeCommand(packet));
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#options.onError(error, 'protocol');
      this.#flush();
      this.end();
    }
    this.#flush();
    if (this.#paused && this.#waitingFor === null && !this.#over) {
      this.#paused = false;
      this.#peer.resume();
    }
  }

  #isOver(): boolean {
    return this.#over;
  }

  #send(packet: Buffer): void {
    if (this.#out === null) this.#out = [packet];
    else this.#out.push(packet);
  }

  #flush(): void {
    const out = this.#out;
    if (out === null || this.#over) return;
    this.#out = null;
    const [first] = out;
    this.#peer.write(first !== undefined && out.length === 1 ? first : Buffer.concat(out));
  }

  #take(command: Command): void {
    if (this.#agreement === null && command.type !== 'negotiate' && command.type !== 'quit') {
      throw new ProtocolError(`${command.type} before the negotiation`);
    }
    const session = this.#session;
    this.#observer?.('mta', command.type, describeCommand(command));
    switch (command.type) {
      case 'negotiate':
        this.#negotiate(command.offer);
        return;
      case 'macro':
        this.#macros.set(command.stage, command.text);
        return;
      case 'connect':
        if (this.#connected) return;
        this.#connected = true;
        this.#begin(SMFIC.CONNECT);
        if (this.#options.observe !== undefined) this.#letObserve(this.#options.observe, command);
        this.#call('connect', () => session.connect?.(command.info, this));
        return;
      case 'helo':
        this.#abort();
        this.#begin(SMFIC.HELO);
        this.#call('helo', () => session.helo?.(command.name, this));
        return;
      case 'mail':
        if (!this.#enter('mail')) return;
        this.#begin(SMFIC.MAIL);
        this.#call('mail', () => session.mail?.(command.envelope, this));
        return;
      case 'rcpt':
        if (!this.#enter('rcpt')) return;
        this.#begin(SMFIC.RCPT);
        this.#call('rcpt', () => session.rcpt?.(command.envelope, this));
        return;
      case 'data':
        if (this.#enter('data')) this.#call('data', () => session.data?.(this));
        return;
      case 'unknown':
        this.#call('unknown', () => session.unknown?.(command.line, this));
        return;
      case 'header':
        if (this.#enter('header'))
          this.#call('header', () => session.header?.(command.name, command.value, this));
        return;
      case 'endOfHeaders':
        if (this.#enter('endOfHeaders')) this.#call('endOfHeaders', () => session.endOfHeaders?.(this));
        return;
      case 'body':
        if (this.#enter('body')) this.#call('body', () => session.body?.(command.chunk, this));
        return;
      case 'endOfMessage':
        this.#endOfMessage(command.chunk);
        return;
      case 'abort':
        this.#abort();
        return;
      case 'quit':
        this.#flush();
        this.end();
        return;
      case 'quitNewConnection':
        this.#endSession();
        this.#session = this.#options.newSession();
        this.#macros = new Macros();
        this.#connected = false;
        return;
    }
  }

  #negotiate(offer: Parameters<typeof negotiate>[0]): void {
    if (this.#agreement !== null) throw new ProtocolError('a second negotiation');
    const { wishes } = this.#options;
    const { agreement, encoded } = negotiate(offer, this.#session, wishes);
    this.#agreement = agreement;
    this.#send(encoded);
  }

  #begin(command: number): void {
    this.#macros.begin(command);
  }

  /** Whether the event has a place now. Puts the message into that place. */
  #enter(event: MessageEvent): boolean {
    const rank = RANK[event];
    const repeated = this.#progress === rank && ONCE.has(event);
    if (this.#progress > rank || repeated) this.#abort();
    if (this.#progress < this.#leastBefore(event)) return false;
    this.#progress = rank;
    return true;
  }

  /** MAIL and RCPT must have come before, unless they were declined. */
  #leastBefore(event: MessageEvent): number {
    const agreement = this.#agreement;
    if (event === 'mail' || agreement === null) return IDLE;
    if (event !== 'rcpt' && !declined('rcpt', agreement)) return RANK.rcpt;
    return declined('mail', agreement) ? IDLE : RANK.mail;
  }

  /** The end of a message is always answered: Postfix sends it even if every event was declined. */
  #endOfMessage(chunk: Buffer): void {
    const session = this.#session;
    const finish = (): Awaitable<Reply | undefined> => {
      if (session.endOfMessage === undefined) return undefined;
      const message = new Message(this.#agreement?.actions ?? 0, (packet) => {
        this.#send(packet);
        this.#flush();
      });
      const settle = (reply: Reply): Reply => {
        for (const change of message.finish()) {
          this.#observer?.('milter', 'change', describePacket(change));
          this.#send(change);
        }
        return reply;
      };
      const reply = session.endOfMessage(message, this);
      return reply instanceof Promise ? reply.then(settle) : settle(reply);
    };
    // libmilter takes data here for a last piece of the body.
    if (chunk.length === 0 || session.body === undefined) {
      this.#call('endOfMessage', finish);
      return;
    }
    this.#call('endOfMessage', async () => {
      const reply = (await session.body?.(chunk, this)) ?? 'continue';
      return reply === 'continue' || reply === 'skip' ? finish() : reply;
    });
  }

  /** Runs a callback and answers; a failure of it is our own and costs the peer nothing. */
  #call(event: EventName, callback: () => Awaitable<Reply | undefined>): void {
    try {
      const reply = callback();
      if (!(reply instanceof Promise)) {
        this.#answer(event, reply);
        return;
      }
      this.#waitingFor = event;
      const resume = (): void => {
        this.#waitingFor = null;
        this.#work();
      };
      reply.then(
        (value) => {
          if (this.#over) return;
          this.#answer(event, value);
          resume();
        },
        (error: unknown) => {
          if (this.#over) return;
          this.#fail(event, error);
          resume();
        },
      );
    } catch (error) {
      this.#fail(event, error);
    }
  }

  #fail(event: EventName, error: unknown): void {
    this.#options.onError(error, event);
    this.#answer(event, this.#options.replyOnError);
  }

  #answer(event: EventName, given: Reply | undefined): void {
    const reply = given ?? 'continue';
    // TypeScript refuses these; a JavaScript filter may try, and Sendmail would drop the filter in silence.
    if (!isLegal(event, reply)) {
      this.#fail(event, new RangeError(`the reply ${JSON.stringify(reply)} is not possible at ${event}`));
      return;
    }
    const agreement = this.#agreement;
    if (agreement === null) return;
    if (endsMessage(event, reply)) this.#progress = IDLE;
    if (!answers(event, agreement)) return;
    const skipGranted = (agreement.protocol & SMFIP.SKIP) !== 0;
    const granted = reply === 'skip' && !skipGranted ? 'continue' : reply;
    this.#observer?.('milter', event, describeReply(granted));
    this.#send(encodeReply(granted));
  }

  #abort(): void {
    if (this.#progress === IDLE) return;
    this.#progress = IDLE;
    this.#tell('abort');
  }

  #endSession(): void {
    this.#abort();
    this.#tell('close');
    this.#observer?.('mta', 'close', '');
    this.#observer = null;
  }

  /** The macros of CONNECT came before anybody could listen. */
  #letObserve(observe: Observe, command: Command & { readonly type: 'connect' }): void {
    const observer = (this.#observer = observe(command.info, this.#session));
    if (observer === null) return;
    const macros = this.#macros.of(SMFIC.CONNECT);
    if (macros !== undefined) observer('mta', 'macro', describeMacros(SMFIC.CONNECT, macros));
    observer('mta', 'connect', describeCommand(command));
  }

  #tell(event: 'abort' | 'close'): void {
    try {
      this.#session[event]?.();
    } catch (error) {
      this.#options.onError(error, event);
    }
  }
}

const COMMON: ReadonlySet<unknown> = new Set(['continue', 'accept', 'reject', 'tempfail']);

function isLegal(event: EventName, reply: unknown): boolean {
  if (reply instanceof Object) return 'encoded' in reply && reply.encoded instanceof Buffer;
  if (COMMON.has(reply)) return true;
  if (reply === 'discard') return event !== 'connect' && event !== 'helo';
  return reply === 'skip' && event === 'body';
}

/** After such a reply the MTA shows no more of this message. At RCPT a refusal concerns that recipient only. */
function endsMessage(event: EventName, reply: Reply): boolean {
  if (event === 'endOfMessage') return true;
  if (event === 'connect' || event === 'helo' || event === 'unknown') return false;
  if (event === 'rcpt') return reply === 'accept' || reply === 'discard';
  return reply !== 'continue' && reply !== 'skip';
}

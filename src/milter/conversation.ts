/**
 * The conversation on one MTA connection: takes bytes, calls the session's callbacks in order, gives bytes.
 * Knows no socket, so that a test can drive the whole state machine.
 */
import type { ActionName } from './actions.ts';
import { type Command, type ConnectInfo, decodeCommand, type Offer } from './command.ts';
import { SMFIC, SMFIP } from './constants.ts';
import {
  describe,
  isThenable,
  type OnError,
  openSession,
  quiet,
  type ReplyOnError,
  report,
  standIn,
} from './guard.ts';
import { Flow, type Peer } from './flow.ts';
import { ORDINARY } from './holdings.ts';
import { Macros } from './macros.ts';
import { Message } from './message.ts';
import { type Agreement, type Negotiated, answers, grants, negotiate, type Wishes } from './negotiation.ts';
import { describeCommand, describeMacros, describePacket, type Observer } from './observer.ts';
import { endsMessage, endsUnfinished, hasPlace, IDLE, type MessageEvent, RANK } from './order.ts';
import { type Packet, ProtocolError } from './packet.ts';
import { describeReply, encodeReply, isLegal, type Reply } from './reply.ts';
import type { CallbackName } from './callbacks.ts';
import type { Awaitable, MilterContext, MilterSession } from './session.ts';

export interface ConversationOptions {
  readonly newSession: () => MilterSession;
  readonly wishes: Wishes;
  /**
   * The answer if a callback fails, and of a session that could not be made; the connection goes on in any
   * case.
   */
  readonly replyOnError: ReplyOnError;
  /** Told of failures, of peers that broke the protocol, and of connections turned away. */
  readonly onError: OnError;
  /** Asked at CONNECT for an observer of this session's dialogue; null for none. */
  readonly observe?: Observe | undefined;
}

export type Observe = (info: ConnectInfo, session: MilterSession) => Observer | null;

export class Conversation extends Flow implements MilterContext {
  readonly #options: ConversationOptions;
  readonly #peer: Peer;
  #macros = new Macros();
  #session: MilterSession;
  #observer: Observer | null = null;
  #agreement: Agreement | null = null;
  #connected = false;
  #progress: number = IDLE;
  /** The event whose callback has not settled. */
  #waitingFor: CallbackName | null = null;
  /** Octets of the last CONNECT, HELO and MAIL, whose texts the session may well keep. */
  #connectSize = 0;
  #heloSize = 0;
  #mailSize = 0;

  constructor(options: ConversationOptions, peer: Peer) {
    super(peer);
    this.#options = options;
    this.#peer = peer;
    this.#session = openSession(options);
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

  /** Bytes of memory that the peer fills here at present. */
  get held(): number {
    if (this.over) return 0;
    const kept = this.#connectSize + this.#heloSize + this.#mailSize;
    return this.undecoded + this.#macros.size + kept;
  }

  /** The connection is gone, or is to be closed: tells the session, once. */
  end(): void {
    if (this.over) return;
    this.stop();
    this.#endSession();
    // A callback that has not settled may still ask for macros, and keeps this object alive until it has.
    if (this.#macros.size > ORDINARY) this.#macros = new Macros();
    this.#peer.destroy();
  }

  /** Ends after answering what is open, so that the MTA goes on as if there had been no filter. */
  release(): void {
    if (this.#waitingFor !== null && this.#agreement !== null && answers(this.#waitingFor, this.#agreement)) {
      this.send(encodeReply('continue'));
    }
    this.flush();
    this.end();
  }

  protected override get waiting(): boolean {
    return this.#waitingFor !== null;
  }

  protected override fail(error: unknown): void {
    report(this.#options.onError, error, error instanceof ProtocolError ? 'protocol' : 'internal');
    this.flush();
    this.end();
  }

  protected override take(packet: Packet): void {
    const command = decodeCommand(packet);
    const size = packet.data.length;
    if (this.#agreement === null && command.type !== 'negotiate' && command.type !== 'quit') {
      throw new ProtocolError(`${command.type} before the negotiation`);
    }
    const session = this.#session;
    if (this.#observer !== null) this.#show('mta', command.type, () => describeCommand(command));
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
        this.#connectSize = size;
        this.#begin(SMFIC.CONNECT);
        if (this.#options.observe !== undefined) this.#letObserve(this.#options.observe, command);
        this.#call('connect', () => session.connect?.(command.info, this));
        return;
      case 'helo':
        this.#abort();
        this.#heloSize = size;
        this.#begin(SMFIC.HELO);
        this.#call('helo', () => session.helo?.(command.name, this));
        return;
      case 'mail':
        if (!this.#enter('mail')) return;
        this.#mailSize = size;
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
        this.flush();
        this.end();
        return;
      case 'quitNewConnection':
        this.#endSession();
        this.#session = openSession(this.#options);
        this.#macros = new Macros();
        this.#connectSize = this.#heloSize = this.#mailSize = 0;
        this.#connected = false;
        return;
    }
  }

  #negotiate(offer: Offer): void {
    if (this.#agreement !== null) throw new ProtocolError('a second negotiation');
    const { agreement, encoded } = this.#agree(offer);
    this.#agreement = agreement;
    this.send(encoded);
  }

  #agree(offer: Offer): Negotiated {
    const { wishes, onError, replyOnError } = this.#options;
    try {
      return negotiate(offer, this.#session, wishes);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      // A session whose callbacks cannot even be read.
      report(onError, error, 'newSession');
      this.#session = standIn(replyOnError);
      return negotiate(offer, this.#session, wishes);
    }
  }

  #begin(command: number): void {
    this.#macros.begin(command);
  }

  /** Whether the event may come now. Notes how far the message has come. */
  #enter(event: MessageEvent): boolean {
    if (endsUnfinished(event, this.#progress)) this.#abort();
    if (!hasPlace(event, this.#progress, this.#agreement)) return false;
    this.#progress = RANK[event];
    return true;
  }

  /** The end of a message is always answered: Postfix sends it even if every event was declined. */
  #endOfMessage(chunk: Buffer): void {
    const session = this.#session;
    this.#call('endOfMessage', () => {
      // libmilter takes data here as a last piece of the body.
      if (chunk.length === 0 || session.body === undefined) return this.#finish(session);
      return Promise.resolve(session.body(chunk, this)).then((given) => {
        const reply = (given as Reply | undefined) ?? 'continue';
        return reply === 'continue' || reply === 'skip' ? this.#finish(session) : reply;
      });
    });
  }

  #finish(session: MilterSession): Awaitable<Reply | undefined> {
    if (session.endOfMessage === undefined) return undefined;
    const message = new Message(this.#agreement?.actions ?? 0, (packet) => {
      this.send(packet);
      this.flush();
    });
    const settle = (reply: Reply): Reply => {
      for (const change of message.finish()) {
        if (this.#observer !== null) this.#show('milter', 'change', () => describePacket(change));
        this.send(change);
      }
      return reply;
    };
    const reply = session.endOfMessage(message, this);
    return isThenable(reply) ? Promise.resolve(reply).then(settle) : settle(reply);
  }

  /** Runs a callback and answers; its failure is our fault and costs the peer nothing. */
  #call(event: CallbackName, callback: () => Awaitable<Reply | undefined>): void {
    let reply: Awaitable<Reply | undefined>;
    try {
      reply = callback();
      if (isThenable(reply)) reply = Promise.resolve(reply);
    } catch (error) {
      this.#failed(event, error);
      return;
    }
    if (!(reply instanceof Promise)) {
      this.#answer(event, reply);
      return;
    }
    this.#waitingFor = event;
    const resume = (answer: () => void): void => {
      if (this.over) return;
      answer();
      this.#waitingFor = null;
      this.work();
    };
    void reply.then(
      (value) => {
        resume(() => {
          this.#answer(event, value);
        });
      },
      (error: unknown) => {
        resume(() => {
          this.#failed(event, error);
        });
      },
    );
  }

  #failed(event: CallbackName, error: unknown): void {
    report(this.#options.onError, error, event);
    this.#answer(event, this.#options.replyOnError);
  }

  #answer(event: CallbackName, given: Reply | undefined): void {
    const reply = given ?? 'continue';
    // TypeScript refuses these; a JavaScript filter may try, and Sendmail would silently drop the filter.
    if (!isLegal(event, reply)) {
      this.#failed(event, new RangeError(`the reply ${describe(reply)} is not possible at ${event}`));
      return;
    }
    const agreement = this.#agreement;
    if (agreement === null) return;
    if (endsMessage(event, reply)) this.#progress = IDLE;
    if (!answers(event, agreement)) return;
    const skipGranted = (agreement.protocol & SMFIP.SKIP) !== 0;
    const granted = reply === 'skip' && !skipGranted ? 'continue' : reply;
    if (this.#observer !== null) this.#show('milter', event, () => describeReply(granted));
    this.send(encodeReply(granted));
  }

  #abort(): void {
    if (this.#progress === IDLE) return;
    this.#progress = IDLE;
    this.#tell('abort');
  }

  #endSession(): void {
    this.#abort();
    this.#tell('close');
    this.#show('mta', 'close', () => '');
    this.#observer = null;
  }

  /** The macros of CONNECT came before there was an observer. */
  #letObserve(observe: Observe, command: Command & { readonly type: 'connect' }): void {
    try {
      this.#observer = observe(command.info, this.#session) ?? null;
    } catch (error) {
      report(this.#options.onError, error, 'observe');
    }
    if (this.#observer === null) return;
    const macros = this.#macros.of(SMFIC.CONNECT);
    if (macros !== undefined) this.#show('mta', 'macro', () => describeMacros(SMFIC.CONNECT, macros));
    this.#show('mta', 'connect', () => describeCommand(command));
  }

  /** An observer that fails is not called again. */
  #show(side: 'mta' | 'milter', event: string, text: () => string): void {
    try {
      quiet(this.#observer?.(side, event, text()), (error) => {
        report(this.#options.onError, error, 'observe');
      });
    } catch (error) {
      this.#observer = null;
      report(this.#options.onError, error, 'observe');
    }
  }

  #tell(event: 'abort' | 'close'): void {
    const { onError } = this.#options;
    try {
      quiet(this.#session[event]?.(), (error) => {
        report(onError, error, event);
      });
    } catch (error) {
      report(onError, error, event);
    }
  }
}

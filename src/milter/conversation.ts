/**
 * The conversation on one MTA connection: takes bytes, calls the session's callbacks in order, gives bytes.
 * Knows no socket, so that a test can drive the whole state machine.
 */
import type { ActionName } from './actions.ts';
import { Answering, type AnsweringOptions } from './answering.ts';
import type { CallbackName } from './callbacks.ts';
import { type Command, type ConnectInfo, decodeCommand, type Envelope, type Offer } from './command.ts';
import { SMFIC } from './constants.ts';
import type { Peer } from './flow.ts';
import { isThenable, openSession, quiet, report, standIn } from './guard.ts';
import { ORDINARY } from './holdings.ts';
import { Macros } from './macros.ts';
import { Message } from './message.ts';
import { grants, type Negotiated, negotiate, type Wishes } from './negotiation.ts';
import { Observation, type Observe } from './observation.ts';
import { describeCommand, describePacket } from './observer.ts';
import { endsMessage, endsUnfinished, hasPlace, IDLE, type MessageEvent, RANK } from './order.ts';
import { type Packet, ProtocolError } from './packet.ts';
import type { Reply } from './reply.ts';
import type { Awaitable, MilterContext, MilterSession } from './session.ts';

export interface ConversationOptions extends AnsweringOptions {
  readonly newSession: () => MilterSession;
  readonly wishes: Wishes;
  /** Asked at CONNECT for an observer of this session's dialogue; null for none. */
  readonly observe?: Observe | undefined;
}

/** Commands that are not about what the SMTP client does. */
const BESIDE_SESSION: ReadonlySet<Command['type']> = new Set([
  'negotiate',
  'macro',
  'abort',
  'quit',
  'quitNewConnection',
]);

export class Conversation extends Answering implements MilterContext {
  readonly #options: ConversationOptions;
  readonly #peer: Peer;
  #macros = new Macros();
  #session: MilterSession;
  /** CONNECT has come, or what comes after it. */
  #connected = false;
  #progress: number = IDLE;
  /** Octets of the last CONNECT, HELO and MAIL, whose texts the session may well keep. */
  #connectSize = 0;
  #heloSize = 0;
  #mailSize = 0;

  constructor(options: ConversationOptions, peer: Peer) {
    super(peer, options);
    this.#options = options;
    this.#peer = peer;
    this.#session = openSession(options);
  }

  get version(): number {
    return this.agreement?.version ?? 0;
  }

  macro(name: string): string | undefined {
    return this.#macros.get(name);
  }

  granted(action: ActionName): boolean {
    return this.agreement !== null && grants(action, this.agreement);
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
    this.letGoOn();
    this.end();
  }

  protected override fail(error: unknown): void {
    report(this.#options.onError, error, error instanceof ProtocolError ? 'protocol' : 'internal');
    this.flush();
    this.end();
  }

  protected override take(packet: Packet): void {
    const command = decodeCommand(packet);
    if (this.agreement === null && command.type !== 'negotiate' && command.type !== 'quit') {
      throw new ProtocolError(`${command.type} before the negotiation`);
    }
    this.observation?.show('mta', command.type, () => describeCommand(command));
    // As in libmilter, the client of a session cannot be another one once it has said something.
    if (command.type !== 'connect' && !BESIDE_SESSION.has(command.type)) this.#connected = true;
    this.#obey(command, packet.data.length);
  }

  #obey(command: Command, size: number): void {
    const session = this.#session;
    switch (command.type) {
      case 'negotiate':
        this.#negotiate(command.offer);
        return;
      case 'macro':
        this.#macros.set(command.stage, command.text);
        return;
      case 'connect':
        this.#connect(command.info, size);
        return;
      case 'helo':
        this.#helo(command.name, size);
        return;
      case 'mail':
        this.#mail(command.envelope, size);
        return;
      case 'rcpt':
        this.#rcpt(command.envelope);
        return;
      case 'data':
        this.#callInPlace('data', () => session.data?.(this));
        return;
      case 'unknown':
        this.call('unknown', () => session.unknown?.(command.line, this));
        return;
      case 'header':
        this.#callInPlace('header', () => session.header?.(command.name, command.value, this));
        return;
      case 'endOfHeaders':
        this.#callInPlace('endOfHeaders', () => session.endOfHeaders?.(this));
        return;
      case 'body':
        this.#callInPlace('body', () => session.body?.(command.chunk, this));
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
        this.#startAgain();
        return;
    }
  }

  #negotiate(offer: Offer): void {
    if (this.agreement !== null) throw new ProtocolError('a second negotiation');
    const { agreement, encoded } = this.#agree(offer);
    this.agreement = agreement;
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

  #connect(info: ConnectInfo, size: number): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#connectSize = size;
    this.#macros.begin(SMFIC.CONNECT);
    const { observe, onError } = this.#options;
    const [session, macros] = [this.#session, this.#macros];
    if (observe !== undefined) {
      this.observation = Observation.begin(observe, { info, session, macros }, onError);
    }
    this.call('connect', () => session.connect?.(info, this));
  }

  #helo(name: string, size: number): void {
    this.#abort();
    this.#heloSize = size;
    this.#macros.begin(SMFIC.HELO);
    this.call('helo', () => this.#session.helo?.(name, this));
  }

  #mail(envelope: Envelope, size: number): void {
    if (!this.#enter('mail')) return;
    this.#mailSize = size;
    this.#macros.begin(SMFIC.MAIL);
    this.call('mail', () => this.#session.mail?.(envelope, this));
  }

  #rcpt(envelope: Envelope): void {
    if (!this.#enter('rcpt')) return;
    this.#macros.begin(SMFIC.RCPT);
    this.call('rcpt', () => this.#session.rcpt?.(envelope, this));
  }

  /** The MTA goes on with another SMTP session over the same connection. */
  #startAgain(): void {
    this.#endSession();
    this.#session = openSession(this.#options);
    this.#macros = new Macros();
    this.#connectSize = this.#heloSize = this.#mailSize = 0;
    this.#connected = false;
  }

  #callInPlace(event: MessageEvent, callback: () => Awaitable<Reply | undefined>): void {
    if (this.#enter(event)) this.call(event, callback);
  }

  /** Whether the event may come now. Notes how far the message has come. */
  #enter(event: MessageEvent): boolean {
    if (endsUnfinished(event, this.#progress)) this.#abort();
    if (!hasPlace(event, this.#progress, this.agreement)) return false;
    this.#progress = RANK[event];
    return true;
  }

  /** The end of a message is always answered: Postfix sends it even if every event was declined. */
  #endOfMessage(chunk: Buffer): void {
    const session = this.#session;
    this.call('endOfMessage', () => {
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
    const message = new Message(this.agreement?.actions ?? 0, (packet) => {
      this.send(packet);
      this.flush();
    });
    const settle = (reply: Reply): Reply => {
      for (const change of message.finish()) {
        this.observation?.show('milter', 'change', () => describePacket(change));
        this.send(change);
      }
      return reply;
    };
    const reply = session.endOfMessage(message, this);
    return isThenable(reply) ? Promise.resolve(reply).then(settle) : settle(reply);
  }

  protected override answered(event: CallbackName, reply: Reply): void {
    if (endsMessage(event, reply)) this.#progress = IDLE;
  }

  #abort(): void {
    if (this.#progress === IDLE) return;
    this.#progress = IDLE;
    this.#tell('abort');
  }

  #endSession(): void {
    this.#abort();
    this.#tell('close');
    this.observation?.show('mta', 'close', () => '');
    this.observation = null;
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

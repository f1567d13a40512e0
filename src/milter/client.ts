/**
 * The MTA's side of the protocol, to drive a filter without an MTA: in a test, from a shell, in a monitor.
 * Like Postfix and Sendmail, it sends what was agreed upon and nothing else.
 */
import { connect as dial, type Socket } from 'node:net';
import { parseSocketAddress, type SocketAddress } from './address.ts';
import { SMFIC, SMFIR } from './constants.ts';
import { answers, declined } from './negotiation.ts';
import { encodeOffer, FULL_OFFER } from './offer.ts';
import { encodePacket, encodeStrings, type Packet, PacketDecoder, ProtocolError } from './packet.ts';
import {
  type Change,
  decodeAgreement,
  decodeChange,
  decodeReply,
  type ReceivedAgreement,
  type ReceivedReply,
} from './received.ts';
import type { CallbackName } from './callbacks.ts';

/** What the client of an MTA offers, and how long it waits. */
export interface MilterClientOptions {
  /** What the MTA offers; by default everything that today's Postfix and Sendmail offer. */
  readonly version?: number;
  readonly actions?: number;
  readonly protocol?: number;
  /** Milliseconds that one answer may take. PROGRESS restarts the time. */
  readonly timeoutMs?: number;
}

const COMMAND: Readonly<Record<CallbackName, number>> = {
  connect: SMFIC.CONNECT,
  helo: SMFIC.HELO,
  mail: SMFIC.MAIL,
  rcpt: SMFIC.RCPT,
  data: SMFIC.DATA,
  unknown: SMFIC.UNKNOWN,
  header: SMFIC.HEADER,
  endOfHeaders: SMFIC.EOH,
  body: SMFIC.BODY,
  endOfMessage: SMFIC.BODYEOB,
};

const TIMEOUT_MS = 10_000;

/**
 * One milter connection. Every method that expects an answer resolves to it, or to null if the filter
 * declined the event or leaves it unanswered; it rejects with ProtocolError if the filter breaks the
 * protocol, closes the connection, or does not answer in time.
 */
export class MilterClient {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #decoder = new PacketDecoder();
  readonly #packets: Packet[] = [];
  #wake = (): void => undefined;
  #failure: Error | null = null;
  #agreement: ReceivedAgreement = { version: 0, actions: 0, protocol: 0, macros: {} };

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', (error) => {
      this.#fail(error);
    });
    socket.on('close', () => {
      this.#fail(new ProtocolError('the filter has closed the connection'));
    });
  }

  /** Connects and negotiates. `address` as for `MilterServer.listen`. */
  static async open(
    address: SocketAddress | string,
    options: MilterClientOptions = {},
  ): Promise<MilterClient> {
    const { version, actions, protocol } = { ...FULL_OFFER, ...options };
    const where = typeof address === 'string' ? parseSocketAddress(address) : address;
    if (where.kind === 'fd') throw new RangeError('a listening descriptor cannot be connected to');
    const socket = dial(
      where.kind === 'unix' ? { path: where.path } : { host: where.host, port: where.port },
    );
    const client = new MilterClient(socket, options.timeoutMs ?? TIMEOUT_MS);
    try {
      client.#send(SMFIC.OPTNEG, encodeOffer({ version, actions, protocol }));
      const { command, data } = await client.#next();
      if (command !== SMFIC.OPTNEG) throw new ProtocolError('the filter does not negotiate');
      client.#agreement = decodeAgreement(data);
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  /** What the filter answered to the offer. */
  get agreement(): ReceivedAgreement {
    return this.#agreement;
  }

  /**
   * Sends the macros that precede the command of an event; they get no answer. Names with or without braces.
   */
  macros(event: CallbackName, values: Readonly<Record<string, string>>): void {
    const command = Buffer.from([COMMAND[event]]);
    this.#send(SMFIC.MACRO, Buffer.concat([command, encodeStrings(...Object.entries(values).flat())]));
  }

  /** The SMTP client: its address, or null if it has none; and its name as the MTA verified it. */
  async connect(
    address: string | null,
    { hostname = address === null ? 'localhost' : `[${address}]`, port = 25 } = {},
  ): Promise<ReceivedReply | null> {
    if (address === null) {
      return this.#ask('connect', Buffer.concat([encodeStrings(hostname), Buffer.from('U')]));
    }
    const family = Buffer.from([address.includes(':') ? 0x36 : 0x34, port >> 8, port & 255]);
    return this.#ask('connect', Buffer.concat([encodeStrings(hostname), family, encodeStrings(address)]));
  }

  async helo(name: string): Promise<ReceivedReply | null> {
    return this.#ask('helo', encodeStrings(name));
  }

  /** `args` are ESMTP parameters. */
  async mail(address: string, ...args: readonly string[]): Promise<ReceivedReply | null> {
    return this.#ask('mail', encodeStrings(`<${address}>`, ...args));
  }

  async rcpt(address: string, ...args: readonly string[]): Promise<ReceivedReply | null> {
    return this.#ask('rcpt', encodeStrings(`<${address}>`, ...args));
  }

  async data(): Promise<ReceivedReply | null> {
    return this.#agreement.version < 4 ? null : this.#ask('data');
  }

  /** An SMTP command that the MTA does not know. */
  async unknown(line: string): Promise<ReceivedReply | null> {
    return this.#agreement.version < 3 ? null : this.#ask('unknown', encodeStrings(line));
  }

  async header(name: string, value: string): Promise<ReceivedReply | null> {
    return this.#ask('header', encodeStrings(name, value));
  }

  async endOfHeaders(): Promise<ReceivedReply | null> {
    return this.#ask('endOfHeaders');
  }

  async body(chunk: Uint8Array): Promise<ReceivedReply | null> {
    return this.#ask('body', chunk);
  }

  /** The end of the message, which no filter can decline: its changes, then its reply. */
  async endOfMessage(): Promise<{ readonly changes: readonly Change[]; readonly reply: ReceivedReply }> {
    this.#send(SMFIC.BODYEOB);
    const changes: Change[] = [];
    for (;;) {
      const packet = await this.#next();
      const reply = decodeReply(packet);
      if (reply !== null) return { changes, reply };
      const change = decodeChange(packet);
      if (change !== null) changes.push(change);
      else if (packet.command !== SMFIR.PROGRESS) throw unexpected(packet);
    }
  }

  /** Ends the message under way; the connection goes on. */
  abort(): void {
    this.#send(SMFIC.ABORT);
  }

  /** Ends the connection as an MTA does. */
  quit(): void {
    this.#send(SMFIC.QUIT);
    this.#socket.end();
  }

  /** Closes the connection without QUIT. */
  close(): void {
    this.#socket.destroy();
  }

  async #ask(event: CallbackName, data?: Uint8Array): Promise<ReceivedReply | null> {
    if (declined(event, this.#agreement)) return null;
    this.#send(COMMAND[event], data);
    if (!answers(event, this.#agreement)) return null;
    const packet = await this.#next();
    const reply = decodeReply(packet);
    if (reply === null) throw unexpected(packet);
    return reply;
  }

  #send(command: number, data?: Uint8Array): void {
    if (this.#failure === null) this.#socket.write(encodePacket(command, data));
  }

  #receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
      for (let packet = this.#decoder.next(); packet !== null; packet = this.#decoder.next()) {
        this.#packets.push(packet);
      }
    } catch (error) {
      this.#fail(error as Error);
      this.close();
    }
    this.#wake();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** Packets that came before the end of the connection are delivered before its error. */
  async #next(): Promise<Packet> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined) return packet;
      if (this.#failure !== null) throw this.#failure;
      await this.#news();
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#fail(new ProtocolError(`no answer within ${this.#timeoutMs} ms`));
        this.close();
      }, this.#timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function unexpected({ command }: Packet): ProtocolError {
  return new ProtocolError(`the filter answers 0x${command.toString(16).padStart(2, '0')} out of place`);
}

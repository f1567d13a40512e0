/** An SMTP client that says exactly what a test wants said, byte for byte, and reads replies. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Reply {
  readonly code: number;
  /** The text of each line, without the code. */
  readonly lines: readonly string[];
  /** Code and all lines, as one would quote the reply. */
  readonly text: string;
}

/** Longer than either MTA waits for a milter. */
const TIMEOUT_MS = 50_000;

export class SmtpClient {
  #socket: Socket;
  #received = '';
  #wake: (() => void) | null = null;
  #ended = false;
  /** Everything said and heard, as a transcript. */
  readonly transcript: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /**
   * Connects to loopback or another address of `test/mta/own-network`, from one of these or as ourselves,
   * sends what a proxy would send first, and reads the greeting.
   */
  static async connect(
    port: number,
    from?: string,
    preface: string | Buffer = '',
    host = from?.includes(':') === true ? '::1' : '127.0.0.1',
  ): Promise<SmtpClient> {
    const socket = connect({
      port,
      host,
      noDelay: true,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const client = new SmtpClient(socket);
    if (preface.length > 0) socket.write(preface);
    await client.read();
    return client;
  }

  /** Sends one line, as text (latin1) or bytes, and reads the reply. */
  async say(line: string | Buffer): Promise<Reply> {
    this.transcript.push(`> ${line.toString('latin1')}`);
    this.#socket.write(
      typeof line === 'string'
        ? Buffer.from(`${line}\r\n`, 'latin1')
        : Buffer.concat([line, Buffer.from('\r\n')]),
    );
    return this.read();
  }

  /** Becomes another client (Postfix XCLIENT) and greets with this name. */
  async become(
    address: string,
    helo: string,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    await this.say('EHLO probe.test');
    const addr = address.includes(':') ? `IPV6:${address}` : address;
    const all = { NAME: '[UNAVAILABLE]', ADDR: addr, PORT: '4711', ...attributes };
    const reply = await this.say(
      `XCLIENT ${Object.entries(all)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`,
    );
    if (reply.code !== 220) return reply;
    this.transcript.length = 0;
    return this.say(`EHLO ${helo}`);
  }

  /** A whole message; the reply that stopped it, or that to the final dot. */
  async send(
    recipients: readonly string[] = ['user@dest.test'],
    text = 'Subject: t\r\n\r\nbody',
  ): Promise<Reply> {
    const mail = await this.say('MAIL FROM:<sender@sender.org>');
    if (mail.code >= 400) return mail;
    let last = mail;
    let accepted = 0;
    for (const recipient of recipients) {
      last = await this.say(`RCPT TO:<${recipient}>`);
      if (last.code < 400) accepted++;
    }
    if (accepted === 0) return last;
    const data = await this.say('DATA');
    if (data.code !== 354) return data;
    return this.say(`${text}\r\n.`);
  }

  /** Continues under TLS, with a client certificate if one is given. */
  async startTls(identity: { readonly cert?: Buffer; readonly key?: Buffer } = {}): Promise<Reply> {
    const reply = await this.say('STARTTLS');
    if (reply.code !== 220) return reply;
    this.#socket.removeAllListeners();
    const socket = connectTls({ socket: this.#socket, rejectUnauthorized: false, ...identity });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    this.#socket = socket;
    this.#listen(socket);
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  async read(): Promise<Reply> {
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const match = /^(?:\d{3}-[^\r\n]*\r\n)*(\d{3})(?: [^\r\n]*)?\r\n/.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match[0].length);
        const lines = match[0].trimEnd().split('\r\n');
        this.transcript.push(...lines.map((line) => `< ${line}`));
        return { code: Number(match[1]), lines: lines.map((line) => line.slice(4)), text: lines.join('\n') };
      }
      if (this.#ended) throw new Error(`the server closed; received ${JSON.stringify(this.#received)}`);
      await this.#more(deadline - Date.now());
    }
  }

  async #more(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(() => {
        reject(new Error(`no reply in time; received ${JSON.stringify(this.#received)}`));
      }, ms);
    });
    clearTimeout(timer);
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake?.();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }
}

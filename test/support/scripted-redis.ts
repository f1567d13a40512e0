/** A server that speaks just enough of the protocol of Redis (RESP 2) to misbehave in it. */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** What is sent for a command, as bytes of the protocol; null for nothing. */
export type Answer = (command: readonly string[]) => string | null;

const OK = '+OK\r\n';

export class ScriptedRedis {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** All commands so far. */
  readonly heard: (readonly string[])[] = [];
  answer: Answer;
  port = 0;

  private constructor(answer: Answer) {
    this.answer = answer;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      let rest = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        rest += chunk;
        for (let read = commandIn(rest); read !== null; read = commandIn(rest)) {
          rest = rest.slice(read.length);
          this.heard.push(read.words);
          const reply = this.answer(read.words);
          if (reply !== null) socket.write(reply, 'latin1');
        }
      });
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(answer: Answer = honest): Promise<ScriptedRedis> {
    const made = new ScriptedRedis(answer);
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    const address = made.#server.address();
    made.port = typeof address === 'object' && address !== null ? address.port : 0;
    return made;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Breaks all connections. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.drop();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Lets everybody in, and counts nothing. */
export function honest([name = '']: readonly string[]): string {
  return /^eval/i.test(name) ? '*2\r\n:0\r\n*0\r\n' : OK;
}

/** Only what is said to find out whether it works: scripts without a question of their own, and the rest. */
export function isProbe(words: readonly string[]): boolean {
  return !/^eval/i.test(words[0] ?? '') || words.at(-1) === '0';
}

/** The first command; null if it is not whole yet. */
function commandIn(text: string): { readonly words: string[]; readonly length: number } | null {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  const words: string[] = [];
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 16));
    if (size === null) return null;
    const from = at + size[0].length;
    at = from + Number(size[1]) + 2;
    if (text.length < at) return null;
    words.push(text.slice(from, at - 2));
  }
  return { words, length: at };
}

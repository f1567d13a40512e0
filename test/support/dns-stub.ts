/**
 * A scripted name server on loopback, over UDP and TCP: real packets, and every kind of trouble on demand. What no
 * real server would do on request (silence, wrong ids, truncation without TCP) is what resolvers have to survive.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  TRUNCATED_RESPONSE,
} from 'dns-packet';

/** One script: records to answer with (an empty list is nodata; the owner `*` is the name asked for), or the way to fail. */
export type Script =
  | readonly Answer[]
  | 'nxdomain'
  | 'servfail'
  | 'refused'
  | 'notimp'
  | 'silence'
  | 'wrong-id'
  | 'garbage'
  | { readonly delayMs: number; readonly then: Script }
  /** Truncated over UDP; over TCP as told, or `no-tcp` for a connection that is closed at once. */
  | { readonly truncated: Script | 'no-tcp' };

export interface DnsStub {
  /** As `--dns-server` wants it. */
  readonly server: string;
  /** Every question that arrived, as `name TYPE`, with ` tcp` where it came so. */
  readonly questions: string[];
  /** Replaces the scripts; keys are `name TYPE`, `name` or `*`. */
  script(table: Readonly<Record<string, Script>>): void;
  close(): Promise<void>;
}

const RCODE = { nxdomain: 3, servfail: 2, refused: 5, notimp: 4 } as const;

export async function startDnsStub(table: Readonly<Record<string, Script>> = {}): Promise<DnsStub> {
  let scripts = table;
  const questions: string[] = [];
  let closed = false;
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      // Several questions may come in one segment, or one in several.
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const request = received.subarray(2, 2 + received.readUInt16BE(0));
        received = received.subarray(2 + request.length);
        const script = read(request, ' tcp');
        const over = typeof script === 'object' && 'truncated' in script ? script.truncated : script;
        if (over === 'no-tcp') socket.destroy();
        else
          answer(over, request, (bytes) => {
            const length = Buffer.alloc(2);
            length.writeUInt16BE(bytes.length, 0);
            socket.write(Buffer.concat([length, bytes]));
          });
      }
    });
  });
  const { udp, port } = await bindBoth(tcp);

  function read(bytes: Buffer, suffix: string): Script {
    const [question] = decode(bytes).questions ?? [];
    const name = (question?.name ?? '').toLowerCase();
    const key = `${name} ${question?.type ?? ''}`;
    questions.push(key + suffix);
    return scripts[key] ?? scripts[name] ?? scripts['*'] ?? 'nxdomain';
  }

  function answer(script: Script, request: Buffer, send: (bytes: Buffer) => void): void {
    if (script === 'silence') return;
    if (typeof script === 'object' && 'delayMs' in script) {
      setTimeout(() => {
        answer(script.then, request, send);
      }, script.delayMs).unref();
      return;
    }
    if (script === 'garbage') {
      send(Buffer.from('this is no DNS packet'));
      return;
    }
    const { id, questions: asked } = decode(request);
    const reply: Packet = {
      type: 'response',
      id: id ?? 0,
      flags: AUTHORITATIVE_ANSWER,
      questions: asked ?? [],
      answers: [],
    };
    if (script === 'wrong-id') reply.id = ((id ?? 0) + 1) & 0xffff;
    else if (typeof script === 'string') reply.flags = AUTHORITATIVE_ANSWER | RCODE[script];
    else if ('truncated' in script) reply.flags = AUTHORITATIVE_ANSWER | TRUNCATED_RESPONSE;
    else {
      reply.answers = script.map((each) =>
        each.name === '*' ? { ...each, name: asked?.[0]?.name ?? '' } : each,
      );
    }
    send(encode(reply));
  }

  udp.on('message', (bytes, from) => {
    const script = read(bytes, '');
    answer(script, bytes, (reply) => {
      if (!closed) udp.send(reply, from.port, from.address);
    });
  });

  return {
    server: `127.0.0.1:${port}`,
    questions,
    script: (next) => {
      scripts = next;
    },
    close: async () => {
      closed = true;
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => {
          udp.close(resolve);
        }),
        new Promise((resolve) => tcp.close(resolve)),
      ]);
    },
  };
}

/** One port for both: that of UDP may be taken for TCP, then another is tried. */
export async function bindBoth(
  tcp: Server,
  address = '127.0.0.1',
): Promise<{ udp: UdpSocket; port: number }> {
  for (;;) {
    const udp = createSocket('udp4');
    await new Promise<void>((resolve) => udp.bind(0, address, resolve));
    const { port } = udp.address();
    const listening = await new Promise<boolean>((resolve) => {
      tcp.once('error', () => {
        resolve(false);
      });
      tcp.listen(port, address, () => {
        resolve(true);
      });
    });
    if (listening) return { udp, port };
    udp.close();
  }
}

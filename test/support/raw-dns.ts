/** A name server on loopback, over UDP and TCP, that sends whatever bytes a test makes. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';

export interface Heard {
  readonly query: Buffer;
  readonly via: 'udp' | 'tcp';
  /** The port that the query came from. */
  readonly from: number;
  /** The client's address. */
  readonly address: string;
}

export interface RawDns {
  readonly server: string;
  /** Every query that came, in order. */
  readonly heard: Heard[];
  /** TCP connections that were made. */
  connections: number;
  /** Sends a datagram from the server's own socket to anybody. */
  send(bytes: Buffer, port: number, address: string): void;
  close(): Promise<void>;
}

/**
 * Sends bytes to the asker: a datagram, or over TCP as they are (with the length in front, if it is to be
 * right).
 */
export type Reply = (bytes: Buffer) => void;

export async function startRawDns(
  answer: (heard: Heard, reply: Reply, socket: Socket | null) => void,
  address = '127.0.0.1',
): Promise<RawDns> {
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    made.connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const query = received.subarray(2, 2 + received.readUInt16BE(0));
        received = received.subarray(2 + query.length);
        const heard = { query, via: 'tcp', from: socket.remotePort ?? 0, address: '' } as const;
        made.heard.push(heard);
        answer(heard, (bytes) => void socket.write(bytes), socket);
      }
    });
  });
  const { udp, port } = await bindBoth(tcp, address);
  let closed = false;
  udp.on('message', (query: Buffer, from: RemoteInfo) => {
    const heard = { query, via: 'udp', from: from.port, address: from.address } as const;
    made.heard.push(heard);
    const reply: Reply = (bytes) => {
      if (!closed) udp.send(bytes, from.port, from.address);
    };
    answer(heard, reply, null);
  });
  const made: RawDns = {
    server: `${address}:${port}`,
    heard: [],
    connections: 0,
    send: (bytes, to, host) => {
      udp.send(bytes, to, host);
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
  return made;
}

/** A message as TCP carries it. */
export function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length, 0);
  return Buffer.concat([length, bytes]);
}

/** One port for both: if UDP's port is taken for TCP, another is tried. */
async function bindBoth(tcp: Server, address = '127.0.0.1'): Promise<{ udp: UdpSocket; port: number }> {
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

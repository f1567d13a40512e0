/** The MTA's end of a connection to a milter server, for tests over real sockets. */
import { connect as dial, type Socket } from 'node:net';
import * as mta from './mta.ts';

export interface Peer {
  readonly socket: Socket;
  /** Sends, and waits until there are this many replies in all. */
  readonly ask: (bytes: Buffer, count: number) => Promise<string[]>;
  readonly closed: Promise<void>;
}

/** Connects to a port of this host, or to a path. Rejects if nobody listens. */
export async function connectPeer(where: number | string): Promise<Peer> {
  const socket = typeof where === 'number' ? dial(where, '127.0.0.1') : dial(where);
  let chunks: Buffer[] = [];
  let check = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    check();
  });
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      resolve();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return {
    socket,
    closed,
    ask: (bytes, count) =>
      new Promise((resolve) => {
        check = () => {
          chunks = [Buffer.concat(chunks)];
          const replies = mta.replies(chunks[0] ?? Buffer.alloc(0));
          if (replies.length >= count) resolve(replies);
        };
        socket.write(bytes);
        check();
      }),
  };
}

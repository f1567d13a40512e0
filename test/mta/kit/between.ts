/** Stands between two that talk, and can do to them what a network does: for TCP, and for DNS over UDP. */
import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';
import { quietly } from '../../support/quietly.ts';

export interface Between {
  readonly port: number;
  /** Milliseconds that what comes back is held; none at first. */
  delayMs: number;
  /** Octets that came back so late. */
  readonly late: number;
  /** Ends every connection with RST. */
  readonly reset: () => void;
  readonly stop: () => void;
}

/** Passes TCP connections on to a port of this host. */
export async function passOn(to: number): Promise<Between> {
  const open = new Set<Socket>();
  const self = { delayMs: 0, late: 0 };
  const held = (near: Socket): Transform =>
    new Transform({
      transform: (chunk: Buffer, _, done) => {
        if (self.delayMs === 0) {
          done(null, chunk);
          return;
        }
        setTimeout(() => {
          if (!near.destroyed) self.late += chunk.length;
          done(null, chunk);
        }, self.delayMs);
      },
    });
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: to, host: '127.0.0.1', noDelay: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      quietly(one);
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    near.pipe(far);
    far.pipe(held(near)).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(self, {
    port: address.port,
    reset: () => {
      for (const each of open) each.resetAndDestroy();
    },
    stop: () => {
      server.close();
      for (const each of open) each.destroy();
    },
  });
}

/** What becomes of an answer: as it is, none, late, SERVFAIL, a denial of anything, or random octets. */
export type DnsMood = 'sound' | 'silent' | 'slow' | 'failing' | 'lying' | 'hostile';

/** A forwarder for DNS over UDP. */
export async function dnsBetween(server: string): Promise<{
  readonly server: string;
  mood: DnsMood;
  stop(): void;
}> {
  const [host = '', port = ''] = server.split(':');
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const self = {
    server: `127.0.0.1:${socket.address().port}`,
    mood: 'sound' as DnsMood,
    stop: () => {
      socket.close();
    },
  };
  socket.on('message', (query, from) => {
    const answer = (bytes: Buffer): void => {
      socket.send(bytes, from.port, from.address, () => undefined);
    };
    const made = (rcode: number): Buffer => {
      const bytes = Buffer.from(query);
      bytes[2] = (bytes[2] ?? 0) | 0x80;
      bytes[3] = 0x80 | rcode;
      return bytes;
    };
    switch (self.mood) {
      case 'silent':
        return;
      case 'failing':
        answer(made(2));
        return;
      case 'lying':
        answer(made(3));
        return;
      case 'hostile':
        answer(Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x80]), randomBytes(200)]));
        return;
      case 'sound':
      case 'slow': {
        const upstream = createSocket('udp4');
        const wait = self.mood === 'slow' ? 1500 : 0;
        upstream.once('message', (bytes) => {
          upstream.close();
          setTimeout(answer, wait, bytes);
        });
        upstream.once('error', () => undefined);
        upstream.send(query, Number(port), host);
        return;
      }
    }
  });
  return self;
}

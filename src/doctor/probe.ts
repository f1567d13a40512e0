/** Probes any milter: connects, negotiates as an MTA would, and quits before any session begins. */
import { connect, type NetConnectOpts } from 'node:net';
import { formatSocketAddress, type SocketAddress } from '../milter/index.ts';
import { SMFIC } from '../milter/constants.ts';
import { encodePacket, PacketDecoder } from '../milter/packet.ts';
import { dialHost } from './endpoint.ts';

export interface Probe {
  /** As Postfix spells it. */
  readonly socket: string;
  readonly outcome:
    | { readonly kind: 'answers'; readonly version: number; readonly ms: number }
    /** No connection, or no answer in time; `detail` is a word such as ECONNREFUSED. */
    | { readonly kind: 'unreachable'; readonly detail: string }
    /** Something answers that does not speak the protocol. */
    | { readonly kind: 'stranger' };
}

/** What both MTAs offer: version 6 with all actions and all protocol steps. */
const OFFER = [6, 0x1ff, 0x1fffff] as const;

/** Null for a socket whose address does not say where to connect. `now` is in milliseconds. */
export async function probeMilter(
  address: SocketAddress,
  timeoutMs: number,
  now: () => number,
): Promise<Probe | null> {
  const target = targetOf(address);
  if (target === null) return null;
  const started = now();
  const socket = connect(target);
  const outcome = await new Promise<Probe['outcome']>((resolve) => {
    const decoder = new PacketDecoder();
    socket.setTimeout(timeoutMs, () => {
      resolve({ kind: 'unreachable', detail: 'timeout' });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ kind: 'unreachable', detail: error.code ?? error.message });
    });
    socket.on('close', () => {
      resolve({ kind: 'stranger' });
    });
    socket.on('connect', () => {
      const data = Buffer.alloc(12);
      OFFER.forEach((word, i) => data.writeUInt32BE(word, i * 4));
      socket.write(encodePacket(SMFIC.OPTNEG, data));
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        decoder.push(chunk);
        const packet = decoder.next();
        if (packet === null) return;
        const version =
          packet.command === SMFIC.OPTNEG && packet.data.length >= 12 ? packet.data.readUInt32BE(0) : 0;
        resolve(version === 0 ? { kind: 'stranger' } : { kind: 'answers', version, ms: now() - started });
      } catch {
        resolve({ kind: 'stranger' });
      }
    });
  });
  if (outcome.kind === 'answers') {
    socket.end(encodePacket(SMFIC.QUIT));
    socket.destroySoon();
  } else socket.destroy();
  return { socket: formatSocketAddress(address), outcome };
}

function targetOf(address: SocketAddress): NetConnectOpts | null {
  if (address.kind === 'unix') return { path: address.path };
  if (address.kind === 'fd' || address.port === 0) return null;
  return { host: dialHost(address.host), port: address.port };
}

/** Asks a milter whether it answers: connects and negotiates as an MTA would, and leaves again. */
import { connect } from 'node:net';
import { formatSocketAddress, type SocketAddress } from './address.ts';
import { MAX_VERSION, SMFIC } from './constants.ts';
import { encodePacket, PacketDecoder } from './packet.ts';

/** We may not use it, or it accepted us and closed the connection again. */
const NOTHING_WRONG = ['EACCES', 'EPERM', 'EPIPE', 'ECONNRESET'];

export interface ProbeOptions {
  readonly timeoutMs: number;
  /** We may not see the path that the MTA sees. */
  readonly hidden?: boolean;
}

/**
 * Resolves to what is wrong, or to null if the milter answers, closes the connection itself (it is full), or
 * if we lack permission to reach it, which says nothing about the milter.
 */
export async function probe(
  address: SocketAddress,
  { timeoutMs, hidden = false }: ProbeOptions,
): Promise<string | null> {
  if (address.kind === 'fd') return null;
  const name = formatSocketAddress(address);
  const socket = connect(
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
  );
  const wrong = await new Promise<string | null>((resolve) => {
    const decoder = new PacketDecoder();
    socket.setTimeout(timeoutMs, () => {
      resolve('does not answer');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const { code = error.message } = error;
      resolve([...NOTHING_WRONG, ...(hidden ? ['ENOENT'] : [])].includes(code) ? null : code);
    });
    socket.once('close', () => {
      resolve(null);
    });
    socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk);
      try {
        const packet = decoder.next();
        if (packet !== null) resolve(packet.command === SMFIC.OPTNEG ? null : 'does not speak milter');
      } catch {
        resolve('does not speak milter');
      }
    });
    socket.write(encodePacket(SMFIC.OPTNEG, offer()));
  });
  socket.on('error', () => undefined);
  socket.end(encodePacket(SMFIC.QUIT));
  if (wrong !== null) socket.destroy();
  return wrong === null ? null : `${name}: ${wrong}`;
}

/** Offers the newest version and nothing else: no action, and no step that the milter might decline. */
function offer(): Buffer {
  const data = Buffer.alloc(12);
  data.writeUInt32BE(MAX_VERSION, 0);
  return data;
}

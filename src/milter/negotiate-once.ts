/** Tries out a milter: connects, negotiates as an MTA would, and quits before any session begins. */
import { connect, type NetConnectOpts } from 'node:net';
import { SMFIC } from './constants.ts';
import { encodeOffer, FULL_OFFER } from './offer.ts';
import { encodePacket, type Packet, PacketDecoder } from './packet.ts';

export type Negotiation =
  | { readonly kind: 'answered'; readonly version: number }
  /** It accepted the connection, and closed it without a word. */
  | { readonly kind: 'closed' }
  /** Something answers that does not speak the protocol. */
  | { readonly kind: 'stranger' }
  | { readonly kind: 'silent' }
  /** The error of the connection: a word such as ECONNREFUSED. */
  | { readonly kind: 'failed'; readonly code: string };

export async function negotiateOnce(target: NetConnectOpts, timeoutMs: number): Promise<Negotiation> {
  const socket = connect(target);
  const outcome = await new Promise<Negotiation>((resolve) => {
    const decoder = new PacketDecoder();
    socket.setTimeout(timeoutMs, () => {
      resolve({ kind: 'silent' });
    });
    // Stays for what may follow: a write to a socket that the other end has just closed.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ kind: 'failed', code: error.code ?? error.message });
    });
    socket.on('close', () => {
      resolve({ kind: 'closed' });
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        decoder.push(chunk);
        const packet = decoder.next();
        if (packet !== null) resolve(answerIn(packet));
      } catch {
        resolve({ kind: 'stranger' });
      }
    });
    socket.write(encodePacket(SMFIC.OPTNEG, encodeOffer(FULL_OFFER)));
  });
  if (outcome.kind === 'answered') {
    socket.end(encodePacket(SMFIC.QUIT));
    socket.destroySoon();
  } else socket.destroy();
  return outcome;
}

function answerIn({ command, data }: Packet): Negotiation {
  const version = command === SMFIC.OPTNEG && data.length >= 12 ? data.readUInt32BE(0) : 0;
  return version === 0 ? { kind: 'stranger' } : { kind: 'answered', version };
}

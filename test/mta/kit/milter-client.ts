/** One question over the milter protocol, where no complete MTA is needed. */
import { MilterClient, type ReceivedReply } from '../../../src/milter/index.ts';

/** Of a program that is being started again and again. */
const PATIENCE_MS = 60_000;

/**
 * What becomes of the first RCPT of a client that gave this name: `accept`, `continue`, or an SMTP reply in
 * one line.
 */
export async function askMilter(
  socket: string,
  helo: string,
  ip = '198.51.100.7',
  recipient = 'b@dest.test',
): Promise<string> {
  // We negotiate that every step is answered.
  const client = await MilterClient.open(socket, { protocol: 0, timeoutMs: PATIENCE_MS });
  try {
    const reply = await upToRecipient(client, helo, ip, recipient);
    if (reply === null || typeof reply === 'string') return reply ?? '';
    return [reply.code, reply.enhancedCode, ...reply.lines].join(' ');
  } finally {
    client.quit();
  }
}

/** A message of a client that gave this name, up to its end where it is let in. */
export async function mailMilter(socket: string, helo: string, ip: string): Promise<void> {
  const client = await MilterClient.open(socket, { protocol: 0, timeoutMs: PATIENCE_MS });
  try {
    let reply = await upToRecipient(client, helo, ip, 'b@dest.test');
    if (reply === 'continue') reply = await client.data();
    if (reply === 'continue') reply = await client.endOfHeaders();
    if (reply === 'continue') await client.endOfMessage();
  } finally {
    client.quit();
  }
}

async function upToRecipient(
  client: MilterClient,
  helo: string,
  ip: string,
  recipient: string,
): Promise<ReceivedReply | null> {
  let reply = await client.connect(ip);
  // Whatever is accepted or refused before has no RCPT.
  if (reply === 'continue') reply = await client.helo(helo);
  if (reply === 'continue') reply = await client.mail('a@sender.org');
  if (reply === 'continue') reply = await client.rcpt(recipient);
  return reply;
}

/** One question over the milter protocol, where no complete MTA is needed. */
import { connect } from 'node:net';
import { parseSocketAddress } from '../../../src/milter/index.ts';
import * as mta from '../../support/mta.ts';

/** The reply to the first RCPT of a client that gave this name, as the milter protocol has it. */
export async function askMilter(socket: string, helo: string, ip = '198.51.100.7'): Promise<string> {
  const address = parseSocketAddress(socket);
  if (address.kind === 'fd') throw new Error('no way to connect to a descriptor');
  const connection = address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host);
  try {
    return await new Promise((resolve, reject) => {
      let received = Buffer.alloc(0);
      connection.once('error', reject);
      connection.once('close', () => {
        reject(new Error('the milter closed'));
      });
      connection.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const replies = mta.replies(received);
        if (replies.length === 5) resolve(replies[4] ?? '');
      });
      const { connect: client, mail, rcpt } = mta;
      connection.write(
        Buffer.concat([
          // We negotiate that every step is answered, so that there is one reply for each.
          mta.optneg(6, 0x1ff, 0),
          client(ip),
          mta.helo(helo),
          mail('a@sender.org'),
          rcpt('b@dest.test'),
        ]),
      );
    });
  } finally {
    connection.destroy();
  }
}

/**
 * A stand-in for Dovecot's authentication service, so that a private Postfix offers AUTH PLAIN and lets one
 * user in. It speaks as much of Dovecot's auth protocol (version 1.1) as Postfix's `xsasl_dovecot_server.c`
 * needs.
 */
import { createServer, type Server } from 'node:net';
import { chmodSync } from 'node:fs';

export const LOGIN = 'bob';
export const PASSWORD = 'secret';

export async function startDovecotAuth(path: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n');
    let pending = '';
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1');
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        const [verb, id = '', ...rest] = line.split('\t');
        if (verb !== 'AUTH') continue;
        const response = rest.find((field) => field.startsWith('resp='))?.slice(5) ?? '';
        const [, user, password] = Buffer.from(response, 'base64').toString('latin1').split('\0');
        const known = user === LOGIN && password === PASSWORD;
        socket.write(known ? `OK\t${id}\tuser=${LOGIN}\n` : `FAIL\t${id}\treason=no\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  // smtpd connects as the user postfix.
  chmodSync(path, 0o666);
  return server;
}

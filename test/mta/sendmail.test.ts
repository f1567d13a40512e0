/**
 * What only Sendmail has: ten seconds' patience, if the .mc file says nothing else; mail on standard input.
 */
import { createSocket, type Socket } from 'node:dgram';
import { type AddressInfo, connect, createServer, type Socket as Connection } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { type Sendmail, startSendmail } from './kit/sendmail.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { SENDER } from './scenarios.ts';
import { quietly } from '../support/quietly.ts';

describeWith(['sendmail', 'own network'], 'Sendmail', () => {
  let workdir: string;
  let silent: Socket;
  let program: Program;
  let sendmail: Sendmail;

  beforeAll(async () => {
    workdir = makeWorkdir();
    silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    // The name server never answers, and a question may last as long as the default deadline lets it.
    program = await startProgram([
      '--dns-server',
      `127.0.0.1:${silent.address().port}`,
      '--dns-timeout',
      '20s',
    ]);
    const port = program.socket.split(':').at(-1) ?? '';
    sendmail = await startSendmail(workdir, { milters: [`S=inet:${port}@127.0.0.1, F=T`] });
  });

  afterAll(async () => {
    await sendmail.stop();
    await program.stop();
    silent.close();
    removeWorkdir(workdir);
  });

  it('has its answer by the default deadline, before its own patience ends', async () => {
    const client = await SmtpClient.connect(sendmail.ports[0] ?? 0, SENDER);
    await client.say('EHLO mail.sender.org');
    expect((await client.send()).code).toBe(250);
    client.close();
    expect((await program.decisions()).at(-1)).toMatch(/ action=accept .*dns-temperror:0/);
  });

  const SESSION = [
    'EHLO Jupiter',
    'MAIL FROM:<sender@sender.org>',
    'RCPT TO:<user@dest.test>',
    'DATA',
    'Subject: t\r\n\r\nbody\r\n.',
    'QUIT',
  ];

  it('is not refused what a program of the host says on a pipe', async () => {
    const said = await sendmail.onInput(SESSION);
    expect(said).toMatch(/^250 2\.0\.0 \S+ Message accepted for delivery/m);
    expect((await program.decisions()).at(-1)).toMatch(
      /^decision client=unknown helo=Jupiter .*exempt=local /,
    );
  });

  it('is refused what a stranger says on a socket that he has reset since, as inetd would hand it over', async () => {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const taken = new Promise<Connection>((resolve) => server.once('connection', resolve));
    const stranger = quietly(connect((server.address() as AddressInfo).port, '127.0.0.1'));
    await new Promise((resolve) => stranger.write(`${SESSION.join('\r\n')}\r\n`, resolve));
    const connection = await taken;
    stranger.resetAndDestroy();
    // Once the reset has come, the kernel no longer knows the peer.
    await vi.waitFor(() => {
      expect(stranger.destroyed && connection.remoteAddress === undefined).toBe(true);
    });
    const before = (await program.decisions()).length;
    const said = await sendmail.onInput(connection);
    connection.destroy();
    server.close();
    // Sendmail gives this client the same name as a local user.
    expect(said).toMatch(/Hello localhost/);
    expect(said).toMatch(/^550 5\.7\.1 .*\[helo-not-fqdn\]/m);
    expect((await program.decisions()).slice(before)).toEqual([
      expect.stringMatching(/^decision client=unknown helo=Jupiter action=reject /),
    ]);
  });
});

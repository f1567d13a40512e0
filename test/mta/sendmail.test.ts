/** What only Sendmail has: ten seconds' patience where the .mc file gives it no other. */
import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { type Sendmail, startSendmail } from './kit/sendmail.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { SENDER } from './scenarios.ts';

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
});

/** A self-test from one Postfix to another: the sender's own bounce carries the answer. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER } from './scenarios.ts';

describeWith(['postfix', 'nsd', 'own network'], 'a self-test', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;
  let here: Postfix;
  let far: Postfix;

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    const test = ['--self-test-recipient', 'helotest@dest.test'];
    program = await startProgram(['--dns-server', nsd.server, '--grace', '0s', ...test]);
    here = await startPostfix(workdir, { mainCf: shippedMainCf(program.socket), milters: [null] });
    const elsewhere = join(workdir, 'far');
    mkdirSync(elsewhere);
    far = await startPostfix(elsewhere, {
      mainCf: [
        'myhostname = mail.sender.org',
        `relay_transport = smtp:[127.0.0.1]:${here.ports[0] ?? 0}`,
        `smtp_bind_address = ${SENDER}`,
        'smtp_tls_security_level = none',
      ].join('\n'),
      masterCf: ['smtp unix - - n - - smtp'],
      milters: [[]],
    });
  });

  afterAll(async () => {
    await far.stop();
    await here.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  it('is bounced with its result, and the other recipient has its mail', async () => {
    const client = await SmtpClient.connect(far.ports[0] ?? 0);
    for (const say of [
      'EHLO desk.sender.org',
      'MAIL FROM:<postmaster@sender.org>',
      'RCPT TO:<user@dest.test>',
      'RCPT TO:<helotest@dest.test>',
      'DATA',
      'Subject: test\r\n\r\nbody\r\n.',
    ])
      expect((await client.say(say)).code).toBeLessThan(400);
    client.close();
    await vi.waitFor(() => {
      expect(far.log()).toMatch(
        /to=<helotest@dest\.test>.* status=bounced \(host .* said: 550-5\.7\.1 \[self-test\] 198\.51\.100\.7 as mail\.sender\.org: its mail is let in, and nothing is held against it .* 550 5\.7\.1 This address only answers.* \(in reply to RCPT TO command\)\)/,
      );
      expect(far.log()).toMatch(/to=<user@dest\.test>.* status=sent \(250 /);
      expect(here.log()).toMatch(/to=<user@dest\.test>.* status=sent \(/);
    }, 20_000);
    await vi.waitFor(async () => {
      expect(await program.output()).toMatch(
        /^self-test client=198\.51\.100\.7 helo=mail\.sender\.org result=accept score=0 from=<postmaster@sender\.org> rcpt=<helotest@dest\.test> ref=\S+$/m,
      );
    }, 10_000);
  });
});

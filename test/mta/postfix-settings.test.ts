/** Postfix set up in ways that change what a milter hears: what a client is told stays the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { brief } from './kit/verdict.ts';
import { freePorts, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER, STRANGER } from './scenarios.ts';

const SERVICES: Readonly<Record<string, readonly string[]>> = {
  'as it is shipped': [],
  'milter_protocol = 2': ['milter_protocol=2'],
  'milter_protocol = 3': ['milter_protocol=3'],
  'milter_protocol = 4': ['milter_protocol=4'],
  'smtpd_delay_reject = no': ['smtpd_delay_reject=no'],
  'no macros': ['connect', 'helo', 'mail', 'rcpt', 'data', 'end_of_data'].map(
    (stage) => `milter_${stage}_macros=`,
  ),
};

describeWith(['postfix', 'nsd'], 'Postfix with', () => {
  let workdir: string;
  let nsd: Nsd;
  let postfix: Postfix;
  let program: Program;
  let screened: number;
  const clients: SmtpClient[] = [];

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram(['--dns-server', nsd.server, '--grace', '0s']);
    [screened = 0] = await freePorts(1);
    postfix = await startPostfix(workdir, {
      mainCf: shippedMainCf(program.socket),
      milters: [...Object.keys(SERVICES).map(() => null), null],
      overrides: [...Object.values(SERVICES), ['smtpd_milter_maps=static:DISABLE']],
      masterCf: [`127.0.0.1:${screened} inet n - n - 1 postscreen`, 'smtpd pass - - n - - smtpd'],
    });
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await postfix.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  async function client(port: number, address: string, helo: string): Promise<SmtpClient> {
    const made = await SmtpClient.connect(port);
    clients.push(made);
    const reply = await made.become(address, helo);
    expect(reply.code, reply.text).toBe(250);
    return made;
  }
  const ports = (): [string, number][] => [
    ...Object.keys(SERVICES).map((name, i): [string, number] => [name, postfix.ports[i] ?? 0]),
    ['postscreen in front', screened],
  ];

  it.each([...Object.keys(SERVICES), 'postscreen in front'])('%s', async (name) => {
    const port = new Map(ports()).get(name) ?? 0;
    expect(brief(await (await client(port, SENDER, 'mail.sender.org')).send())).toBe('250');
    expect(brief(await (await client(port, STRANGER, 'Jupiter')).send())).toBe('550 helo-not-fqdn');
    expect(brief(await (await client(port, SENDER, 'gone.strange.org')).send())).toBe('450 helo-nxdomain');
  });

  it('milters off for all clients asks nothing', async () => {
    const before = (await program.decisions()).length;
    const made = await client(postfix.ports.at(-1) ?? 0, STRANGER, 'Jupiter');
    expect((await made.send()).code).toBe(250);
    expect(await program.decisions()).toHaveLength(before);
  });

  describe('a client that', () => {
    it.each<[string, (made: SmtpClient) => Promise<number>]>([
      ['says BDAT', bdat],
      [
        'has NUL in its message',
        async (made) => (await made.send(undefined, 'Subject: a\0b\r\n\r\nc\0d')).code,
      ],
      ['sends a bounce', bounce],
    ])('%s is heard to the end', async (_, say) => {
      const made = await client(postfix.ports[0] ?? 0, SENDER, 'mail.sender.org');
      expect(await say(made)).toBe(250);
      expect((await program.decisions()).at(-1)).toMatch(/ helo=mail\.sender\.org action=accept /);
    });
  });
});

/** RFC 3030 §2: the last chunk with its text, in one piece. */
async function bdat(made: SmtpClient): Promise<number> {
  await made.say('MAIL FROM:<sender@sender.org>');
  await made.say('RCPT TO:<user@dest.test>');
  const text = 'Subject: t\r\n\r\nbody';
  return (await made.say(`BDAT ${text.length + 2} LAST\r\n${text}`)).code;
}

async function bounce(made: SmtpClient): Promise<number> {
  await made.say('MAIL FROM:<>');
  await made.say('RCPT TO:<user@dest.test>');
  await made.say('DATA');
  return (await made.say('Subject: t\r\n\r\nbody\r\n.')).code;
}

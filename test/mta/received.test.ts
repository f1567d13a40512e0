/**
 * Received fields as a real Postfix and a real Sendmail write them: mail that Postfix delivers to a Maildir
 * behind a content filter, and what Sendmail has in its queue. Clients have their own addresses, see
 * `own-network`.
 */
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type SeenInMail, seenInMail } from '../../src/commands/seen-in-mail.ts';
import { ConfigSource } from '../../src/config/source.ts';
import type { Seen } from '../../src/report/seen.ts';
import { type Certificates, makeCertificates } from './kit/certificates.ts';
import { LOGIN, PASSWORD, startDovecotAuth } from './kit/dovecot-auth.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Sendmail, startSendmail } from './kit/sendmail.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { SENDER, SENDER6, STRANGER } from './scenarios.ts';

/** From a host of ours, a message is what that host makes of it. */
const OWN = 'Subject: t\r\n\r\nbody';

/** What a client does before MAIL. */
type Talk = (client: SmtpClient) => Promise<unknown>;

const says =
  (...lines: string[]): Talk =>
  async (client) => {
    for (const line of lines) await client.say(line);
  };

const FORGED = `Return-Path: <forged@x>
Received: from forged.org (forged.org [192.0.2.66])
	by mx.dest.test (Postfix) with ESMTP id 12345678
	for <user@dest.test>; Thu, 26 Nov 2026 10:30:03 +0000 (UTC)
Subject: t

body`.replaceAll('\n', '\r\n');

/** Reads a mailbox, with a DNS that knows one host. */
async function read(path: string, zone: string): Promise<{ seen: Seen[]; counts: SeenInMail['counts'] }> {
  writeFileSync(zone, `$TTL 300\nmail.sender.org. IN A ${SENDER}\n`);
  const config = await new ConfigSource(new Map([['dnsZone', [zone]]])).read();
  const progress = { show: () => undefined, done: () => undefined };
  const mail = seenInMail([path], config, { by: [], rate: 1000 }, progress, (_, error) => {
    throw error;
  });
  const seen: Seen[] = [];
  for await (const each of mail) seen.push(each);
  return { seen, counts: mail.counts };
}

/** Sends a message to a recipient that says which it is, and has it accepted. */
async function send(
  port: number,
  from: string,
  talk: Talk,
  recipients: readonly string[],
  text = FORGED,
): Promise<void> {
  const client = await SmtpClient.connect(port, from);
  try {
    await talk(client);
    const reply = await client.send(recipients, text);
    expect(reply.code, reply.text).toBe(250);
  } finally {
    client.close();
  }
}

const textOf = (told: string): string => (told === 'inside' ? OWN : FORGED);

const plainLogin = Buffer.from(`\0${LOGIN}\0${PASSWORD}`).toString('base64');

type Row = readonly [title: string, from: string, talk: Talk, told: string];

const COMMON: readonly Row[] = [
  ['a name', SENDER, says('EHLO mail.sender.org'), `${SENDER} mail.sender.org exact`],
  ['IPv6', SENDER6, says('EHLO mail.sender.org'), `${SENDER6} mail.sender.org none`],
  ['HELO', SENDER, says('HELO mail.sender.org'), `${SENDER} mail.sender.org exact`],
  ['a literal', STRANGER, says(`EHLO [${STRANGER}]`), `${STRANGER} [${STRANGER}] none`],
  ['the name of the MTA', STRANGER, says('EHLO mx.dest.test'), `${STRANGER} mx.dest.test none`],
  ['a second HELO', STRANGER, says('EHLO first.org', 'EHLO Second.ORG'), `${STRANGER} Second.ORG none`],
];

const brief = ({ client, helo, judged }: Seen): string =>
  `${client} ${helo} ${judged.assessment.correspondence}`;

describeWith(['postfix', 'openssl', 'own network'], 'Received of Postfix', () => {
  let workdir: string;
  let certificates: Certificates;
  let postfix: Postfix;
  let box: string;

  beforeAll(async () => {
    workdir = makeWorkdir();
    certificates = await makeCertificates(workdir);
    const saslSocket = join(workdir, 'auth.sock');
    (await startDovecotAuth(saslSocket)).unref();
    const filtered = await freePort();
    mkdirSync(join(workdir, 'mail'));
    chownSync(join(workdir, 'mail'), 65534, 65534);
    box = join(workdir, 'mail/box');
    postfix = await startPostfix(workdir, {
      certificates,
      saslSocket,
      milters: [null],
      mainCf: `
relay_domains =
virtual_mailbox_domains = dest.test
virtual_mailbox_base = ${workdir}
virtual_mailbox_maps = static:mail/box/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_transport = virtual
content_filter = smtp:[127.0.0.1]:${filtered}
smtpd_tls_received_header = yes
smtpd_sasl_authenticated_header = yes
smtputf8_enable = no
`,
      masterCf: [
        `127.0.0.1:${filtered} inet n - n - - smtpd -o content_filter= -o smtpd_tls_security_level=none`,
        'smtp unix - - n - - smtp',
        'virtual unix - n n - - virtual',
      ],
    });
  });

  afterAll(async () => {
    await postfix.stop();
    removeWorkdir(workdir);
  });

  const tls =
    (certified: boolean): Talk =>
    async (client) => {
      const { cert, key } = certificates.client;
      await client.say('EHLO before.org');
      await client.startTls(certified ? { cert: readFileSync(cert), key: readFileSync(key) } : {});
      await client.say('EHLO mail.sender.org');
    };

  const ROWS: readonly Row[] = [
    ...COMMON,
    ['an IPv6 literal', SENDER6, says(`EHLO [IPv6:${SENDER6}]`), `${SENDER6} [IPv6:${SENDER6}] none`],
    [
      'junk',
      STRANGER,
      says('EHLO (x) by mx.dest.test; [192.0.2.66]'),
      `${STRANGER} ?x??by?mx.dest.test??[192.0.2.66] none`,
    ],
    ['no HELO', STRANGER, says(), 'unclear'],
    ['TLS', SENDER, tls(false), `${SENDER} mail.sender.org exact`],
    ['a certificate', SENDER, tls(true), 'certified'],
    ['a login', STRANGER, says('EHLO laptop', `AUTH PLAIN ${plainLogin}`), 'authenticated'],
    ['this host', '127.0.0.1', says('EHLO localhost'), 'inside'],
    [
      'a verified name of its own',
      '127.0.0.1',
      async (client) => {
        expect((await client.become(STRANGER, 'x.org', { NAME: 'b.org' })).code).toBe(250);
      },
      `${STRANGER} x.org none`,
    ],
  ];

  it('each message tells the client and its HELO, though another field claims to be ours', async () => {
    for (const [at, [, from, talk, told]] of ROWS.entries()) {
      await send(postfix.ports[0] ?? 0, from, talk, [`row${at}@dest.test`], textOf(told));
    }
    await vi.waitFor(() => {
      expect(readdirSync(join(box, 'new')).length, postfix.log()).toBe(ROWS.length);
    }, 30_000);
    const wanted = new Map<string, string>();
    const left = new Map<string, number>();
    for (const [at, [, , , told]] of ROWS.entries()) {
      if (told.includes(' ')) wanted.set(`<row${at}@dest.test>`, told);
      else left.set(told, (left.get(told) ?? 0) + 1);
    }
    const { seen, counts } = await read(box, join(workdir, 'zone'));
    expect(new Map(seen.map((each) => [each.recipients.join(), brief(each)]))).toEqual(wanted);
    expect(
      Object.entries(counts.notTaken)
        .filter(([, count]) => count > 0)
        .sort(),
    ).toEqual([...left].sort());
    expect(new Set(seen.map(({ sender }) => sender))).toEqual(new Set(['<sender@sender.org>']));
    for (const { time } of seen) expect(Math.abs(Date.now() - time)).toBeLessThan(600_000);
  });

  it('a message for several tells the recipient whose mailbox it is', async () => {
    const before = readdirSync(join(box, 'new')).length;
    await send(postfix.ports[0] ?? 0, SENDER, says('EHLO mail.sender.org'), [
      'one@dest.test',
      'two@dest.test',
    ]);
    await vi.waitFor(() => {
      expect(readdirSync(join(box, 'new')).length).toBe(before + 2);
    }, 30_000);
    const { seen } = await read(box, join(workdir, 'zone'));
    const told = seen.map(({ recipients }) => recipients.join());
    expect(told).toContain('<one@dest.test>');
    expect(told).toContain('<two@dest.test>');
  });
});

describeWith(['sendmail', 'own network'], 'Received of Sendmail', () => {
  let workdir: string;
  let sendmail: Sendmail;

  beforeAll(async () => {
    workdir = makeWorkdir();
    sendmail = await startSendmail(workdir, { milters: [null] });
  });

  afterAll(async () => {
    await sendmail.stop();
    removeWorkdir(workdir);
  });

  const ROWS: readonly Row[] = [
    ...COMMON,
    ['no HELO', STRANGER, says(), 'unclear'],
    ['this host', '127.0.0.1', says('EHLO localhost'), 'inside'],
  ];

  it.each(ROWS)('%s', async (title, from, talk, told) => {
    const before = new Set(await sendmail.messages());
    const recipient = `${title.replaceAll(' ', '-')}@dest.test`;
    await send(sendmail.ports[0] ?? 0, from, talk, [recipient], textOf(told));
    const header = (await sendmail.messages()).find((each) => !before.has(each)) ?? '';
    const file = join(workdir, 'message.eml');
    writeFileSync(file, `${header}\n\nbody\n`, 'latin1');
    const { seen, counts } = await read(file, join(workdir, 'zone'));
    const left = Object.entries(counts.notTaken).filter(([, count]) => count > 0);
    expect([...seen.map(brief), ...left.map(([why]) => why)], header).toEqual([told]);
    for (const { recipients } of seen) expect(recipients).toEqual([`<${recipient}>`]);
  });
});

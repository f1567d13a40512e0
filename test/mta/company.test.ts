/**
 * Other filters of the same host, real ones, with us at every place of their list and without us: what the client is told and
 * what is delivered must be the same, but for our own field and those that pretend to be ours.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORGED, OTHERS } from '../fixtures/forged-fields.ts';
import { fieldsOf, withoutIds, withoutOurs } from './kit/delivered.ts';
import { makeDkimKey, signature } from './kit/dkim.ts';
import {
  type Filter,
  policydSpf,
  startOpendkim,
  startOpendmarc,
  startRspamd,
  withOurDns,
} from './kit/filters.ts';
import type { Mta } from './kit/mta.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { startSendmail } from './kit/sendmail.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER } from './scenarios.ts';

const key = makeDkimKey();

/** `sender.org` wants to be refused where neither DKIM nor SPF speaks for it; `relay.net` has nothing to do with it. */
const zones = {
  ...ZONES,
  'sender.org': `${ZONES['sender.org']}
@         IN TXT "v=spf1 ip4:${SENDER} -all"
mail      IN TXT "v=spf1 a -all"
_dmarc    IN TXT "v=DMARC1; p=reject"
s._domainkey IN TXT ${key.record}
`,
  net: '',
  'relay.net': `@ IN TXT "v=spf1 ip4:${SENDER} -all"`,
};

/** The list without us; each stands for a milter, `policyd` for policyd-spf before all of them. */
const CHAINS = [
  ['opendmarc', 'policyd'],
  ['opendmarc-spf'],
  ['opendkim', 'opendmarc'],
  ['opendkim', 'opendmarc', 'policyd'],
  ['opendkim', 'opendmarc-spf'],
  ['rspamd'],
  ['rspamd', 'opendkim', 'opendmarc-spf', 'policyd'],
  ['opendkim', 'rspamd', 'opendmarc', 'policyd'],
] as const;
type FilterName = Exclude<(typeof CHAINS)[number][number], 'policyd'>;

interface Chain {
  readonly title: string;
  readonly filters: readonly FilterName[];
  readonly policyd: boolean;
  /** At which place we stand; null for not at all. */
  readonly place: number | null;
}

const POSTFIX_CHAINS: readonly Chain[] = CHAINS.flatMap((parts) => {
  const filters = parts.filter((part) => part !== 'policyd');
  const policyd = filters.length < parts.length;
  const places = [null, ...Array.from({ length: filters.length + 1 }, (_, place) => place)];
  return places.map((place) => {
    const all: string[] = [...filters];
    if (place !== null) all.splice(place, 0, 'helo-milter');
    return { title: `${policyd ? 'policyd-spf; ' : ''}${all.join(', ')}`, filters, policyd, place };
  });
});

interface Case {
  readonly title: string;
  readonly sender: string;
  readonly signed: boolean;
  readonly fields?: readonly string[];
  /** Where DMARC is asked with all that it needs. */
  readonly refused: boolean;
}

const asFields = (values: readonly string[]): string[] =>
  values.map((value) => `Authentication-Results: ${value.replaceAll('\n', '\r\n')}`);
const CASES: readonly Case[] = [
  { title: 'good mail', sender: 'a@sender.org', signed: true, refused: false },
  { title: 'aligned by DKIM only', sender: 'b@relay.net', signed: true, refused: false },
  { title: 'aligned by SPF only', sender: 'a@sender.org', signed: false, refused: false },
  { title: 'a null sender with DKIM', sender: '', signed: true, refused: false },
  { title: 'a null sender with SPF for its HELO name', sender: '', signed: false, refused: false },
  { title: 'a forged sender', sender: 'b@relay.net', signed: false, refused: true },
  {
    title: 'good mail with forged fields of our kind',
    sender: 'a@sender.org',
    signed: true,
    fields: [
      ...asFields([...FORGED, ...OTHERS]),
      'authentication-results:mx.dest.test; x-helo=pass',
      'Authentication-Results : mx.dest.test; x-helo=pass',
      'ARC-Authentication-Results: i=1; mx.dest.test; x-helo=pass',
    ],
    refused: false,
  },
  {
    title: 'a forged sender with forged fields of our kind',
    sender: 'b@relay.net',
    signed: false,
    fields: asFields(FORGED),
    refused: true,
  },
];

let count = 0;

interface Sent {
  /** Finds the message. */
  readonly subject: string;
  readonly reply: string;
  readonly delivered: boolean;
}

/** What the client is told in the end, and where the message went. */
async function send(port: number, { sender, signed, fields = [] }: Case): Promise<Sent> {
  const subject = `company-${++count}-`;
  const header = [
    'From: <a@sender.org>',
    'To: <hold@dest.test>',
    `Subject: ${subject}`,
    'Date: Tue, 24 Nov 2026 12:00:00 +0000',
    `Message-ID: <1@sender.org>`,
  ];
  const body = 'Hello.\r\n';
  const all = [...fields, ...(signed ? [signature('sender.org', key, header, body)] : []), ...header];
  const client = await SmtpClient.connect(port, SENDER);
  try {
    await client.say('EHLO mail.sender.org');
    await client.say(`MAIL FROM:<${sender}>`);
    await client.say('RCPT TO:<hold@dest.test>');
    expect((await client.say('DATA')).code).toBe(354);
    const reply = await client.say(`${all.join('\r\n')}\r\n\r\n${body}.`);
    return { subject, reply: withoutIds(reply.text), delivered: reply.code < 400 };
  } finally {
    client.close();
  }
}

type Order = 'exact' | 'any';

async function compare(
  mta: Mta,
  ports: readonly number[],
  chains: readonly Chain[],
  each: Case,
): Promise<void> {
  const sent = await Promise.all(ports.map((port) => send(port, each)));
  // What was accepted is queued.
  const all = await mta.messages();
  const headerOf = ({ subject, delivered }: Sent): string[] | null =>
    delivered ? fieldsOf(all.find((message) => message.includes(subject)) ?? '') : null;
  const seen = (fields: readonly string[] | null, order: Order): string[] | null => {
    const all =
      fields &&
      withoutOurs(fields)
        .map(withoutIds)
        .filter((field) => !field.startsWith('Subject: '));
    return order === 'exact' ? all : (all?.sort() ?? null);
  };
  let alone = 0;
  for (const [i, { title, place, filters, policyd }] of chains.entries()) {
    if (place === null) alone = i;
    const [without, ours] = [sent[alone], sent[i]];
    if (without === undefined || ours === undefined) throw new Error('there are as many ports as chains');
    // rspamd puts its field below the first that is there, whatever that is: below ours where we come before it.
    const order = filters.indexOf('rspamd') >= (place ?? Infinity) ? 'any' : 'exact';
    const after = headerOf(ours);
    // Of a null sender policyd-spf tells what OpenDMARC makes nothing of.
    const spf = filters.includes('opendmarc-spf') || (policyd && each.sender !== '');
    const complete = spf && filters.includes('opendkim');
    if (complete) expect([title, ours.delivered]).toEqual([title, !each.refused]);
    expect([title, ours.reply, seen(after, order)]).toEqual([
      title,
      without.reply,
      seen(headerOf(without), order),
    ]);
    if (place === null || after === null) continue;
    // And what pretends to be ours is ours.
    expect([title, after.filter((field) => !withoutOurs([field]).includes(field))]).toEqual([
      title,
      [expect.stringMatching(/^Authentication-Results: mx\.dest\.test;\n\tx-helo=pass /)],
    ]);
  }
}

describeWith(
  ['postfix', 'sendmail', 'nsd', 'opendkim', 'opendmarc', 'rspamd', 'policyd-spf', 'unshare', 'own network'],
  'in company',
  () => {
    let workdir: string;
    let nsd: Nsd;
    let program: Program;
    let postfix: Postfix;
    let sendmail: Mta;
    const filters = new Map<FilterName, Filter>();

    beforeAll(async () => {
      workdir = makeWorkdir();
      nsd = await startNsd(workdir, zones, { port: 53 });
      const starts = {
        opendkim: startOpendkim(workdir),
        opendmarc: startOpendmarc(workdir, { spf: false }),
        'opendmarc-spf': startOpendmarc(workdir, { spf: true }),
        rspamd: startRspamd(workdir),
      };
      for (const [name, filter] of Object.entries(starts)) filters.set(name as FilterName, await filter);
      program = await startProgram(['--dns-server', nsd.server]);
      const ourPort = Number(program.socket.split(':').at(-1));
      const portOf = (name: FilterName): number => filters.get(name)?.port ?? 0;
      const { masterCf, restriction } = policydSpf(workdir);
      postfix = await startPostfix(workdir, {
        mainCf: [
          'smtpd_data_restrictions = check_recipient_access inline:{hold@dest.test=HOLD}',
          `with_policyd = reject_unauth_destination, ${restriction}`,
        ].join('\n'),
        masterCf: [masterCf],
        wrapper: withOurDns(workdir),
        milters: POSTFIX_CHAINS.map(({ filters: names, place }) => {
          const sockets = names.map((name) => `inet:127.0.0.1:${portOf(name)}`);
          if (place !== null) sockets.splice(place, 0, program.socket);
          return sockets;
        }),
        overrides: POSTFIX_CHAINS.map(({ policyd }) =>
          policyd ? ['smtpd_recipient_restrictions=$with_policyd'] : [],
        ),
      });
      const [us, opendkim] = [ourPort, portOf('opendkim')].map(
        (port) => `S=inet:${port}@127.0.0.1, F=T, T=S:30s;R:30s`,
      );
      sendmail = await startSendmail(workdir, {
        milters: [[opendkim ?? ''], [us ?? '', opendkim ?? ''], [opendkim ?? '', us ?? '']],
      });
    });

    afterAll(async () => {
      await postfix.stop();
      await sendmail.stop();
      await program.stop();
      for (const filter of filters.values()) await filter.stop();
      await nsd.stop();
      removeWorkdir(workdir);
    });

    describe.each(CASES)('$title', (each) => {
      it('is treated by Postfix as without us', async () => {
        await compare(postfix, postfix.ports, POSTFIX_CHAINS, each);
        await postfix.forget();
      });

      it('is treated by Sendmail as without us', async () => {
        const chains = [null, 0, 1].map((place) => ({
          title: `Sendmail, place ${String(place)}`,
          filters: ['opendkim' as const],
          policyd: false,
          place,
        }));
        await compare(sendmail, sendmail.ports, chains, each);
      });
    });
  },
);

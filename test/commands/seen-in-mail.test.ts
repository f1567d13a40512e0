import { pastUnordered } from '../../src/report/earlier-mail.ts';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, expectTypeOf, it } from 'vitest';
import {
  DEFAULT_RATE,
  type MailOptions,
  mailNotes,
  type SeenInMail,
  seenInMail,
} from '../../src/commands/seen-in-mail.ts';
import { ConfigSource } from '../../src/config/source.ts';
import type { RecordedDecision, RecordedJudged } from '../../src/decisions/record-reader.ts';
import { judge } from '../../src/policy/judge.ts';
import { recordOf } from '../../src/report/as-record.ts';
import { Replayer } from '../../src/report/replayer.ts';
import { DecisionTally } from '../../src/report/tally.ts';
import type { Seen } from '../../src/report/seen.ts';
import { RULES } from '../support/service.ts';

let root = '';
let shown: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'seen-in-mail-'));
  mkdirSync(join(root, 'box/cur'), { recursive: true });
  mkdirSync(join(root, 'box/new'));
  shown = [];
  writeFileSync(
    join(root, 'zone'),
    `$TTL 300
mail.sender.org. IN A 198.51.100.7
7.100.51.198.in-addr.arpa. IN PTR mail.sender.org.
sender.org. IN NS ns.sender.org.
7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR x.sender.org.
`,
  );
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

let messages = 0;

/** Puts a message into the Maildir, taken in by mx.dest.test. */
function deliver(from: string, protocol = 'ESMTP', by = 'mx.dest.test', day = 26): void {
  const header = `Return-Path: <a@sender.org>
Received: from ${from}
	by ${by} (Postfix) with ${protocol} id 4F1B2A3C
	for <user@dest.test>; Thu, ${day} Nov 2026 10:30:03 +0000 (UTC)
Subject: t
`;
  writeFileSync(join(root, 'box/cur', String(++messages)), `${header}\nbody\n`);
}

async function walk(
  options: Partial<MailOptions> = {},
  texts: Readonly<Record<string, string>> = {},
): Promise<{ seen: Seen[]; counts: SeenInMail['counts'] }> {
  const given = Object.entries({ dnsZone: join(root, 'zone'), ...texts });
  const config = await new ConfigSource(new Map(given.map(([key, text]) => [key, [text]]))).read();
  const mail = seenInMail(
    [join(root, 'box')],
    config,
    { by: [], rate: 10_000, ...options },
    { show: (text) => shown.push(text), done: () => shown.push('done') },
    (_, error) => {
      throw error;
    },
  );
  const seen: Seen[] = [];
  for await (const each of mail) seen.push(each);
  return { seen, counts: mail.counts };
}

const disposition = ({ judged }: Seen): string => {
  const { verdict } = judge(judged.assessment, RULES, { ...judged, at: 0 });
  return `${verdict.disposition} ${verdict.cause?.id ?? 'nothing'} ${verdict.stream}`;
};

it('is as a recorded decision is', () => {
  expectTypeOf<RecordedDecision & { readonly judged: RecordedJudged }>().toExtend<Seen>();
});

it('gives each message, with what it takes to judge it', async () => {
  deliver('mail.sender.org (mail.sender.org [198.51.100.7])');
  const { seen } = await walk();
  expect(seen).toMatchObject([
    {
      time: Date.UTC(2026, 10, 26, 10, 30, 3),
      client: '198.51.100.7',
      helo: 'mail.sender.org',
      sender: '<a@sender.org>',
      recipients: ['<user@dest.test>'],
      recipientCount: 1,
      judged: { assessment: { correspondence: 'exact' }, session: { mta: { name: 'mx.dest.test' } } },
    },
  ]);
});

it.each([
  ['mail.sender.org (unknown [198.51.100.7])', 'accept nothing verified'],
  ['mail.sender.org (unknown [203.0.113.9])', 'accept iprev-none failed'],
  ['gone.sender.org (unknown [203.0.113.9])', 'tempfail helo-nxdomain failed'],
  ['Jupiter (unknown [203.0.113.9])', 'reject helo-not-fqdn failed'],
  ['[203.0.113.9] (unknown [203.0.113.9])', 'accept nothing unverified'],
  ['mx.dest.test (unknown [203.0.113.9])', 'reject helo-claims-us failed'],
])('%s: %s', async (from, told) => {
  deliver(from);
  const { seen } = await walk();
  expect(seen.map(disposition)).toEqual([told]);
});

it('is replayed as a record is', async () => {
  deliver('mail.sender.org (unknown [198.51.100.7])');
  deliver('Jupiter (unknown [203.0.113.9])');
  deliver('gone.sender.org (unknown [203.0.113.9])');
  const { seen } = await walk();
  const replayer = new Replayer({
    rules: RULES,
    past: pastUnordered({
      tempfailLimit: { count: 1000, ageMs: 0 },
      regulars: null,
      regularsNetwork: { 4: 32, 6: 64 },
    }),
  });
  const tally = new DecisionTally();
  for (const [i, each] of seen.entries()) tally.add(replayer.replay(recordOf(each, i)));
  expect(tally.all).toMatchObject({
    decisions: 3,
    then: { accept: 3, tempfail: 0, reject: 0 },
    now: { accept: 1, tempfail: 1, reject: 1 },
  });
});

it('counts what it read, and why it left out the rest', async () => {
  for (let i = 0; i < 300; i++) deliver(`mail.sender.org (unknown [198.51.100.${7 + (i % 3)}])`);
  deliver('x.sender.org (unknown [IPv6:2001:db8::7])', 'ESMTP', 'mx.dest.test', 24);
  deliver('laptop (unknown [203.0.113.9])', 'ESMTPSA');
  deliver('a.net (unknown [203.0.113.9])', 'ESMTP', 'mx.other.test');
  deliver('a.net (unknown [192.0.2.66])');
  deliver('unknown (unknown [203.0.113.9])', 'SMTP');
  deliver('filter (localhost [127.0.0.1])');
  writeFileSync(join(root, 'box/new/1'), 'Subject: draft\n\n');
  const { seen, counts } = await walk({ by: ['mx.dest.test'] }, { trust: '192.0.2.64/26' });
  expect(seen).toHaveLength(301);
  expect(counts).toEqual({
    messages: 307,
    taken: 301,
    lookups: 4,
    first: Date.UTC(2026, 10, 24, 10, 30, 3),
    last: Date.UTC(2026, 10, 26, 10, 30, 3),
    notTaken: {
      'no-received': 1,
      inside: 2,
      authenticated: 1,
      certified: 0,
      'another-host': 1,
      fetched: 0,
      unclear: 1,
    },
    notRead: { unreadable: 0, 'not-mail': 0 },
  });
  expect(shown).toContainEqual(expect.stringMatching(/^256 messages, \d names looked up$/));
  expect(shown.at(-1)).toBe('done');
  expect(mailNotes(counts, Date.UTC(2026, 10, 27))).toEqual([
    "Messages taken: 301 of 307, received from 2026-11-24 to 2026-11-26; pairs of client and HELO looked up on 2026-11-27: 4. Today's DNS is not that of the sessions.",
    'Delivered mail shows nothing of what was refused, or deleted since.',
    'Left out: 1 message (no Received field).',
    'Left out: 2 messages (from our own hosts, or no client is named).',
    'Left out: 1 message (from a client that had logged in).',
    'Left out: 1 message (taken from outside by a host that is not named as ours).',
    'Left out: 1 message (a Received field that cannot be read with certainty, or does not tell the HELO).',
  ]);
});

it('takes the IPv4 client behind NAT64 for what it is', async () => {
  deliver('mail.sender.org (unknown [IPv6:2001:db8:64::c633:6407])');
  const { seen } = await walk({}, { nat64Prefix: '2001:db8:64::/96' });
  expect(seen).toMatchObject([
    { client: '198.51.100.7', judged: { assessment: { correspondence: 'exact' } } },
  ]);
});

it('says nothing of a span where nothing was taken', async () => {
  const { counts } = await walk();
  expect(mailNotes(counts, 0)[0]).toBe(
    "Messages taken: 0 of 0; pairs of client and HELO looked up on 1970-01-01: 0. Today's DNS is not that of the sessions.",
  );
});

it('ends when nobody wants more', async () => {
  for (let i = 0; i < 300; i++) deliver('mail.sender.org (unknown [198.51.100.7])');
  const config = await new ConfigSource(new Map([['dnsZone', [join(root, 'zone')]]])).read();
  const progress = { show: () => undefined, done: () => shown.push('done') };
  const mail = seenInMail([join(root, 'box')], config, { by: [], rate: 10_000 }, progress, () => undefined);
  for await (const each of mail) {
    expect(each.client).toBe('198.51.100.7');
    break;
  }
  expect(shown).toEqual(['done']);
});

it('has the page give its rate', () => {
  const page = readFileSync(new URL('../../docs/received.md', import.meta.url), 'utf8');
  expect(page).toContain(`with the ${DEFAULT_RATE} pairs a second`);
});

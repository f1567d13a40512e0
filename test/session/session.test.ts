/** The callbacks of one SMTP connection, one by one. */
import { expect, it } from 'vitest';
import type { CommandReply } from '../../src/milter/index.ts';
import type { Judged } from '../../src/policy/judge.ts';
import type { Stage } from '../../src/policy/rules.ts';
import { afterwards } from '../../src/session/afterwards.ts';
import { HeloSession } from '../../src/session/session.ts';
import { CLIENT, milterOptions, type Setup, ZONE } from '../support/service.ts';
import { client, context, envelope } from '../support/session.ts';
import { zoneResolver } from '../support/zone.ts';

const MTA = context();
const NOBODY = { name: null, address: null };

function start(setup: Setup = {}, applyAt: Stage = 'rcpt'): { session: HeloSession; log: string[] } {
  const log: string[] = [];
  const session = new HeloSession(milterOptions(setup, log), applyAt, () => NOBODY);
  return { session, log };
}

/** A reply as a word: the action, or the code with its finding. */
function word(reply: CommandReply): string {
  if (typeof reply === 'string') return reply;
  const { code, lines } = reply;
  return `${code} ${/\[([a-z-]+)\]/.exec(lines.join(' '))?.[1] ?? ''}`;
}

/** CONNECT, HELO, MAIL and one RCPT, as far as the answers let the MTA go on. */
async function talk(session: HeloSession, helo: string, address = CLIENT): Promise<string[]> {
  const said = [word(session.connect(client(address), MTA)), word(await session.helo(helo, MTA))];
  // By now whatever does not depend on DNS has been answered.
  await session.rcpt(envelope('postmaster@dest.test'), MTA);
  for (const command of [
    () => session.mail(envelope('s@sender.org'), MTA),
    () => session.rcpt(envelope('r@dest.test'), MTA),
  ]) {
    const last = said.at(-1);
    if (last !== 'continue') break;
    said.push(word(await command()));
  }
  return said;
}

it.each<[Stage, string, string[]]>([
  ['rcpt', 'Jupiter', ['continue', 'continue', 'continue', '550 helo-not-fqdn']],
  ['mail', 'Jupiter', ['continue', 'continue', '550 helo-not-fqdn']],
  ['helo', 'Jupiter', ['continue', '550 helo-not-fqdn']],
  ['mail', 'mail.sender.org', ['continue', 'continue', 'accept']],
  ['helo', 'mail.sender.org', ['continue', 'continue', 'accept']],
])('at %s, %s gets %j', async (applyAt, helo, wanted) => {
  expect(await talk(start({}, applyAt).session, helo)).toEqual(wanted);
});

it('lets what nobody would refuse end at MAIL, once its assessment is there', async () => {
  const { session } = start();
  session.connect(client(CLIENT), MTA);
  void session.helo('mail.sender.org', MTA);
  // DNS has not answered yet.
  expect(session.mail(envelope('s@sender.org'), MTA)).toBe('continue');
  expect(await session.rcpt(envelope('r@dest.test'), MTA)).toBe('accept');
  expect(session.mail(envelope('s@sender.org'), MTA)).toBe('accept');
});

it('does not look up a client that is never refused, and says why', async () => {
  const resolver = zoneResolver(ZONE);
  const { session, log } = start({ resolver });
  expect(await talk(session, 'Jupiter', '127.0.0.1')).toEqual(['continue', 'continue', 'accept']);
  expect(resolver.queries).toEqual([]);
  expect(log.join()).toContain(' exempt=loopback ');
});

it('tells a decision once a message, not once a recipient', async () => {
  const { session, log } = start();
  await talk(session, 'Jupiter');
  await session.rcpt(envelope('b@dest.test'), MTA);
  const before = log.length;
  await session.rcpt(envelope('c@dest.test'), MTA);
  expect(log).toHaveLength(before);
});

it('keeps the name over a reset', async () => {
  const { session } = start();
  await talk(session, 'Jupiter');
  session.abort();
  await session.mail(envelope('s@sender.org'), MTA);
  expect(word(await session.rcpt(envelope('r@dest.test'), MTA))).toBe('550 helo-not-fqdn');
});

it('judges MAIL without HELO as a missing name', async () => {
  const { session, log } = start();
  session.connect(client(CLIENT), MTA);
  await session.mail(envelope('s@sender.org'), MTA);
  await session.rcpt(envelope('r@dest.test'), MTA);
  expect(log[0]).toContain(' helo="" ');
});

it('has an id that no other session has', () => {
  const sessions = Array.from({ length: 20 }, () => start().session.id);
  expect(new Set(sessions).size).toBe(20);
});

it('afterwards goes on at once where the verdict is there', async () => {
  const judged = { action: 'accept' } as Judged;
  expect(afterwards(judged, ({ action }) => action)).toBe('accept');
  const later = afterwards(Promise.resolve(judged), ({ action }) => action);
  expect(later).toBeInstanceOf(Promise);
  expect(await later).toBe('accept');
});

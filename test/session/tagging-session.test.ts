/** A session that tags: which messages it follows to their end, and what it does to them there. */
import { expect, it } from 'vitest';
import type { ForgedResults } from '../../src/policy/forged-results.ts';
import { Tagging } from '../../src/session/tagging.ts';
import { TaggingSession } from '../../src/session/tagging-session.ts';
import { CLIENT, milterOptions } from '../support/service.ts';
import { client, context, envelope, RecordedMessage } from '../support/session.ts';

interface Made {
  readonly session: TaggingSession;
  readonly log: string[];
}

function start(authservId: string | null = 'mx.dest.org', forged: ForgedResults = 'ours'): Made {
  const log: string[] = [];
  const tagging = new Tagging({ authservId, forged }, (why) => log.push(why));
  const options = milterOptions({}, log);
  return {
    session: new TaggingSession(options, 'rcpt', () => ({ name: null, address: null }), tagging),
    log,
  };
}

/** A message up to its header; returns the answer to RCPT. */
async function begin({ session }: Made, helo = 'mail.sender.org', mta = context()): Promise<unknown> {
  session.connect(client(CLIENT), mta);
  await session.helo(helo, mta);
  await session.mail(envelope('s@sender.org'), mta);
  return session.rcpt(envelope('r@dest.test'), mta);
}

it.each<[title: string, id: string | null, mta: Parameters<typeof context>, wanted: string, told: string]>([
  ['with a name and all rights', 'mx.dest.org', [], 'continue', ''],
  ['with the name of the MTA', null, [{ j: 'mx.mta.org' }], 'continue', ''],
  ['without a name', null, [], 'accept', 'no name'],
  ['without the right to add', 'mx.dest.org', [{}, ['changeHeaders']], 'accept', 'no changes'],
  ['without the right to remove', 'mx.dest.org', [{}, ['addHeaders']], 'accept', 'no changes'],
])('%s', async (_, id, mta, wanted, told) => {
  const made = start(id);
  expect(await begin(made, 'mail.sender.org', context(...mta))).toBe(wanted);
  expect(made.log.filter((line) => line.startsWith('no '))).toEqual(told === '' ? [] : [told]);
});

it.each<[ForgedResults, string[]]>([
  ['ours', ['remove 3 Authentication-Results']],
  ['all', ['remove 3 Authentication-Results', 'remove 2 Authentication-Results']],
  ['none', []],
])('--forged-results %s', async (forged, removed) => {
  const made = start('mx.dest.org', forged);
  await begin(made);
  for (const value of ['other.org; x-helo=pass', 'mx.dest.org; dkim=pass', 'mx.dest.org; x-helo=pass']) {
    expect(made.session.header('Authentication-Results', value)).toBe('continue');
  }
  const message = new RecordedMessage();
  expect(await made.session.endOfMessage(message, context())).toBe('accept');
  // From the last to the first, so that the indices of the others stay valid; then ours, on top.
  expect(message.changes.slice(0, -1)).toEqual(removed);
  expect(message.changes.at(-1)).toMatch(/^insert 0 Authentication-Results: mx\.dest\.org;\n\tx-helo=pass /);
});

it('refuses a message with too many forged fields, and leaves it as it is', async () => {
  const made = start();
  await begin(made);
  for (let i = 0; i < 201; i++) made.session.header('Authentication-Results', 'mx.dest.org; x-helo=pass');
  const message = new RecordedMessage();
  expect(await made.session.endOfMessage(message, context())).toMatchObject({ code: 550 });
  expect(message.changes).toEqual([]);
  expect(made.log.at(-1)).toContain(' cause=forged-results ');
});

it('does nothing at the end of a message that it has not begun', async () => {
  const made = start();
  await begin(made);
  await made.session.endOfMessage(new RecordedMessage(), context());
  const message = new RecordedMessage();
  expect(await made.session.endOfMessage(message, context())).toBe('accept');
  expect(message.changes).toEqual([]);
});

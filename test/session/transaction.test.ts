/** What is told of one message, and when: by what was decided, without a connection. */
import { expect, it } from 'vitest';
import type { Decision } from '../../src/decisions/decision.ts';
import type { Judged } from '../../src/policy/judge.ts';
import { type Noted, Transaction } from '../../src/session/transaction.ts';
import { DECISIONS } from '../fixtures/decisions.ts';

const WITH_OWN: Judged = DECISIONS.full.judged ?? expect.fail();
const JUDGED: Judged = { ...WITH_OWN, ownPolicy: null };
const REFUSED: Noted = { ...DECISIONS.full, judged: JUDGED };
const ACCEPTED: Noted = { ...REFUSED, judged: { ...JUDGED, action: 'accept' } };
const AT_MAIL: Noted = { ...ACCEPTED, stage: 'mail' };
const OWN: Noted = { ...REFUSED, judged: WITH_OWN };
const EXEMPT: Noted = { ...REFUSED, exempt: 'postmaster' };

/** Message, recipients and end of each decision that is told. */
function told(message: Transaction, end: Decision['end'] = 'accepted'): string[] {
  const words: string[] = [];
  message.end(end, ({ message: number, recipients, recipientCount, queueId, exempt, end: how }) =>
    words.push([number, exempt ?? '-', recipients.join(), recipientCount, queueId ?? '-', how].join(' ')),
  );
  return words;
}

it.each<[what: string, noted: [Noted, string | null][], wanted: string[]]>([
  ['nothing decided', [], []],
  [
    'one decision, once, with all its recipients',
    [
      [ACCEPTED, 'a'],
      [ACCEPTED, 'b'],
    ],
    ['1 - a,b 2 - accepted'],
  ],
  ['what was refused has no other end', [[REFUSED, 'a']], ['1 - a 1 - refused']],
  [
    'a recipient with a policy of its own, and one that is exempt, by themselves',
    [
      [REFUSED, 'a'],
      [OWN, 'b'],
      [EXEMPT, 'c'],
      [REFUSED, 'd'],
    ],
    ['1 - a,d 2 - refused', '1 - b 1 - refused', '1 postmaster c 1 - accepted'],
  ],
  ['an acceptance at MAIL', [[AT_MAIL, null]], ['1 -  0 - accepted']],
  [
    'but not where its recipients were judged otherwise',
    [
      [AT_MAIL, null],
      [OWN, 'b'],
    ],
    ['1 - b 1 - refused'],
  ],
  [
    'the message as a whole, beside its recipients',
    [
      [ACCEPTED, 'a'],
      [{ ...REFUSED, stage: 'message' }, null],
    ],
    ['1 - a 1 - accepted', '1 -  0 - refused'],
  ],
])('%s', (_, noted, wanted) => {
  const message = new Transaction();
  message.begin('<s@x>');
  for (const [each, recipient] of noted) message.note(each, recipient);
  expect(told(message)).toEqual(wanted);
  expect(told(message)).toEqual([]);
});

it('names 32 recipients, and counts the others', () => {
  const message = new Transaction();
  message.begin('<s@x>');
  for (let i = 0; i < 100; i++) message.note(REFUSED, `r${i}`);
  expect(told(message)).toEqual([
    `1 - ${Array.from({ length: 32 }, (_, i) => `r${i}`).join()} 100 - refused`,
  ]);
});

it('has the queue id for the first recipient too, where the MTA gives it later', () => {
  const message = new Transaction();
  message.begin('<s@x>');
  message.note(ACCEPTED, 'a');
  message.note(ACCEPTED, 'b');
  message.queued('Q1');
  expect(told(message)).toEqual(['1 - a,b 2 Q1 accepted']);
});

it('takes nothing of one message into the next but the count', () => {
  const message = new Transaction();
  message.begin('<s@x>');
  message.queued('Q1');
  message.take('postmaster');
  message.take(null);
  message.take('postmaster');
  expect([message.sender, message.takers]).toEqual(['<s@x>', ['postmaster', null]]);
  message.note(ACCEPTED, 'a');
  message.queued(undefined);
  message.queued('');
  expect(told(message)).toEqual(['1 - a 1 Q1 accepted']);
  expect(message.sender).toBeNull();
  message.begin('<>');
  expect([message.sender, message.takers]).toEqual(['<>', []]);
  message.note(ACCEPTED, 'b');
  expect(told(message, 'aborted')).toEqual(['2 - b 1 - aborted']);
});

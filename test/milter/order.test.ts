import { expect, it } from 'vitest';
import type { CallbackName } from '../../src/milter/callbacks.ts';
import {
  endsMessage,
  endsUnfinished,
  hasPlace,
  IDLE,
  type MessageEvent,
  RANK,
} from '../../src/milter/order.ts';
import { type Reply, replyCode } from '../../src/milter/reply.ts';

it.each<[MessageEvent, keyof typeof RANK | null, boolean, boolean]>([
  // event, the last event of the message, whether it ends that message, whether it has its place then
  ['mail', null, false, true],
  ['mail', 'mail', true, true],
  ['mail', 'body', true, true],
  ['rcpt', null, false, false],
  ['rcpt', 'mail', false, true],
  ['rcpt', 'rcpt', false, true],
  ['rcpt', 'data', true, false],
  ['data', 'mail', false, false],
  ['data', 'rcpt', false, true],
  ['data', 'data', true, false],
  ['header', 'header', false, true],
  ['header', 'endOfHeaders', true, false],
  ['endOfHeaders', 'endOfHeaders', true, false],
  ['body', 'body', false, true],
  ['body', null, false, false],
])('%s after %s ends the message: %s; has its place: %s', (event, last, ends, place) => {
  const progress = last === null ? IDLE : RANK[last];
  expect(endsUnfinished(event, progress)).toBe(ends);
  const agreement = { version: 6, actions: 0, protocol: 0 };
  expect(hasPlace(event, ends ? IDLE : progress, agreement)).toBe(place);
});

it.each<[CallbackName, Reply, boolean]>([
  ['connect', 'reject', false],
  ['helo', 'accept', false],
  ['mail', 'continue', false],
  ['mail', 'tempfail', true],
  ['rcpt', 'reject', false],
  ['rcpt', replyCode(450, '4.7.1', 'later'), false],
  ['rcpt', 'accept', true],
  ['rcpt', 'discard', true],
  ['header', 'accept', true],
  ['body', 'skip', false],
  ['endOfMessage', 'continue', true],
  ['unknown', 'reject', false],
])('after %s, the reply %j ends the message: %s', (event, reply, ends) => {
  expect(endsMessage(event, reply)).toBe(ends);
});

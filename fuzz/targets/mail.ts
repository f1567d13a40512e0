/** What stands in messages, and in mailboxes. */
import fc from 'fast-check';
import { headsOfMbox } from '../../src/mailboxes/mbox.ts';
import { arrivalOf } from '../../src/report/received.ts';
import { canonicalId, mayPretendToBeOurs, pretendsToBeOurs } from '../../src/session/our-field.ts';
import { bytesOf, must, pieces, type Target, textOf } from '../target.ts';

const joined = (...units: readonly string[]): fc.Arbitrary<Buffer> =>
  fc.array(fc.constantFrom(...units), { maxLength: 24 }).map((words) => bytesOf(words.join('')));

const OURS = canonicalId('mx.example.org');
const FIELD = [
  'mx.example.org',
  'MX.example.ORG',
  ';',
  ' ',
  '\n\t',
  'x-helo=pass',
  'x-csa',
  '=',
  'pass',
  '(',
  ')',
  '"',
  '\\',
  '=?utf-8?q?',
  '=?utf-8?b?',
  '?=',
  '=3B',
  'spf=pass',
  'mx',
  '.example.org',
  '1',
  '\xc2\xa0',
  '\xa0',
  '\0',
  '/',
  'x-helo-own=fail',
  'bXguZXhhbXBsZS5vcmc=',
  '\r\n ',
];
const field: Target = {
  name: 'authentication-results',
  files: ['session/our-field.ts', 'session/encoded-words.ts'],
  seeds: [
    'mx.example.org; x-helo=pass',
    'mx.example.org 1;\n\tspf=pass (x) smtp.helo=a; x-csa=pass',
    '=?utf-8?q?mx.example.org=3B_x-helo=3Dpass?=',
  ].map(bytesOf),
  shaped: joined(...FIELD),
  words: FIELD,
  run: (input) => {
    const value = textOf(input);
    for (const which of ['ours', 'all'] as const) {
      const is = pretendsToBeOurs(OURS, value, which);
      must(!is || mayPretendToBeOurs(OURS, value, which), 'the cheap look misses nothing');
      if (is && which === 'ours') must(pretendsToBeOurs(OURS, value, 'all'), 'one of our kind has our name');
    }
    // Whatever else stands there, a plain result of ours in a field of its own is seen.
    if (/^[a-z0-9 =;.-]*$/.test(value)) {
      must(
        pretendsToBeOurs(OURS, `mx.example.org; ${value}; x-helo=pass`, 'ours'),
        'a plain forgery is seen',
      );
    }
  },
};

const DATE = 'Tue, 24 Nov 2026 07:40:00 +0000';
const RECEIVED = [
  `Received: from mail.example.org (mail.example.org [192.0.2.1])\n\tby mx.example.net (Postfix) with ESMTP id 1\n\tfor <r@example.net>; ${DATE}\n`,
  `Received: from x (helo=mail.example.org) by mx.example.net with esmtp (Exim 4.96) id 1; ${DATE}\n`,
  'Return-Path: <s@example.org>\n',
  'Delivered-To: r@example.net\n',
  'from ',
  'by ',
  'with ESMTPSA',
  'for <',
  '(',
  ')',
  '[',
  ']',
  '; ',
  DATE,
  '\n\t',
  '"',
  '\\',
  'X: y\n',
  ' id ',
  'unknown',
  '[IPv6:2001:db8::1]',
];
const received: Target = {
  name: 'received',
  files: [
    'report/received.ts',
    'report/received-field.ts',
    'report/received-peer.ts',
    'report/received-pieces.ts',
    'report/header-fields.ts',
    'report/mail-date.ts',
  ],
  seeds: RECEIVED.slice(0, 2).map(bytesOf),
  shaped: joined(...RECEIVED),
  words: RECEIVED,
  run: (input) => {
    const arrival = arrivalOf(textOf(input), { names: [], networks: [] });
    if (typeof arrival === 'string') return;
    must(Number.isFinite(arrival.time), 'an arrival has a time');
    must(
      !/[\r\n]/.test(`${arrival.helo}${arrival.by}${arrival.sender ?? ''}`),
      'and no lines in what it tells',
    );
  },
};

const FROM = 'From s@example.org Tue Nov 24 07:40:00 2026\n';
const mbox: Target = {
  name: 'mbox',
  files: ['mailboxes/mbox.ts', 'mailboxes/head.ts'],
  seeds: [`${FROM}Subject: a\n\nbody\n\n${FROM}Subject: b\n\n>From x\n`].map(bytesOf),
  shaped: joined(FROM, 'Subject: a\n', '\n', '\r\n', 'body\n', 'From ', '>From x\n', ' 1:23\n'),
  words: [FROM, '\n\n', '\r\n\r\n', 'From '],
  run: async (input) => {
    const whole = await headsIn([input]);
    const cut = await headsIn(pieces(input));
    must(JSON.stringify(whole) === JSON.stringify(cut), 'headers do not depend on where the file is cut');
    const bound = textOf(input).split(/\n\r?\nFrom |^From /).length;
    must(whole.length < bound + 1, 'there are no more messages than lines that begin one');
  },
};

async function headsIn(chunks: readonly Buffer[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const head of headsOfMbox(asStream(chunks))) found.push(head);
  return found;
}

// eslint-disable-next-line @typescript-eslint/require-await -- as files are read
async function* asStream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

export const MAIL: readonly Target[] = [field, received, mbox];

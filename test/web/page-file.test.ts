/** The page is one small file that loads nothing, and whose policy forbids it. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PageDecisions } from '../../src/commands/page-decisions.ts';
import { AddressMask } from '../../src/report/address-mask.ts';
import { assemblePage, islandText, PAGE_MARKS } from '../../src/report/page.ts';
import { linesOf, takeApart } from '../support/page-file.ts';

const template = readFileSync(new URL('../../dist/page.html', import.meta.url), 'latin1');
const between = (from: string, to: string): string => template.split(from)[1]?.split(to)[0] ?? '';
const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

it('takes 150 kB at most without data, packed', () => {
  expect(gzipSync(template).length).toBeLessThanOrEqual(150_000);
});

it.each([
  [false, []],
  [true, ["connect-src 'self'"]],
])('may run its own program only, and load nothing; served live: %s', (connects, more) => {
  const html = assemblePage(template, { report: '', data: null, decisions: [], connects });
  const policy = html.split('Content-Security-Policy" content="')[1]?.split('">')[0] ?? '';
  expect(policy.split('; ')).toEqual([
    "default-src 'none'",
    ...more,
    `script-src ${hash(between('<script id="program">', '</script>'))}`,
    `style-src ${hash(between('<style>', '</style>'))}`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  expect(template).toMatch(/^[\n\x20-\x7e]*$/);
  const program = between('<script id="program">', '</script>');
  expect(program).not.toMatch(
    /\bfetch\(|XMLHttpRequest|WebSocket|WebTransport|RTCPeer|sendBeacon|\bimport\(|\beval\(/,
  );
  expect(program.match(/new EventSource\([^)]*\)/g)).toEqual([
    expect.stringMatching(
      /^new EventSource\(\w+===(?:``|"")\?(?:`events`|"events"):`events\?after=\$\{\w+\}`\)$/,
    ),
  ]);
  expect(template.replace(program, '')).not.toMatch(
    /<(?:img|link|iframe|object|embed|form)\b|\bsrc=|https?:|url\(/,
  );
});

it('shows texts as texts only', () => {
  const web = new URL('../../web/', import.meta.url);
  for (const name of readdirSync(web)) {
    const source = readFileSync(new URL(name, web), 'utf8');
    expect(source, name).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/i);
  }
});

it('holds data that cannot break out', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(
          ...PAGE_MARKS,
          '</script><script>alert(1)</script>',
          '<!--',
          '<SCRIPT',
          '\u2028',
          ']]>',
        ),
      ),
      (text) => {
        const data = { [text]: [text] };
        const decisions = new PageDecisions();
        decisions.add(JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, '?'));
        const parts = { report: '<h2>R</h2>', data, decisions: decisions.chunks(), connects: false };
        const file = takeApart(assemblePage(template, parts));
        expect(file.frame).toEqual(template.replace('@@CONNECT@@', '').split(/@@[A-Z]+@@/));
        expect(JSON.parse(file.data)).toEqual(data);
        expect(file.data).toMatch(/^[\x20-\x3b\x3d-\x7e]*$/);
        expect(linesOf(file)).toHaveLength(1);
      },
    ),
  );
  expect(() => assemblePage(template, { report: '', data: null, decisions: ['<'], connects: false })).toThrow(
    'base64',
  );
  expect(() => assemblePage('', { report: '', data: null, decisions: [], connects: false })).toThrow(
    '@@CONNECT@@',
  );
  expect(islandText('<\u{1f600}')).toBe('"\\u003c\\ud83d\\ude00"');
});

it('keeps the newest decisions', () => {
  const decisions = new PageDecisions((line) => line, 3);
  for (let i = 1; i <= 10; i++) decisions.add(`line ${i}`);
  const kept = decisions.chunks().length;
  expect(kept).toBe(1);
  expect(decisions.left).toBe(9);
});

it('hides local parts, one number for each mailbox', () => {
  const mask = new AddressMask();
  const line = JSON.stringify({
    sender: '<Bob@Example.org>',
    recipients: ['<anne@dest.test>', '<postmaster@dest.test>', '<>', 'bob@example.org', '"a b"@dest.test'],
    recipient: '<anne@dest.test>',
    helo: 'bob.example.org',
  });
  expect(JSON.parse(mask.line(line))).toEqual({
    sender: '<hidden-1@example.org>',
    recipient: '<hidden-2@dest.test>',
    recipients: [
      '<hidden-2@dest.test>',
      '<postmaster@dest.test>',
      '<>',
      'hidden-1@example.org',
      'hidden-3@dest.test',
    ],
    helo: 'bob.example.org',
  });
});

it('hides what stands before an `@` in a name that a client gave, wherever it is quoted', () => {
  const mask = new AddressMask();
  const dns = { 'x.test': { TXT: { records: ['mail hostmaster@x.test'] } } };
  const line = JSON.stringify({
    sender: '<bob@dest.test>',
    helo: 'Bob@Dest.test',
    judged: {
      findings: [{ id: 'helo-syntax', weight: 5, evidence: { helo: 'bob@dest.test', chars: '@' } }],
      session: { previousHelo: 'my own@pc' },
      dns,
    },
  });
  expect(JSON.parse(mask.line(line))).toEqual({
    sender: '<hidden-1@dest.test>',
    helo: 'hidden-1@dest.test',
    judged: {
      findings: [
        { id: 'helo-syntax', weight: 5, evidence: { helo: 'hidden-1@dest.test', chars: 'hidden-2@' } },
      ],
      session: { previousHelo: 'hidden-3@pc' },
      dns,
    },
  });
  expect(mask.said('mail.dest.test')).toBe('mail.dest.test');
});

it.each([
  ['<>', '<>'],
  ['', ''],
  ['Postmaster', 'postmaster'],
  ['<Postmaster@Dest.test>', '<postmaster@dest.test>'],
  ['<@alice.smith:abuse@dest.test>', '<abuse@dest.test>'],
  ['<"post\\master"@alice smith>', '<postmaster>'],
  ['<@relay.test:alice@dest.test>', '<hidden-1@dest.test>'],
  ['<"alice@home"@dest.test>', '<hidden-1@dest.test>'],
  ['<bob@dest.test,alice@dest.test>', '<hidden-1@dest.test>'],
  ['<alice@[192.0.2.1]>', '<hidden-1@[192.0.2.1]>'],
  ['<bob@dest.test> alice', '<hidden-1>'],
  ['<bob@alice smith>', '<hidden-1>'],
  ['<bounce@alice=dest.test>', '<hidden-1>'],
  ['<bob@[IPv6:alice]>', '<hidden-1>'],
  ['<@alice>', '<hidden-1>'],
  ['<@alice.smith>', '<hidden-1>'],
  ['<@alice:>', '<hidden-1>'],
  ['<""@alice>', '<hidden-1>'],
  ['<alice@>', '<hidden-1>'],
  ['alice', 'hidden-1'],
  ['j\u00c3\u00bcrgen@B\u00c3\u00bccher.test', 'hidden-1@xn--bcher-kva.test'],
])('%j is shown as %j', (path, shown) => {
  expect(new AddressMask().address(path)).toBe(shown);
});

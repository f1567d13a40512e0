/** The letter to a postmaster: whom it is for, and that its records can be pasted however long they are. */
import { expect, it } from 'vitest';
import { checks, findings } from '../../src/core/checks/index.ts';
import { readRecord } from '../../src/decisions/record-reader.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { HitCollector } from '../../src/report/hits.ts';
import { type Letter, letterTo, masterLines } from '../../src/report/letter.ts';
import { NO_PAST } from '../../src/report/replay-past.ts';
import { Replayer } from '../../src/report/replayer.ts';
import { observedLog } from '../support/observed-log.ts';
import { RULES } from '../support/service.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const rules = { ...RULES, policy: makePolicy('strict', findings) };
const WORDS = { helpUrl: null, contact: null, templates: new Map<string, string>() };

async function letters(zone: Zone, sent: readonly (readonly [string, string])[]): Promise<(Letter | null)[]> {
  const messages = sent.map(([client, helo], i) => ({ client, helo, time: Date.UTC(2026, 10, 1 + i) }));
  const collector = new HitCollector();
  const replayer = new Replayer({ rules, past: NO_PAST });
  for (const line of await observedLog(messages, zoneResolver(zone)))
    collector.add(replayer.replay(readRecord(line, checks)));
  return collector.senders().map((each) => letterTo(each, WORDS));
}

const REVERSE: Zone = {
  '9.2.0.192.in-addr.arpa': { PTR: ['host.provider.net'] },
  'host.provider.net': { A: ['192.0.2.9'] },
  'there.org': { NS: ['ns.there.org'] },
  'github.io': { NS: ['ns.github.io'] },
  'bob.github.io': { A: ['203.0.113.7'] },
};

it.each([
  ['the domain of HELO', ['192.0.2.9', 'a.there.org'], 'postmaster@there.org'],
  [
    'that of the reverse name, where it does not exist',
    ['192.0.2.9', 'a.gone.org'],
    'postmaster@provider.net',
  ],
  ['that of the reverse name, where HELO has none', ['192.0.2.9', 'Jupiter'], 'postmaster@provider.net'],
  ['a customer below a private suffix', ['192.0.2.9', 'a.bob.github.io'], 'postmaster@bob.github.io'],
  ['nobody, where there is no domain at all', ['192.0.2.10', 'Jupiter'], null],
  ['nobody, where none is left', ['192.0.2.10', 'a.gone.org'], null],
] as const)('is for the postmaster of %s', async (_, pair, to) => {
  const [letter] = await letters(REVERSE, [pair]);
  expect(letter?.to).toBe(to);
  expect(letter?.body).toMatch(to === null ? /^To whom to write: /m : /^Your address is a guess: /m);
});

it('is one for each customer below a private suffix, about this one alone', async () => {
  const pair = (name: string) => ['192.0.2.10', `mail.${name}.github.io`] as const;
  const told = await letters(REVERSE, [pair('alice'), pair('bob'), pair('bob')]);
  expect(told.map((letter) => letter?.to)).toEqual([
    'postmaster@bob.github.io',
    'postmaster@alice.github.io',
  ]);
  expect(told[0]?.body).not.toContain('alice');
});

it('tells a few pairs of client and name, and has the others in its subject', async () => {
  const pairs = Array.from({ length: 7 }, (_, i) => [`192.0.2.${20 + i}`, 'a.there.org'] as const);
  const [letter] = await letters(REVERSE, pairs);
  expect(letter?.body.match(/^\d\. What we saw$/gm)).toHaveLength(4);
  expect(letter?.subject).toBe('Mail from 192.0.2.26 and 6 more will be refused for its HELO name');
});

const LONG = Array.from({ length: 30 }, (_, i) => `ip4:203.0.113.${i}/32`).join(' ');

it.each([
  ['long', `v=spf1 ${LONG} -all`],
  ['full of quotes and backslashes', `v=spf1 ${'" "\\" \\\\'.repeat(60)} ; ( ) -all`],
  ['of other octets', `v=spf1 ${'\xe9\x9b\x00\x1b'.repeat(200)} -all`],
  ['plain', 'v=spf1 -all'],
])('has records that a zone takes: %s', async (_, text) => {
  const owner = 'a.there.org';
  const to = `${text} ip4:192.0.2.66`;
  const change = [{ owner, type: 'TXT' as const, from: text, to, insert: null }];
  const lines = masterLines({ kind: 'publish', put: [], change, remove: [] });
  const read = async (record: string | undefined): Promise<unknown> => {
    const resolver = zoneFileResolver(`$ORIGIN there.org.\n${record?.trim() ?? ''}\n`, 'zone');
    const answer = await resolver.lookup(owner, 'TXT');
    return answer.status === 'found' ? answer.records : answer;
  };
  expect([await read(lines[0]), await read(lines[1])]).toEqual([[text], [to]]);
  for (const line of lines.join('\n').split('\n')) {
    expect(line).toMatch(/^ {6}[\x20-\x7e]+$/);
    expect(line.length).toBeLessThanOrEqual(998);
  }
});

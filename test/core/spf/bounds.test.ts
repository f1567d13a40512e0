/**
 * SPF text that is made to cost us something is a permerror that says why; what senders publish is far below
 * the bounds.
 */
import { describe, expect, it } from 'vitest';
import { checks } from '../../../src/core/checks/index.ts';
import { assess } from '../../../src/core/assess.ts';
import { makeClient } from '../../../src/core/client.ts';
import { parseIp } from '../../../src/core/ip.ts';
import { checkHelo, type SpfOutcome } from '../../../src/core/spf/index.ts';
import { type Zone, zoneResolver } from '../../support/zone.ts';

async function helo(zone: Zone): Promise<SpfOutcome> {
  const ip = parseIp('192.0.2.1');
  if (ip === null) throw new Error('no address');
  return checkHelo(ip, 'mail.example.org', zoneResolver(zone));
}

const spf = (text: string): Zone => ({ 'mail.example.org': { TXT: [text] } });
const terms = (n: number, term = 'ip4:203.0.113.9'): string =>
  Array.from({ length: n }, () => term).join(' ');

/** A record of this many characters whose last term passes. */
function sized(length: number): string {
  const [head, tail] = ['v=spf1 x=', ' +ip4:192.0.2.1'];
  return `${head}${'y'.repeat(length - head.length - tail.length)}${tail}`;
}

/** Ten records, each of which includes the next and has this many terms. */
function chain(each: number): Zone {
  const names = ['mail', ...Array.from({ length: 9 }, (_, i) => `l${i}`)].map(
    (name) => `${name}.example.org`,
  );
  return Object.fromEntries(
    names.map((name, i) => {
      const next = names[i + 1];
      const last = next === undefined ? 'ip4:192.0.2.1' : `include:${next}`;
      return [name, { TXT: [`v=spf1 ${terms(each - 1)} ${last}`] }];
    }),
  );
}

describe('what is read', () => {
  it.each([
    ['a record of 8,191 characters', spf(sized(8191))],
    ['300 terms', spf(`v=spf1 ${terms(299)} ip4:192.0.2.1`)],
    ['blanks are no terms', spf(`v=spf1${' '.repeat(4000)}ip4:192.0.2.1`)],
    ['1,000 terms in ten records', chain(100)],
  ])('%s', async (_, zone) => {
    expect((await helo(zone)).result).toBe('pass');
  });
});

describe('what is too much', () => {
  it.each([
    [
      'a record of 8,192 characters',
      spf(sized(8192)),
      '8192 characters or more in the record of mail.example.org',
    ],
    [
      '301 terms',
      spf(`v=spf1 ${terms(300)} ip4:192.0.2.1`),
      'more than 300 terms in the record of mail.example.org',
    ],
    [
      '301 modifiers',
      spf(`v=spf1 ${terms(301, 'x=')}`),
      'more than 300 terms in the record of mail.example.org',
    ],
    ['1,010 terms in ten records', chain(101), 'more than 1000 terms in all records together'],
  ])('%s', async (_, zone, detail) => {
    expect(await helo(zone)).toMatchObject({ result: 'permerror', detail });
  });

  it('says so in the evidence, in whatever length it came', async () => {
    for (const length of [8192, 60_000]) {
      const client = makeClient('192.0.2.1', 'mail.example.org');
      const { findings, dns } = await assess(client, {
        resolver: zoneResolver(spf(sized(length))),
        checks,
        onCheckError: (check) => {
          throw new Error(check);
        },
      });
      expect(findings.find(({ id }) => id === 'helo-spf-permerror')?.evidence).toMatchObject({
        detail: '8192 characters or more in the record of mail.example.org',
      });
      for (const { records } of dns) expect(records.join('').length).toBeLessThanOrEqual(4096);
    }
  });
});

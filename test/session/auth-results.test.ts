import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tagged } from '../support/tagged.ts';
import type { Zone } from '../support/zone.ts';

const ZONE: Zone = {
  'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 ip4:198.51.100.7 -all'] },
  'broken.org': 'temperror',
  '7.100.51.198.in-addr.arpa': { PTR: ['mail.sender.org'] },
};

const field = (ip: string | null, helo: string, authservId = 'mx.dest.org'): Promise<string> =>
  tagged(ip, helo, ZONE, authservId);

describe('authResults', () => {
  it('says what was found, method by method', async () => {
    expect(await field('198.51.100.7', 'mail.sender.org')).toBe(
      'mx.dest.org;\n\tx-helo=pass policy.correspondence=exact policy.stream=verified smtp.helo=mail.sender.org;\n\tiprev=pass policy.iprev=198.51.100.7;\n\tspf=pass smtp.helo=mail.sender.org;\n\tx-csa=none smtp.helo=mail.sender.org',
    );
  });

  it.each([
    [
      '203.0.113.9',
      'mail.sender.org',
      /x-helo=fail reason="[a-z -]*helo-spf-fail[a-z -]*" .* policy\.stream=failed smtp\..*;.*spf=fail /s,
    ],
    [
      '2001:db8::1',
      '[IPv6:2001:db8::1]',
      /x-helo=none .* policy\.stream=unverified smtp\.helo="\[IPv6:2001:db8::1\]";.*iprev=permerror policy\.iprev="2001:db8::1"/s,
    ],
    [
      '198.51.100.7',
      'broken.org',
      /x-helo=temperror .* policy\.stream=unverified smtp\..*;.*spf=temperror /s,
    ],
    ['198.51.100.7', 'say "hi" \\ there', /smtp\.helo="say \\"hi\\" \\\\ there"/],
    ['198.51.100.7', 'x\r\nBcc: y', /smtp\.helo="x\?\?Bcc: y"/],
    ['198.51.100.7', '', /smtp\.helo=""/],
  ])('%s saying %j', async (ip, helo, wanted) => {
    expect(await field(ip, helo)).toMatch(wanted);
  });

  it('leaves out the methods of a client without an address', async () => {
    expect(await field(null, 'mail.sender.org')).toBe(
      'mx.dest.org;\n\tx-helo=none policy.correspondence=none policy.stream=unverified smtp.helo=mail.sender.org',
    );
  });

  it('leaves out what was not looked up, where the text alone decides', async () => {
    expect(await tagged('198.51.100.7', 'Jupiter', ZONE, 'mx.dest.org', () => true)).toBe(
      'mx.dest.org;\n\tx-helo=fail reason="helo-not-fqdn" policy.correspondence=none policy.stream=failed smtp.helo=Jupiter',
    );
  });

  it('quotes an authserv-id that is no token', async () => {
    expect(await field(null, 'x.org', 'mx:25')).toMatch(/^"mx:25";/);
  });

  it('is one folded field of printable lines below 998 octets, whatever the client says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 600 }), async (helo) => {
        const lines = (await field('198.51.100.7', helo)).split('\n');
        expect(lines.slice(1).every((line) => line.startsWith('\t'))).toBe(true);
        for (const line of lines) {
          expect(line).toMatch(/^\t?[\x20-\x7e]*$/);
          expect(line.length).toBeLessThan(998);
        }
        // Without the quoted parts, only the grammar's own characters are left.
        expect(lines.join(' ').replaceAll(/"(?:[^"\\]|\\.)*"/g, 'Q')).toMatch(/^[\w.;=\t -]*$/);
      }),
      { numRuns: 200 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clauseOf, linesOf } from '../../src/advice/words.ts';
import { findings } from '../../src/core/checks/index.ts';
import { withSession } from '../../src/core/assess.ts';
import { messageChecks, sessionChecks } from '../../src/core/checks/index.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { type ReplyOptions, smtpReply } from '../../src/policy/smtp-reply.ts';
import { waysFor } from '../../src/policy/sender-ways.ts';
import { clean, fill } from '../../src/policy/template.ts';
import { assessed } from '../support/checked.ts';
import type { Zone } from '../support/zone.ts';

const PLAIN: ReplyOptions = { helpUrl: null, contact: null, templates: new Map() };
const ZONE: Zone = {
  'a.sender.org': { A: ['198.51.100.1'] },
  'inside.sender.org': { A: ['10.0.0.1'] },
  'text.sender.org': { TXT: ['x'] },
  'alias.sender.org': { CNAME: ['a.sender.org'] },
  'spf-fail.sender.org': { A: ['198.51.100.1'], TXT: ['v=spf1 -all'] },
  'spf-soft.sender.org': { A: ['198.51.100.1'], TXT: ['v=spf1 ~all'] },
  'spf-broken.sender.org': { A: ['198.51.100.1'], TXT: ['v=spf1 nonsense'] },
  'csa.sender.org': { A: ['198.51.100.1'] },
  '_client._smtp.csa.sender.org': { SRV: [{ priority: 1, weight: 1, port: 0, target: 'csa.sender.org' }] },
  'auth.sender.org': { A: ['198.51.100.1'] },
  'twice.sender.org': { A: ['198.51.100.1'], TXT: ['v=spf1 -all'] },
  '_client._smtp.twice.sender.org': { SRV: [{ priority: 1, weight: 1, port: 0, target: 'x.sender.org' }] },
  'nowhere.sender.org': { CNAME: ['gone.sender.org'] },
  '_auth.auth.sender.org': { TXT: ['helo=198.51.100.0/24'] },
  'sender.org': { NS: ['ns.sender.org'] },
  'broken.org': 'temperror',
  '1.2.0.192.in-addr.arpa': { PTR: ['elsewhere.org'] },
  '8.2.0.192.in-addr.arpa': { PTR: ['dsl.isp.net'] },
  'dsl.isp.net': { A: ['192.0.2.8'] },
};

/** For each finding a case that gives it; the test's weight makes it decisive. */
const CASES: readonly (readonly [id: string, ip: string, helo: string])[] = [
  ['helo-missing', '192.0.2.1', ''],
  ['helo-syntax', '192.0.2.1', 'this is Jupiter'],
  ['helo-underscore', '192.0.2.1', 'a_b.sender.org'],
  ['helo-trailing-dot', '192.0.2.1', 'a.sender.org.'],
  ['helo-bare-ip', '192.0.2.1', '192.0.2.1'],
  ['helo-literal-malformed', '192.0.2.1', '[x]'],
  ['helo-literal-private', '192.0.2.1', '[10.0.0.1]'],
  ['helo-literal', '192.0.2.1', '[192.0.2.9]'],
  ['helo-not-fqdn', '192.0.2.1', 'Jupiter'],
  ['helo-special-use', '192.0.2.1', 'x.local'],
  ['helo-numeric-tld', '192.0.2.1', 'x.1'],
  ['helo-public-suffix', '192.0.2.1', 'co.uk'],
  ['helo-dynamic', '192.0.2.1', '192-0-2-1.sender.org'],
  ['helo-unregistered', '192.0.2.1', 'mail.unheard-of.org'],
  ['helo-nxdomain', '192.0.2.1', 'gone.sender.org'],
  ['helo-no-address', '192.0.2.1', 'text.sender.org'],
  ['helo-private-address', '192.0.2.1', 'inside.sender.org'],
  ['helo-alias', '192.0.2.1', 'alias.sender.org'],
  ['helo-spf-fail', '192.0.2.1', 'spf-fail.sender.org'],
  ['helo-spf-softfail', '192.0.2.1', 'spf-soft.sender.org'],
  ['helo-spf-permerror', '192.0.2.1', 'spf-broken.sender.org'],
  ['helo-csa-fail', '192.0.2.1', 'csa.sender.org'],
  ['helo-auth-fail', '192.0.2.1', 'auth.sender.org'],
  ['helo-mismatch', '192.0.2.1', 'a.sender.org'],
  ['helo-literal-mismatch', '192.0.2.1', '[192.0.2.9]'],
  ['iprev-fail', '192.0.2.1', 'a.sender.org'],
  ['iprev-none', '192.0.2.9', 'a.sender.org'],
  ['iprev-other-name', '192.0.2.8', 'a.sender.org'],
  ['iprev-generic', '192.0.2.8', 'a.sender.org'],
  ['helo-claims-us', '192.0.2.1', 'a.ours.org'],
  ['helo-denied', '192.0.2.1', 'a.sender.org'],
  ['helo-changed', '192.0.2.1', 'a.sender.org'],
  ['helo-churn', '192.0.2.1', 'a.sender.org'],
  ['forged-results', '192.0.2.1', 'a.sender.org'],
  ['stream-unverified', '192.0.2.1', '[192.0.2.1]'],
  ['stream-failed', '192.0.2.1', 'a.sender.org'],
  ['dns-share', '192.0.2.1', 'a.sender.org'],
  ['dns-temperror', '192.0.2.1', 'broken.org'],
];

async function replyTo(
  ip: string | null,
  helo: string,
  weights: [string, number][],
  options = PLAIN,
  reference: string | null = null,
  recipient: string | null = null,
): Promise<string> {
  const plain = await assessed(ip, helo, ZONE);
  const named = withSession(
    plain,
    {
      ourNames: ['ours.org'],
      ourAddresses: [],
      previousHelo: 'before.org',
      namesSeen: 12,
      churnLimit: 10,
      denied: weights.some(([id]) => id === 'helo-denied') ? 'go away' : null,
      shareUsedUp: weights.some(([id]) => id === 'dns-share'),
    },
    sessionChecks,
  );
  const forgedResults = weights.some(([id]) => id === 'forged-results') ? 201 : 0;
  const assessment = withSession(named, { authservId: 'mx.dest.test', forgedResults }, messageChecks);
  const policy = makePolicy('rfc5321', findings, { weights: new Map(weights) });
  const reply = smtpReply(decide(assessment, policy), {
    assessment,
    findings,
    words: options,
    reference,
    policy,
    recipient,
  });
  return reply === null ? 'none' : `${reply.code} ${reply.enhancedCode} ${reply.text}`;
}

describe('smtpReply', () => {
  it('has a case for every finding', () => {
    // What a limit tells is in test/session/streams.test.ts: it rests on no weight.
    const there = new Set([...CASES.map(([id]) => id), 'stream-limit']);
    const without = [...findings.keys()].filter((id) => !there.has(id));
    expect(without, 'give each of these a row in CASES of test/policy/smtp-reply.test.ts').toEqual([]);
  });

  it.each(CASES)('for %s says what was seen, with nothing left out', async (id, ip, helo) => {
    const reply = await replyTo(ip, helo, [[id, 1000]]);
    expect(reply).toMatch(findings.get(id)?.basis === 'dns' ? /^4\d\d 4\./ : /^5\d\d 5\./);
    expect(reply).toContain(` [${id}] `);
    expect(reply).not.toMatch(/[{}?]/);
  });

  it.each(CASES)('for %s to a client without an address advises nothing of one', async (id, _, helo) => {
    expect(await replyTo(null, helo, [[id, 1000]])).not.toMatch(/unknown|[{}?]/);
  });

  it.each([
    ['gone.sender.org', 'publish an address record for it: gone.sender.org IN A your address'],
    ['text.sender.org', 'may announce its address in brackets, or publish _auth TXT'],
    ['[10.0.0.1]', 'announce the public name of your host'],
  ])('tells a client without an address that gave %s: %s', async (helo, advice) => {
    expect(await replyTo(null, helo, [['helo-literal-private', 1000]])).toContain(advice);
  });

  it("puts an address into the operator's own words only where there is one", async () => {
    const options = { ...PLAIN, templates: new Map([['helo-nxdomain', 'add an A record for {client}']]) };
    expect(await replyTo(null, 'gone.sender.org', [], options)).toContain('an A record for your address');
  });

  it.each([
    ['this is Jupiter', 'helo-syntax', 10, '501 5.5.2'],
    ['Jupiter', 'helo-not-fqdn', 10, '550 5.7.1'],
    ['gone.sender.org', 'helo-nxdomain', 5, '450 4.7.1'],
    ['a.sender.org', 'iprev-fail', 10, '550 5.7.25'],
    ['a.sender.org', 'iprev-fail', 5, '450 4.7.1'],
    ['broken.org', 'dns-temperror', 5, '451 4.4.3'],
    ['', 'helo-missing', 10, '503 5.5.1'],
  ])('%j, %s at %i: %s', async (helo, id, weight, codes) => {
    expect(
      await replyTo('192.0.2.1', helo, [
        ['helo-changed', 0],
        ['helo-churn', 0],
        ['iprev-fail', 0],
        ['helo-dynamic', 0],
        [id, weight],
      ]),
    ).toMatch(new RegExp(`^${codes} \\[${id}\\]`));
  });

  it('names the page, the contact and the reference', async () => {
    const options = {
      helpUrl: 'https://dest.org/helo',
      contact: 'postmaster@dest.org',
      templates: new Map(),
    };
    expect(await replyTo('192.0.2.1', 'Jupiter', [], options, 'r1')).toBe(
      "550 5.7.1 [helo-not-fqdn] HELO Jupiter is not a fully qualified domain name; announce a public host name that leads to 192.0.2.1, or permits it by SPF, or announce [192.0.2.1], or use your provider's mail relay; also iprev-fail, helo-changed, helo-churn; see https://dest.org/helo#helo-not-fqdn; ask postmaster@dest.org (ref r1)",
    );
  });

  it.each<[string, string, [string, number][], string]>([
    [
      'several mechanisms that failed, by name (RFC 7372 §3.4)',
      'twice.sender.org',
      [],
      '550 5.7.26 [helo-spf-fail] HELO twice.sender.org: its SPF record does not permit 192.0.2.1 (-all of twice.sender.org); remove _client._smtp.twice.sender.org IN SRV 1 1 0 x.sender.org and put ip4:192.0.2.1 right after v=spf1 in twice.sender.org IN TXT and publish twice.sender.org IN A 192.0.2.1 and _client._smtp.twice.sender.org IN SRV 1 2 0 twice.sender.org., or announce [192.0.2.1], or ',
    ],
    [
      'one that counts',
      'twice.sender.org',
      [
        ['helo-csa-fail', 0],
        ['iprev-fail', 0],
      ],
      '550 5.7.23 [helo-spf-fail] ',
    ],
    ['a cause that is none', 'twice.sender.org', [['helo-churn', 99]], '550 5.7.1 [helo-churn] '],
    [
      'a delay',
      'twice.sender.org',
      [
        ['helo-spf-fail', 3],
        ['helo-csa-fail', 2],
        ['iprev-fail', 0],
      ],
      '450 4.7.1 [helo-spf-fail] ',
    ],
    [
      'an alias that leads nowhere',
      'nowhere.sender.org',
      [],
      '450 4.7.1 [helo-nxdomain] HELO nowhere.sender.org is an alias of gone.sender.org, which leads nowhere; remove nowhere.sender.org IN CNAME gone.sender.org and publish nowhere.sender.org IN A 192.0.2.1, or ',
    ],
    [
      'a character that is not allowed',
      'a!b.sender.org',
      [],
      "501 5.5.2 [helo-syntax] HELO a!b.sender.org is not a domain name: '!' is not allowed in a domain; ",
    ],
    [
      'one that a reply cannot hold',
      'a@b',
      [],
      '501 5.5.2 [helo-syntax] HELO a?b is not a domain name: an at sign is not allowed in a domain; ',
    ],
    [
      'a tag that is none',
      '[IPv5:x]',
      [],
      "501 5.5.2 [helo-literal-malformed] HELO [IPv5:x] is not an address literal: 'IPv5' is not a registered tag; ",
    ],
  ])('of %s', async (_, helo, weights, wanted) => {
    const rest: [string, number][] = [
      ['helo-changed', 0],
      ['helo-churn', 0],
    ];
    expect((await replyTo('192.0.2.1', helo, [...rest, ...weights])).slice(0, wanted.length)).toBe(wanted);
  });

  it('is ASCII whatever an operator’s own check says', async () => {
    const assessment = await assessed('192.0.2.1', 'Jupiter', ZONE);
    const spec = findings.get('helo-not-fqdn');
    if (spec === undefined) throw new Error('no such finding');
    const verdict = decide(assessment, makePolicy('rfc5321', findings));
    const specs = new Map([['helo-not-fqdn', { ...spec, reply: 'HELO {helo}: bitte ändern\r\n' }]]);
    expect(smtpReply(verdict, { assessment, findings: specs, words: PLAIN, reference: null })?.text).toBe(
      "[helo-not-fqdn] HELO Jupiter: bitte ?ndern??; announce a public host name that leads to 192.0.2.1, or permits it by SPF, or announce [192.0.2.1], or use your provider's mail relay; also iprev-fail",
    );
  });

  it.each<[string, string, [string, number][], RegExp]>([
    [
      'an address where there is none',
      'gone.sender.org',
      [],
      /; publish gone\.sender\.org IN A 192\.0\.2\.1, or publish gone\.sender\.org IN TXT "v=spf1 ip4:192\.0\.2\.1", or announce \[192/,
    ],
    [
      'a change of SPF, never a second record',
      'spf-fail.sender.org',
      [],
      /; put ip4:192\.0\.2\.1 right after v=spf1 in spf-fail\.sender\.org IN TXT, or announce/,
    ],
    [
      'a change of _auth',
      'auth.sender.org',
      [['helo-mismatch', 0]],
      /; put 192\.0\.2\.1, right after helo= in _auth\.auth\.sender\.org IN TXT/,
    ],
    [
      'nothing to publish under a reverse zone',
      '9.2.0.192.in-addr.arpa',
      [],
      /does not exist in DNS; announce a public host name that leads to 192\.0\.2\.1, or permits it by SPF, or announce \[192/,
    ],
    [
      'nothing where the operator refuses it',
      'a.sender.org',
      [['helo-denied', 10]],
      /^550 5\.7\.1 \[helo-denied\] HELO a\.sender\.org: go away; also [a-z, -]+$/,
    ],
    [
      'nothing that a weight of the operator forbids',
      '[10.0.0.1]',
      [['helo-literal', 20]],
      /^(?!.*or \[192)/,
    ],
  ])('tells %s', async (_, helo, weights, wanted) => {
    expect(await replyTo('192.0.2.1', helo, weights)).toMatch(wanted);
  });

  it.each([
    ['user@dest.test', ' ask postmaster@dest.test'],
    ['user@b\xc3\xbccher.test', ' ask postmaster@xn--bcher-kva.test'],
    ['"a b"@[192.0.2.9]', null],
    ['postmaster', null],
    ['u@(ref x).test', null],
  ])('of mail to %s names whom to ask: %s', async (recipient, wanted) => {
    const reply = await replyTo('192.0.2.1', 'Jupiter', [], PLAIN, 'r1', recipient);
    if (wanted === null) expect(reply).not.toContain('ask ');
    else expect(reply).toContain(`;${wanted} (ref r1)`);
    const own = { ...PLAIN, contact: 'us' };
    expect(await replyTo('192.0.2.1', 'Jupiter', [], own, 'r1', recipient)).toContain('; ask us (ref r1)');
  });

  it.each<[string, number, [reject: number, tempfail: number], string]>([
    ['Jupiter', 10, [504, 421], '504 5.7.1'],
    ['Jupiter', 5, [504, 421], '421 4.7.1'],
    ['this is Jupiter', 10, [550, 450], '550 5.5.2'],
  ])('%s, at %i, with the operator’s codes: %s', async (helo, weight, [reject, tempfail], wanted) => {
    const id = helo === 'Jupiter' ? 'helo-not-fqdn' : 'helo-syntax';
    const options = { ...PLAIN, codes: new Map([[id, { reject, tempfail }]]) };
    const others: [string, number][] = [
      ['iprev-fail', 0],
      ['helo-changed', 0],
      ['helo-churn', 0],
    ];
    expect((await replyTo('192.0.2.1', helo, [...others, [id, weight]], options)).slice(0, 9)).toBe(wanted);
  });

  it('a stranger’s records cannot look like our reference', async () => {
    const zone: Zone = {
      'x.sender.org': {
        A: ['198.51.100.1'],
        TXT: ['v=spf1 exists:(ref exists:forged) broken:', 'v=spf1 -all'],
      },
      '_client._smtp.x.sender.org': { SRV: [{ priority: 1, weight: 1, port: 0, target: '(ref forged)' }] },
    };
    const assessment = await assessed('192.0.2.1', 'x.sender.org', zone);
    const policy = makePolicy('strict', findings);
    const context = { assessment, findings, words: PLAIN, reference: 'true', policy };
    const text = smtpReply(decide(assessment, policy), context)?.text ?? '';
    expect([...text.matchAll(/\(ref ([^)]*)\)/g)].map(([, reference]) => reference)).toEqual(['true']);
    expect(text).toMatch(/^\[helo-csa-fail\] .* \(ref true\)$/);
  });

  it('is null for an acceptance', async () => {
    expect(await replyTo('192.0.2.1', 'a.sender.org', [['iprev-fail', 0]])).toBe('none');
  });

  it.each<[string, string, [string, number][], string]>([
    [
      'a host with nothing but a text: not an address that it cannot keep',
      'phone.sender.org',
      [],
      'announce a public host name that leads to 192.0.2.1, or publish phone.sender.org IN TXT "v=spf1 ip4:192.0.2.1", or announce [192.0.2.1], or use your provider\'s mail relay, or publish _auth.phone.sender.org IN TXT "method=none"',
    ],
    [
      'the same, refused for its stream',
      'phone.sender.org',
      [['stream-failed', 10]],
      'announce a public host name that leads to 192.0.2.1, or publish phone.sender.org IN TXT "v=spf1 ip4:192.0.2.1", or announce [192.0.2.1], or use your provider\'s mail relay, or publish _auth.phone.sender.org IN TXT "method=none"',
    ],
    [
      'the same, where it is no better to say nothing',
      'phone.sender.org',
      [['stream-unverified', 10]],
      'announce a public host name that leads to 192.0.2.1, or publish phone.sender.org IN TXT "v=spf1 ip4:192.0.2.1", or use your provider\'s mail relay',
    ],
    [
      'a host that only does not say who it is',
      'a.sender.org',
      [['stream-failed', 10]],
      'publish a.sender.org IN A 192.0.2.1, or publish a.sender.org IN TXT "v=spf1 ip4:192.0.2.1 a", or announce [192.0.2.1], or use your provider\'s mail relay, or publish _auth.a.sender.org IN TXT "method=none"',
    ],
    [
      'one that gives its own literal',
      '[192.0.2.1]',
      [['stream-unverified', 10]],
      "announce a public host name that leads to 192.0.2.1, or permits it by SPF, or use your provider's mail relay",
    ],
  ])('tells %s the same ways as a list does', async (_, helo, weights, wanted) => {
    const zone: Zone = {
      ...ZONE,
      'phone.sender.org': { TXT: ['mobile host'] },
    };
    const assessment = await assessed('192.0.2.1', helo, zone);
    const policy = makePolicy('rfc5321', findings, { weights: new Map(weights) });
    const verdict = decide(assessment, policy);
    const listed = waysFor(assessment, [{ verdict, policy }]).map(clauseOf).join(', or ');
    expect(listed).toBe(wanted);
    const reply = smtpReply(verdict, { assessment, findings, words: PLAIN, reference: null, policy });
    expect(reply?.text).toContain(`; ${listed}`);
  });

  it('tells what to do in general where no other way is known', async () => {
    const assessment = await assessed('192.0.2.8', 'a.sender.org', ZONE);
    const policy = makePolicy('rfc5321', findings, { weights: new Map([['iprev-other-name', 10]]) });
    const verdict = decide(assessment, policy);
    const ways = waysFor(assessment, [{ verdict, policy }]);
    expect(ways).toEqual([{ kind: 'other', text: 'announce that name, or change the PTR record' }]);
    expect(linesOf(ways[0] ?? { kind: 'relay' })).toEqual(['announce that name, or change the PTR record']);
  });

  it('stays one printable line of 512 octets, whatever the client says', async () => {
    const options = { helpUrl: `https://${'h'.repeat(112)}`, contact: 'c'.repeat(80), templates: new Map() };
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 600 }), async (helo) => {
        const reply = await replyTo('192.0.2.1', helo, [['helo-syntax', 1000]], options, 'r'.repeat(30));
        expect(reply).toMatch(/^[\x20-\x7e]*$/);
        expect(reply.length).toBeLessThanOrEqual(510);
      }),
      { numRuns: 200 },
    );
  });

  it('gives up first what helps least, as the room shrinks', async () => {
    const helo = `${'abc.'.repeat(15)}sender.org`;
    const assessment = await assessed('192.0.2.1', helo, ZONE);
    const policy = makePolicy('rfc5321', findings);
    const options = { ...PLAIN, contact: null, helpUrl: 'https://dest.test/helo' };
    const parts: Readonly<Record<string, string>> = {
      'the record': `; publish ${helo} IN A 192.0.2.1`,
      'the page': '; see https://dest.test/helo#helo-nxdomain',
      'whom to ask': '; ask postmaster@dest.test',
      'all of the cause': `HELO ${helo} does not exist in DNS`,
      'the other findings': '; also iprev-fail',
      'other things to do': ", or use your provider's mail relay",
    };
    const lost: string[] = [];
    for (let length = 0; length < 330; length++) {
      const reply = smtpReply(decide(assessment, policy), {
        ...{ assessment, findings, words: options, reference: 'r'.repeat(20), policy },
        address: 'x'.repeat(length),
        recipient: 'u@dest.test',
      });
      for (const [name, text] of Object.entries(parts)) {
        if (reply?.text.includes(text) !== true && !lost.includes(name)) lost.push(name);
      }
    }
    expect(lost).toEqual(Object.keys(parts).reverse());
  });

  it('tells the record whole or not at all, and always the reference', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 240 }),
        fc.integer({ min: 0, max: 80 }),
        async (labels, recipientLength, contactLength) => {
          const helo = `${'abc.'.repeat(labels)}sender.org`;
          const contact = contactLength === 0 ? null : 'c'.repeat(contactLength);
          const options = { ...PLAIN, contact, helpUrl: 'https://dest.test/helo' };
          const assessment = await assessed('192.0.2.1', helo, ZONE);
          const policy = makePolicy('rfc5321', findings);
          const reply = smtpReply(decide(assessment, policy), {
            ...{ assessment, findings, words: options, reference: 'r'.repeat(20), policy },
            address: 'x'.repeat(recipientLength),
            recipient: 'u@dest.test',
          });
          const text = reply?.text ?? '';
          expect(text).toMatch(/^\[helo-nxdomain\] HELO .{40,} \(ref r{20}\)$/);
          expect(`450 4.7.1 ${text}`.length + recipientLength + 4).toBeLessThanOrEqual(510);
          const record = /; publish (.*? IN A [^;,]*?)(?:;|,| \(ref)/.exec(text)?.[1];
          if (text.includes('publish')) expect(record).toBe(`${helo} IN A 192.0.2.1`);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('clean', () => {
  it.each([
    ['mail.example.org', 100, 'mail.example.org'],
    ['a\r\nb\0\xe9', 100, 'a??b??'],
    ['<a>"(b);@\\', 100, "?a?'?b????"],
    ['abcdefghij', 8, 'abcde...'],
  ])('%j to %i', (text, limit, wanted) => {
    expect(clean(text, limit)).toBe(wanted);
  });
});

describe('fill', () => {
  it('replaces names by evidence, once, and a missing one by a question mark', () => {
    expect(fill('{a} and {b}', { a: '{b}' })).toBe('{b} and ?');
  });
});

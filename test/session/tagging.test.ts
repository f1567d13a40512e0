/** What is done to Authentication-Results in messages, packet by packet. */
import { networkShare } from '../../src/service/network-share.ts';
import { describe, expect, it } from 'vitest';
import type { Resolver } from '../../src/core/resolver.ts';
import { findings } from '../../src/core/checks/index.ts';
import { makePolicy, type Policy } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import { Tagging, type TaggingOptions } from '../../src/session/tagging.ts';
import * as mta from '../support/mta.ts';
import { parsePrefix } from '../../src/core/ip.ts';
import { CLIENT, envelope, hello, list, service, type Setup, ZONE } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';

const rest = [mta.data, mta.header('Subject', 'x'), mta.endOfHeaders, mta.endOfMessage];
const forged = (text: string): Buffer => mta.header('Authentication-RESULTS', text);
const results = (options: Partial<TaggingOptions> = {}): { readonly authResults: TaggingOptions } => ({
  authResults: { authservId: 'mx.dest.org', forged: 'ours', ...options },
});
const tagging = results();

describe('Authentication-Results', () => {
  it('is put above all else of accepted mail', async () => {
    const { log, connection } = service(tagging);
    const { say } = connection();
    await say(...hello('mail.sender.org'));
    expect(await say(...envelope)).toEqual(['c', 'c']);
    const replies = await say(...rest);
    expect(replies.at(-2)).toMatch(/^i\|\|\|\|Authentication-Results\|mx\.dest\.org;\n\tx-helo=pass /);
    expect(replies.at(-1)).toBe('a');
    expect(log).toHaveLength(1);
  });

  it('takes the place of every field that pretends to be ours, message by message', async () => {
    const { say } = service(tagging).connection();
    await say(...hello('mail.sender.org'));
    await say(
      ...envelope,
      mta.data,
      forged('mx.dest.org; x-helo=pass'),
      forged('other.org; x-helo=pass'),
      forged('mx.dest.org; spf=pass'),
      mta.header('ARC-Authentication-Results', 'i=1; mx.dest.org; x-helo=pass'),
      forged('\n MX.dest.org 2; x-csa=pass'),
      mta.endOfHeaders,
    );
    const [last, first, added, reply] = await say(mta.endOfMessage);
    expect(last).toBe('m|||\x04Authentication-Results||');
    expect(first).toBe('m|||\x01Authentication-Results||');
    expect(added).toMatch(/^i/);
    expect(reply).toBe('a');
    await say(...envelope, mta.data, mta.endOfHeaders);
    expect(await say(mta.endOfMessage)).toHaveLength(2);
  });

  it('is also put on mail to postmaster from a client that is refused elsewhere', async () => {
    const { say } = service(tagging).connection();
    await say(...hello('gone.strange.org'), mta.mail('s@x'), mta.rcpt('postmaster@dest.test'));
    expect((await say(...rest)).at(-2)).toMatch(/x-helo=fail reason="helo-nxdomain[a-z -]*" /);
  });

  it('waits for a verdict that is late', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const zone = zoneResolver(ZONE);
    const resolver: Resolver = { lookup: async (name, type) => held.then(() => zone.lookup(name, type)) };
    const { say } = service({ ...tagging, resolver }).connection();
    await say(...hello('mail.sender.org'), mta.mail('s@x'), mta.rcpt('postmaster@dest.test'));
    expect(await say(...rest)).toEqual(['c', 'c', 'c']);
    release();
    expect((await say()).at(-1)).toBe('a');
  });

  it('is not put on the mail of exempt clients, whose events end at MAIL', async () => {
    const { say } = service(tagging).connection();
    await say(...hello('Jupiter', '127.0.0.1'));
    expect((await say(...envelope))[0]).toBe('a');
  });

  it('goes by the name of the MTA by default', async () => {
    const { say } = service({ authResults: { authservId: null, forged: 'ours' } }).connection();
    await say(mta.macros('C', { j: 'mx.from-mta.org' }), ...hello('mail.sender.org'), ...envelope);
    expect((await say(...rest)).at(-2)).toContain('|mx.from-mta.org;');
  });
});

describe('which fields go', () => {
  const values = [
    'mx.dest.org; x-helo=pass',
    'mx.dest.org; dkim=pass header.d=a.org',
    'other.org; x-helo=pass',
  ];

  it.each([
    ['ours', ['m|||\x01Authentication-Results||']],
    ['all', ['m|||\x02Authentication-Results||', 'm|||\x01Authentication-Results||']],
    ['none', []],
  ] as const)('%s', async (which, wanted) => {
    const { say } = service(results({ forged: which })).connection();
    await say(...hello('mail.sender.org'), ...envelope, mta.data, ...values.map(forged), mta.endOfHeaders);
    const replies = await say(mta.endOfMessage);
    expect(replies.filter((reply) => reply.startsWith('m'))).toEqual(wanted);
    expect(replies.at(-2)).toMatch(/^i/);
  });

  it('goes by our name and methods in long messages of such fields, where they are not read', async () => {
    const { say } = service(tagging).connection();
    await say(...hello('mail.sender.org'), ...envelope, mta.data);
    const honest = forged(`other.org; none (${'x'.repeat(70_000)})`);
    const others = ['other.org; none', 'mx.dest.org; none', 'other.org; x-helo=pass'].map(forged);
    // To know whether this is ours one would have to read it.
    const maybe = forged('mx.dest.org; spf=fail reason="x-helo=pass"');
    await say(honest, ...others, maybe, mta.endOfHeaders);
    const replies = await say(mta.endOfMessage);
    expect(replies.filter((reply) => reply.startsWith('m'))).toEqual(['m|||\x05Authentication-Results||']);
  });
});

describe('more forged fields than can be removed', () => {
  const recipients = (rule: string): RecipientPolicies =>
    new RecipientPolicies(parseRecipientRules(`own@dest.test ${rule}`, 'file'), (preset) =>
      makePolicy(preset, findings, { weights: new Map([['forged-results', 0]]) }),
    );
  const policy = (weight: number): Policy =>
    makePolicy('rfc5321', findings, { weights: new Map([['forged-results', weight]]) });
  const envelopeTo = (...to: string[]): Buffer[] => [mta.mail('s@sender.org'), ...to.map(mta.rcpt)];
  const REFUSED =
    'y550 5.7.1 [forged-results] HELO mail.sender.org: this message has 201 Authentication-Results fields in our name, mx.dest.org; remove them; ask us (ref ';

  async function hold(
    setup: Setup,
    to: readonly string[],
    count = 201,
  ): Promise<{ readonly replies: string[]; readonly log: string[] }> {
    const made = service({ ...tagging, ...setup });
    const { say } = made.connection();
    await say(...hello('mail.sender.org'), ...envelopeTo(...to), mta.data);
    await say(...Array.from({ length: count }, () => forged('mx.dest.org; x-helo=pass')), mta.endOfHeaders);
    const replies = await say(mta.endOfMessage);
    // The next message is judged by its own header.
    await say(...envelope, mta.data, mta.endOfHeaders);
    expect(await say(mta.endOfMessage)).toHaveLength(2);
    return { replies, log: made.log };
  }

  it('200 are removed', async () => {
    const { replies, log } = await hold({}, ['r@dest.test'], 200);
    expect(replies).toHaveLength(202);
    expect(replies.at(-1)).toBe('a');
    expect(log.join('\n')).not.toContain('forged-results');
  });

  it('is a decision like any other: reply, contact, reference and log line', async () => {
    const { replies, log } = await hold(
      { rules: { reply: { helpUrl: null, contact: 'us', templates: new Map() } } },
      ['r@dest.test'],
    );
    expect(replies).toHaveLength(1);
    expect(replies[0]).toContain(REFUSED);
    const reference = /\(ref (\S+)\)/.exec(replies[0] ?? '')?.[1];
    expect(log[1]).toMatch(
      /^decision client=\S+ helo=mail\.sender\.org action=reject verdict=reject score=10 cause=forged-results findings=forged-results:10 .* stage=message from=<s@sender\.org> end=refused ref=\S+$/,
    );
    expect(log[1]).toContain(`ref=${String(reference)}`);
  });

  it.each<[string, Setup, string[], RegExp]>([
    [
      'under --observe',
      { rules: { enforcement: { observe: true, percent: 100, shareOf: networkShare } } },
      ['r@dest.test'],
      / action=accept verdict=reject /,
    ],
    [
      'for networks that are only watched',
      { rules: { enforcement: { observe: false, percent: 0, shareOf: networkShare } } },
      ['r@dest.test'],
      / action=accept verdict=reject /,
    ],
    ['for postmaster', {}, ['Postmaster@dest.test'], / action=accept exempt=postmaster verdict=reject /],
    [
      'for abuse among others',
      {},
      ['r@dest.test', 'abuse@dest.test', 'q@dest.test'],
      / action=accept exempt=abuse verdict=reject /,
    ],
    [
      'for a recipient who wants everything',
      { rules: { recipients: recipients('off') } },
      ['own@dest.test', 'r@dest.test'],
      / exempt=opted-out /,
    ],
    [
      'for a recipient who does not mind',
      { rules: { recipients: recipients('strict') } },
      ['r@dest.test', 'own@dest.test'],
      / action=accept policy=strict verdict=accept /,
    ],
    [
      'for whom the access list allows',
      { rules: { access: list('allow mail.sender.org ip=198.51.100.0/24') } },
      ['r@dest.test'],
      / action=accept exempt=access verdict=reject /,
    ],
    [
      'where it weighs nothing',
      { rules: { policy: policy(0) } },
      ['r@dest.test'],
      / action=accept verdict=accept .*findings=forged-results:0 /,
    ],
  ])('never refuses %s: removes the first 200, tags and says so', async (_, setup, to, logged) => {
    const { replies, log } = await hold(setup, to);
    expect(replies).toHaveLength(202);
    expect(replies[0]).toBe(`m|||\xc8Authentication-Results||`);
    expect(replies.at(-2)).toMatch(/^i\|\|\|\|Authentication-Results\|mx\.dest\.org;/);
    expect(replies.at(-1)).toBe('a');
    expect(log.find((line) => line.includes(' stage=message '))).toMatch(logged);
  });

  it('is tempfailed where it weighs so much', async () => {
    const { replies } = await hold({ rules: { policy: policy(5) } }, ['r@dest.test']);
    expect(replies).toEqual([expect.stringMatching(/^y450 4\.7\.1 \[forged-results\]/)]);
  });
});

it.each<[string, Setup, Buffer[]]>([
  ['has logged in', {}, [mta.macros('M', { '{auth_authen}': 'bob' })]],
  ['is trusted', { rules: { trusted: [parsePrefix(CLIENT) ?? expect.fail()] } }, []],
])(
  'mail of a client that %s ends at MAIL: it is not tagged, and its fields are kept',
  async (_, setup, before) => {
    const { say } = service({ ...tagging, ...setup }).connection();
    await say(...hello('Jupiter'));
    expect(await say(...before, mta.mail('s@sender.org'))).toEqual(['a']);
  },
);

describe('where a message cannot be tagged', () => {
  it('without a name no field says localhost, no field goes, and it is told once', async () => {
    const { log, connection } = service(results({ authservId: null }));
    for (let i = 0; i < 3; i++) {
      const { say } = connection();
      await say(...hello('mail.sender.org'));
      // We need to know nothing that comes later.
      expect((await say(...envelope))[0]).toBe('a');
    }
    const { say } = connection();
    await say(...hello('mail.sender.org'), mta.mail('s@x'), mta.rcpt('postmaster@dest.test'));
    await say(mta.data, forged('localhost; x-helo=pass'), mta.endOfHeaders);
    expect(await say(mta.endOfMessage)).toEqual(['a']);
    expect(log.filter((line) => line.startsWith('untagged'))).toEqual(['untagged: no name']);
  });

  it.each([
    [255, true],
    [256, false],
    [1_000_000, false],
  ])('by a name of %i octets: tagged %j', (length, tagged) => {
    const told: string[] = [];
    const tagging = new Tagging({ authservId: null, forged: 'ours' }, (why) => told.push(why));
    const fields = tagging.begin({ macro: () => 'm'.repeat(length) });
    expect(fields !== null).toBe(tagged);
    expect(told).toEqual(tagged ? [] : ['no name']);
  });

  it.each([
    [0, 'ours', false],
    [0x01, 'ours', false],
    [0x10, 'ours', false],
    [0x11, 'ours', true],
    [0x01, 'none', true],
    [0x10, 'none', false],
  ] as const)(
    'by an MTA that grants the actions %i, with %s to remove: tagged %j',
    async (actions, which, tagged) => {
      const { log, connection } = service({ ...results({ forged: which }), actions });
      for (let i = 0; i < 2; i++) {
        const { say } = connection();
        await say(...hello('mail.sender.org'), mta.mail('s@x'), mta.rcpt('postmaster@dest.test'));
        await say(mta.data, forged('other.org; x'), mta.endOfHeaders);
        expect((await say(mta.endOfMessage)).map((reply) => reply.charAt(0))).toEqual(
          tagged ? ['i', 'a'] : ['a'],
        );
      }
      expect(log.filter((line) => !line.startsWith('decision'))).toEqual(
        tagged ? [] : ['untagged: no changes'],
      );
    },
  );
});

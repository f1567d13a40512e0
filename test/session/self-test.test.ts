/** Mail to the address of a self-test, through whole sessions: what it answers, and what it leaves alone. */
import { describe, expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { parsePrefix } from '../../src/core/ip.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { SELF_TEST_LIMIT } from '../../src/policy/self-test.ts';
import { ChurnCounter } from '../../src/state/churn.ts';
import { NetworkLimit } from '../../src/state/network-limit.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import * as mta from '../support/mta.ts';
import { CLIENT, hello, list, service, type Setup } from '../support/service.ts';

const TEST = 'helotest@dest.test';
const ASKED: Partial<Rules> = {
  selfTest: [
    { local: 'helotest', domain: 'dest.test' },
    { local: 'strict', domain: 'xn--bcher-kva.test' },
  ],
};
const strict = new RecipientPolicies(
  parseRecipientRules('strict@xn--bcher-kva.test strict\ndest.test off', 'list'),
  (preset) => makePolicy(preset, findings),
);

interface Sent {
  readonly helo?: string;
  readonly ip?: string;
  readonly to?: readonly string[];
  readonly login?: boolean;
}

function start(rules: Partial<Rules> = {}, more: Setup = {}) {
  const { log, connection } = service({ rules: { ...ASKED, ...rules }, ...more });
  /** What each recipient is told; then the message goes on, or is given up. */
  const send = async ({ helo = 'gone.strange.org', ip = CLIENT, to = [TEST], login = false }: Sent = {}) => {
    const { say } = connection();
    await say(...hello(helo, ip));
    await say(mta.macros('M', login ? { '{auth_authen}': 'bob' } : {}), mta.mail('s@x.org'));
    const replies = await say(...to.map((each) => mta.rcpt(each)));
    await say(
      ...(replies.includes('c') ? [mta.data, mta.endOfHeaders, mta.endOfMessage] : [mta.abort]),
      mta.packet('Q'),
    );
    return replies;
  };
  return { log, send };
}

describe('a self-test', () => {
  it.each<[string, Sent, Partial<Rules>, RegExp]>([
    [
      'that finds nothing',
      { helo: 'mail.sender.org' },
      {},
      /^y550-5\.7\.1 \[self-test\] 198\.51\.100\.7 as mail\.sender\.org: its mail is let in, and nothing is held against it \(score 0, delayed from 5, refused from 10; stream verified\)\r\n550 5\.7\.1 This address only answers, and keeps no mail; ask postmaster@dest\.test \(ref \S+\)\|$/,
    ],
    [
      'of what is delayed',
      { ip: '203.0.113.9' },
      {},
      /: its mail is delayed \(score 7, .*\r\n550-5\.7\.1 \[helo-nxdomain\] HELO gone\.strange\.org does not exist in DNS \(5\)\r\n550-5\.7\.1 {3}to do: publish gone\.strange\.org IN A 203\.0\.113\.9\r\n[^]*\r\n550-5\.7\.1 {3}or announce \[203\.0\.113\.9\]\r\n[^]*\r\n550-5\.7\.1 \[iprev-none\] [^\n]*\r\n550-5\.7\.1 {3}to do: /,
    ],
    [
      'of what is let in all the same',
      { helo: 'mx.dest.org', ip: '203.0.113.9' },
      {},
      /: its mail is let in \(score 2, .*\[iprev-none\] .*to do: publish mx\.dest\.org IN A 203\.0\.113\.9\r/s,
    ],
    ['of what is refused', { helo: 'Jupiter' }, {}, /: its mail is refused \(score 10, .*\[helo-not-fqdn\]/s],
    [
      'while we only watch',
      { helo: 'Jupiter' },
      { enforcement: { observe: true, percent: 100, shareOf: () => 0 } },
      /: its mail is let in while we only watch, and would be refused \(score 10/,
    ],
    [
      'that is let through at MAIL otherwise',
      { helo: 'mail.sender.org' },
      { applyAt: 'mail' },
      /: its mail is let in, and nothing/,
    ],
    [
      'at the address of another policy',
      { to: ['STRICT@Bücher.test'.replace('ü', '\u00c3\u00bc')], helo: 'other.sender.org' },
      { recipients: strict },
      /\[helo-mismatch\]/,
    ],
    [
      'in a domain that takes mail from everybody',
      { helo: 'Jupiter' },
      { recipients: strict },
      /: its mail is refused /,
    ],
    [
      'of a trusted client',
      { helo: 'Jupiter', ip: '203.0.113.9' },
      { trusted: [parsePrefix('203.0.113.0/24') ?? expect.fail()] },
      /: this client is exempt here, because it is in a network of --trust: nothing is held against it\r\n/,
    ],
    ['of this host', { helo: 'Jupiter', ip: '127.0.0.1' }, {}, /exempt here, because it is this host:/],
    [
      'of a client that has logged in',
      { helo: 'Jupiter', login: true },
      {},
      /because the client has logged in: nothing is held against it; for others it would be as follows\r\n[^\n]*\[helo-not-fqdn\]/,
    ],
    [
      'of one that the list allows',
      { helo: 'Jupiter' },
      { access: list('allow Jupiter ip=198.51.100.7') },
      /because a line of the access list allows it: /,
    ],
    [
      'of one that the list denies',
      { helo: 'mail.sender.org' },
      { access: list('deny mail.sender.org text="not you"') },
      /\[helo-denied\] HELO mail\.sender\.org: not you/,
    ],
  ])('%s', async (_, sent, rules, wanted) => {
    const { log, send } = start(rules);
    const [reply = ''] = await send(sent);
    expect(reply).toMatch(wanted);
    for (const line of reply.split('\r\n')) expect(line.length).toBeLessThan(511);
    expect(log.filter((line) => !line.startsWith('self-test '))).toEqual([]);
    expect(log).toHaveLength(1);
  });

  it.each(['"helotest"@dest.test', 'HELOTEST@Dest.Test.', '@relay.test:helotest@dest.test'])(
    'takes %s for its address',
    async (to) => {
      expect((await start().send({ to: [to] }))[0]).toMatch(/^y550-.*self-test/);
    },
  );

  it.each(['helotest+x@dest.test', 'xhelotest@dest.test', 'helotest@x.dest.test', 'helotest'])(
    'does not take %s for it',
    async (to) => {
      expect((await start().send({ helo: 'mail.sender.org', to: [to] }))[0]).toBe('c');
    },
  );

  it.each<[string, Sent, Partial<Rules>, Setup]>([
    ['a good name', { helo: 'mail.sender.org' }, {}, {}],
    [
      'a good name, tagged',
      { helo: 'mail.sender.org' },
      {},
      { authResults: { authservId: 'mx', forged: 'ours' } },
    ],
    ['a good name, at MAIL', { helo: 'mail.sender.org' }, { applyAt: 'mail' }, {}],
    ['a bad name', {}, {}, {}],
    [
      'a bad name that is watched',
      {},
      { enforcement: { observe: true, percent: 100, shareOf: () => 0 } },
      {},
    ],
    ['a login', { helo: 'Jupiter', login: true }, {}, { authResults: { authservId: 'mx', forged: 'ours' } }],
    ['this host', { ip: '127.0.0.1' }, {}, {}],
    ['an allow line', { helo: 'Jupiter' }, { access: list('allow Jupiter ip=198.51.100.7') }, {}],
    ['policies of recipients', { helo: 'other.sender.org' }, { recipients: strict }, {}],
  ])('beside others leaves them what they were: %s', async (_, sent, rules, more) => {
    const others = ['a@x.test', 'strict@xn--bcher-kva.test', 'postmaster@x.test'];
    const off = start({ ...rules, selfTest: [] }, more);
    const told = await off.send({ ...sent, to: others });
    const rest = { ...rules, selfTest: ASKED.selfTest?.slice(0, 1) ?? [] };
    for (const at of [0, 1, 3]) {
      const on = start(rest, more);
      const got = await on.send({ ...sent, to: [...others.slice(0, at), TEST, ...others.slice(at)] });
      expect(got[at]).toMatch(/^y550-.*self-test/);
      const rights = (replies: readonly string[]): string[] =>
        replies.map((each) => (each === 'a' ? 'c' : each.replace(/\(ref .*/, '')));
      // Whoever is let in for all is not asked about again.
      expect(rights(got.toSpliced(at, 1)).slice(0, told.length)).toEqual(rights(told));
      const plain = (lines: readonly string[]): string[] =>
        lines.filter((line) => !line.startsWith('self-test ')).map((line) => line.replace(/ ref=.*/, ''));
      expect(plain(on.log)).toEqual(plain(off.log));
    }
  });

  it('costs nothing of the limits, and is limited itself', async () => {
    const limit = { count: 1, ageMs: 0 };
    let time = 0;
    const now = (): number => time;
    const budget = new TempfailBudget(() => limit, now);
    const streamLimits = new Map([['failed', { count: 1, ageMs: 3_600_000, time: '1h' }]] as const);
    const churn = new ChurnCounter({
      limits: () => ({ windowMs: 3_600_000, maxNames: 50, maxClients: 100 }),
      now,
    });
    const { log, send } = start(
      { churnLimit: 3, streamLimits },
      { now, budget, churn, selfTests: new NetworkLimit(now) },
    );
    for (let i = 0; i < SELF_TEST_LIMIT.count; i++)
      expect((await send({ helo: `gone${i}.strange.org` }))[0]).toMatch(/^y550-.*delayed \(score 5/);
    expect(await send({ ip: '198.51.100.99', helo: 'mail.sender.org' })).toEqual([
      'y450 4.7.1 [self-test] your network has asked 20 times in 10 minutes; try again later|',
    ]);
    expect(log.at(-1)).toBe('self-test mail.sender.org limited undefined null');
    expect((await send({ ip: '203.0.113.9' }))[0]).toMatch(/^y550-/);
    time += SELF_TEST_LIMIT.ageMs;
    expect((await send({ helo: 'mx.dest.org' }))[0]).toMatch(/^y550-/);
    // The first real message is delayed, not let in for having been delayed before.
    expect((await send({ to: ['a@x.test'] }))[0]).toMatch(/^y450 4\.7\.1 \[helo-nxdomain\]/);
    expect(await send({ helo: 'mx.dest.org', to: ['a@x.test'] })).toEqual(['c']);
    expect((await send({ helo: 'mx.dest.org', to: ['a@x.test'] }))[0]).toMatch(/\[stream-limit\]/);
  });
});

describe('a name that was tried', () => {
  type Connection = () => { readonly say: (...packets: Buffer[]) => Promise<string[]> };
  const trial = [mta.mail('s@x.org'), mta.rcpt(TEST), mta.abort];
  const mail = [mta.mail('s@x.org'), mta.rcpt('a@x.test'), mta.abort];
  const end = mta.packet('Q');

  it.each<[string, boolean, (connection: Connection, helo: Buffer[], name: string) => Promise<unknown>]>([
    ['and no more, does not count', false, (connection, helo) => connection().say(...helo, ...trial, end)],
    [
      'and said again after STARTTLS, does not count',
      false,
      (connection, helo, name) => connection().say(...helo, mta.helo(name), ...trial, end),
    ],
    [
      'counts if another session sends mail meanwhile',
      true,
      async (connection, helo) => {
        const { say } = connection();
        await say(...helo, ...trial);
        await connection().say(...helo, ...mail, end);
        await say(end);
      },
    ],
    [
      'counts if another session sent mail before it was tried',
      true,
      async (connection, helo) => {
        const { say } = connection();
        await say(...helo);
        await connection().say(...helo, ...mail, end);
        await say(...trial, end);
      },
    ],
    [
      'counts if it is said again and mail is sent',
      true,
      (connection, helo, name) => connection().say(...helo, ...trial, mta.helo(name), ...mail, end),
    ],
    [
      'counts if the network has asked too often',
      true,
      async (connection, helo, name) => {
        if (name.startsWith('gone0')) {
          const { say } = connection();
          await say(...hello('mail.sender.org'));
          for (let i = 0; i < SELF_TEST_LIMIT.count; i++) await say(...trial);
        }
        await connection().say(...helo, ...trial, end);
      },
    ],
  ])('%s', async (_, counts, use) => {
    const { log, connection } = service({ rules: { ...ASKED, churnLimit: 3 } });
    for (let i = 0; i < 4; i++) {
      const name = `gone${i}.strange.org`;
      await use(connection, hello(name), name);
    }
    await connection().say(...hello('mail.sender.org'), ...mail, end);
    expect(log.at(-1)?.includes('helo-churn')).toBe(counts);
  });
});

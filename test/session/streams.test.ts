/** The streams as levers, through whole sessions: what one network may send, and who is free. */
import { beforeEach, describe, expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import type { Rules, StreamLimit } from '../../src/policy/rules.ts';
import { NetworkLimit } from '../../src/state/network-limit.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import * as mta from '../support/mta.ts';
import { CLIENT, hello, list, service, type Setup, codeOf } from '../support/service.ts';

const TWO: StreamLimit = { count: 2, ageMs: 3_600_000, time: '1h' };
const LIMITS = { streamLimits: new Map([['failed', TWO]] as const) };
const OVER = '450 stream-limit';
/** Resolves, and not to the client. */
const FAILED = 'mx.dest.org';

let time = 0;
beforeEach(() => {
  time = 0;
});

type Send = (...recipients: string[]) => Promise<string[]>;

function start(
  rules: Partial<Rules> = {},
  more: Setup = {},
): { log: string[]; from: (ip?: string, helo?: string) => Send } {
  const now = (): number => time;
  const { log, connection } = service({
    now,
    rules: { ...LIMITS, ...rules },
    streams: new NetworkLimit(now),
    ...more,
  });
  return {
    log,
    from:
      (ip = CLIENT, helo = FAILED) =>
      async (...recipients) => {
        const { say } = connection();
        await say(...hello(helo, ip));
        const [, ...replies] = await say(
          mta.mail('s@x.org'),
          ...recipients.map((each) => mta.rcpt(each)),
          mta.abort,
        );
        return replies.map(codeOf);
      },
  };
}

describe('a limit of the stream failed', () => {
  it('takes so many messages of a network in its time, whatever the address', async () => {
    const { log, from } = start();
    const told = [];
    for (const [minutes, last] of [
      [0, 7],
      [10, 8],
      [20, 7],
      [59, 9],
      [60, 7],
      [61, 8],
      [62, 9],
    ] as const) {
      time = minutes * 60_000;
      told.push((await from(`198.51.100.${last}`)('r@dest.test'))[0]);
    }
    expect(told).toEqual(['a', 'a', OVER, OVER, 'a', 'a', OVER]);
    expect(log[1]).toMatch(/ action=accept verdict=accept .* stream=failed stream_limit=within /);
    expect(log[2]).toMatch(
      / action=tempfail verdict=accept .* cause=stream-limit .* stream=failed stream_limit=over .* end=refused /,
    );
    expect(await from('192.0.2.9')('r@dest.test')).toEqual(['a']);
  });

  it('tells the ways out', async () => {
    const { connection } = service({ rules: { streamLimits: new Map([['failed', { ...TWO, count: 1 }]]) } });
    const last = async (): Promise<string> => {
      const { say } = connection();
      return (await say(...hello(FAILED), mta.mail('s@x'), mta.rcpt('r@y'), mta.abort)).at(-1) ?? '';
    };
    await last();
    expect(await last()).toMatch(
      /^y450 4\.7\.1 \[stream-limit\] HELO mx\.dest\.org: this host does not say who it is, and of such hosts in your network no more than 1 messages are taken in 1h; try again later; publish mx\.dest\.org IN A 198\.51\.100\.7, or publish mx\.dest\.org IN TXT "v=spf1 ip4:198\.51\.100\.7 a", or announce mail\.sender\.org, or announce \[198\.51\.100\.7\], or use your provider's mail relay, or publish _auth\.mx\.dest\.org IN TXT "method=none"; ask postmaster@y \(ref /,
    );
  });

  it.each([
    ['mail.sender.org', CLIENT],
    [`[${CLIENT}]`, CLIENT],
  ])('does not touch %s', async (helo, ip) => {
    const { from } = start();
    for (let i = 0; i < 4; i++) expect(await from(ip, helo)('r@dest.test')).not.toContain(OVER);
  });

  it('counts a message once, however many recipients it has', async () => {
    const { from } = start();
    for (const wanted of ['c', 'c', OVER]) {
      const replies = await from()('postmaster@dest.test', 'a@dest.test', 'b@dest.test');
      expect(replies.filter((each) => each === OVER)).toHaveLength(wanted === OVER ? 2 : 0);
    }
  });

  it('leaves postmaster and abuse free, and does not count them', async () => {
    const { from } = start();
    for (let i = 0; i < 5; i++)
      expect(await from()('postmaster@dest.test', 'abuse@dest.test')).toEqual(['c', 'c']);
    expect(await from()('r@dest.test')).toEqual(['a']);
    expect(await from()('r@dest.test')).toEqual(['a']);
    expect(await from()('postmaster@dest.test', 'r@dest.test')).toEqual(['c', OVER]);
  });

  it('leaves clients free that are never refused, or that the access list allows', async () => {
    const trusting = start();
    for (let i = 0; i < 4; i++) expect(await trusting.from('127.0.0.1')('r@dest.test')).not.toContain(OVER);
    const allowing = start({ access: list(`allow * ip=${CLIENT}`) });
    for (let i = 0; i < 4; i++) expect(await allowing.from()('r@dest.test')).toEqual(['a']);
  });

  it('does not count what is refused anyway', async () => {
    const { from } = start();
    for (let i = 0; i < 4; i++)
      expect(await from(CLIENT, 'Jupiter')('r@dest.test')).toEqual(['550 helo-not-fqdn']);
    expect(await from()('r@dest.test')).toEqual(['a']);
  });

  it('delays nothing where we only watch, and tells what would be done', async () => {
    const { log, from } = start({ enforcement: { observe: true, percent: 100, shareOf: () => 50 } });
    for (let i = 0; i < 3; i++) expect(await from()('r@dest.test')).toEqual(['a']);
    expect(log.map((line) => / action=accept .* stream_limit=(\w+)/.exec(line)?.[1])).toEqual([
      'within',
      'within',
      'over',
    ]);
  });

  it('uses up nothing of the tempfail limit', async () => {
    const budget = new TempfailBudget(
      () => ({ count: 1, ageMs: 0 }),
      () => time,
    );
    const { from } = start({}, { budget });
    for (let i = 0; i < 6; i++) await from()('r@dest.test');
    const weights = new Map([['helo-mismatch', 5]]);
    const after = start(
      { streamLimits: new Map(), policy: makePolicy('rfc5321', findings, { weights }) },
      { budget },
    );
    expect(await after.from()('r@dest.test')).toEqual(['450 helo-mismatch']);
  });

  it('counts nothing while the resolver is out of order', async () => {
    const { from } = start({}, { wasDnsIll: () => true });
    for (let i = 0; i < 4; i++) expect(await from()('r@dest.test')).not.toContain(OVER);
  });
});

/** Sessions whose records are mixed in a log are judged as each would be by itself. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checks, findings } from '../../src/core/checks/index.ts';
import { parseIp } from '../../src/core/ip.ts';
import { actionOf } from '../../src/decisions/decision.ts';
import { readRecord } from '../../src/decisions/record-reader.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import { isWelcome } from '../../src/decisions/welcome.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { pastOf } from '../../src/report/earlier-mail.ts';
import { Replayer } from '../../src/report/replayer.ts';
import { UnderWay } from '../../src/report/under-way.ts';
import { NetworkLimit } from '../../src/state/network-limit.ts';
import { RampTable } from '../../src/state/ramp-table.ts';
import { Regulars } from '../../src/state/regulars.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import * as mta from '../support/mta.ts';
import { hello, RULES, service, ZONE } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIMIT = { count: 2, ageMs: 5 * MINUTE };
const REGULARS = { messages: 2, days: 1 };
const WIDTH = { 4: 32, 6: 64 } as const;
const ramps = new Map([['helo-not-fqdn', { count: 2, ageMs: 5 * MINUTE }]]);
const rules: Rules = {
  ...RULES,
  policy: makePolicy('rfc5321', findings, { ramps }),
  streamLimits: new Map([['failed', { count: 3, ageMs: 9 * MINUTE, time: '9m' }]]),
  recipients: new RecipientPolicies(
    parseRecipientRules('strict.test strict\nemail.test emailcore', 'list'),
    (preset) => makePolicy(preset, findings, { ramps }),
  ),
};

interface Turn {
  /** Of several connections that are open at the same time. */
  readonly connection: number;
  readonly to: readonly string[];
}

const HELOS = ['gone.strange.org', 'mail.sender.org', 'Jupiter', 'gone.strange.org'];

/** What was done, told as the log has it, and the lines of the log. */
async function mixed(turns: readonly Turn[]): Promise<{ done: unknown[]; lines: string[] }> {
  let time = 0;
  const now = (): number => time;
  const regulars = new Regulars(
    () => REGULARS,
    () => WIDTH,
    now,
  );
  const done: unknown[] = [];
  const lines: string[] = [];
  const { connection } = service({
    resolver: zoneResolver(ZONE),
    rules,
    now,
    wallClock: now,
    ramps: new RampTable(now),
    streams: new NetworkLimit(now),
    isRegular: (ip, helo) => regulars.has(ip, helo),
    budget: new TempfailBudget(() => LIMIT, now),
    authResults: { authservId: 'mx.dest.org', forged: 'ours' },
    decided: (decision) => {
      const { judged, helo, exempt, limit } = decision;
      const ip = judged?.assessment.client.ip ?? null;
      if (ip !== null && isWelcome(decision)) regulars.learn(parseIp(ip.text) ?? expect.fail(), helo);
      done.push([actionOf(decision), exempt, limit, exempt === null && judged?.verdict.score]);
      lines.push(decisionRecord(decision, new Date(time).toISOString(), null));
    },
  });
  const open = HELOS.map(() => connection());
  for (const [i, helo] of HELOS.entries()) await open[i]?.say(...hello(helo, '203.0.113.9'));
  for (const { connection: i, to } of turns) {
    time += MINUTE;
    const { say } = open[i] ?? expect.fail();
    await say(mta.macros('M', { j: 'mx.dest.org' }), mta.mail('s@sender.org'));
    const replies = await say(...to.map((each) => mta.rcpt(each)));
    if (replies.some((reply) => reply === 'c')) await say(mta.data, mta.endOfHeaders, mta.endOfMessage);
    else await say(mta.abort);
  }
  return { done, lines };
}

function replayed(lines: readonly string[]): unknown[] {
  const past = pastOf({ tempfailLimit: LIMIT, regulars: REGULARS, regularsNetwork: WIDTH });
  const replayer = new Replayer({ rules, past });
  return lines.flatMap((line) =>
    replayer
      .replay(readRecord(line, checks))
      .parts.map(({ action, exempt, limit, judged }) => [
        action,
        exempt,
        limit,
        exempt === null && judged?.verdict.score,
      ]),
  );
}

const someTurns = fc.array(
  fc.record({
    connection: fc.nat(HELOS.length - 1),
    to: fc.uniqueArray(fc.constantFrom('a@dest.test', 'b@strict.test', 'c@email.test'), { minLength: 1 }),
  }),
  { minLength: 1, maxLength: 16 },
);

it('as the service judged them', async () => {
  await fc.assert(
    fc.asyncProperty(someTurns, async (turns) => {
      const { done, lines } = await mixed(turns);
      expect(replayed(lines)).toEqual(done);
    }),
    { numRuns: 30 },
  );
}, 60_000);

it('where another process has written between two records of a message', async () => {
  await fc.assert(
    fc.asyncProperty(someTurns, async (turns) => {
      const { done, lines } = await mixed(turns);
      const other = JSON.stringify({
        ...(JSON.parse(lines[0] ?? expect.fail()) as object),
        reference: 'other.1',
        exempt: 'authenticated',
        judged: null,
      });
      const got = replayed(lines.flatMap((line) => [line, other]));
      expect(got.filter((_, i) => i % 2 === 0)).toEqual(done);
    }),
    { numRuns: 30 },
  );
}, 60_000);

it('forgets a session an hour after its last record, and the oldest where there are too many', () => {
  const sessions = new UnderWay<string>(2);
  sessions.set('a', 'first', 0);
  sessions.set('a', 'second', HOUR);
  expect(sessions.get('a', 2 * HOUR)).toBe('second');
  expect(sessions.get('a', 2 * HOUR + 1)).toBeNull();
  sessions.set('b', 'b', 2 * HOUR + 1);
  expect(sessions.size).toBe(1);
  sessions.set('c', 'c', 2 * HOUR + 1);
  sessions.set('d', 'd', 2 * HOUR + 1);
  expect(['b', 'c', 'd'].map((each) => sessions.get(each, 2 * HOUR + 1))).toEqual([null, 'c', 'd']);
});

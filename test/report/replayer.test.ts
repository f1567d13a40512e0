/**
 * Replay says what other rules would have done: compared with the service itself, to which the same traffic
 * is sent under those rules.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pastOf } from '../../src/report/earlier-mail.ts';
import { PRESETS } from '../../src/core/check.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { type Unproved, UNPROVED } from '../../src/core/checks/stream.ts';
import { parseIp, parsePrefix } from '../../src/core/ip.ts';
import { actionOf, type Decision } from '../../src/decisions/decision.ts';
import { readRecord } from '../../src/decisions/record-reader.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import { isWelcome } from '../../src/decisions/welcome.ts';
import type { Judged } from '../../src/policy/judge.ts';
import { makePolicy, type Ramp } from '../../src/policy/policy.ts';
import { settles } from '../../src/policy/weight.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import type { Rules } from '../../src/policy/rules.ts';
import type { Replayed } from '../../src/report/replayed.ts';
import { Replayer } from '../../src/report/replayer.ts';
import { networkShare } from '../../src/service/network-share.ts';
import { NetworkLimit } from '../../src/state/network-limit.ts';
import { RampTable } from '../../src/state/ramp-table.ts';
import { Regulars, type RegularsLimit } from '../../src/state/regulars.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import * as mta from '../support/mta.ts';
import { hello, list, RULES, service, ZONE } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';

interface Message {
  readonly client: string;
  readonly helo: string;
  /** The name given before, in the same connection. */
  readonly before: string | null;
  readonly to: readonly string[];
  readonly login: boolean;
  /** Forged fields, too many to be removed. */
  readonly forged: boolean;
}

const LIMIT = { count: 2, ageMs: 3_600_000 };
const WIDTH = { 4: 32, 6: 64 } as const;
/** More to hunt for faults. */
const RUNS = Number(process.env['REPLAY_RUNS'] ?? 30);
/** Hundreds of sessions. */
const TIMEOUT_MS = 10_000 * Math.max(30, RUNS);
/** Milliseconds between two messages. */
const STEP_MS = 1_000_000;

interface Live {
  /** Whether the text alone may decide. */
  readonly settling?: boolean;
  readonly regulars?: RegularsLimit | null;
  /** Clients and names that had mail accepted before. */
  readonly known?: readonly (readonly [ip: string, helo: string])[];
}

/** The traffic, sent to a service under these rules: its decisions, and their records. */
async function live(
  rules: Rules,
  traffic: readonly Message[],
  { settling = false, regulars = null, known = [] }: Live = {},
): Promise<{ readonly decisions: readonly Decision[]; readonly lines: readonly string[] }> {
  let time = 0;
  const now = (): number => time;
  const familiar = new Regulars(
    () => regulars,
    () => WIDTH,
    now,
  );
  for (const [ip, helo] of known) familiar.learn(parseIp(ip) ?? expect.fail(), helo);
  const decisions: Decision[] = [];
  const lines: string[] = [];
  const { connection } = service({
    resolver: zoneResolver(ZONE),
    rules,
    now,
    settles: settling ? (found) => settles(found, rules.policy) : undefined,
    wallClock: now,
    ramps: new RampTable(now),
    streams: new NetworkLimit(now),
    isRegular: (ip, helo) => familiar.has(ip, helo),
    budget: new TempfailBudget(() => LIMIT, now),
    rehearsedBudget: new TempfailBudget(() => LIMIT, now),
    authResults: { authservId: 'mx.dest.org', forged: 'ours' },
    decided: (decision) => {
      decisions.push(decision);
      const ip = decision.judged?.assessment.client.ip ?? null;
      if (ip !== null && isWelcome(decision)) familiar.learn(ip, decision.helo);
      lines.push(decisionRecord(decision, new Date(time).toISOString(), null));
    },
  });
  for (const { client, helo, before, to, login, forged } of traffic) {
    time += STEP_MS;
    const { say } = connection();
    await say(...hello(before ?? helo, client), ...(before === null ? [] : [mta.helo(helo)]));
    await say(
      mta.macros('M', { j: 'mx.dest.org', ...(login ? { '{auth_authen}': 'bob' } : {}) }),
      mta.mail('s@sender.org'),
    );
    const replies = await say(...to.map((each) => mta.rcpt(each)));
    if (!replies.some((reply) => reply === 'c')) {
      await say(mta.abort);
      continue;
    }
    const fields = Array.from({ length: forged ? 201 : 0 }, () =>
      mta.header('Authentication-Results', 'mx.dest.org; x-helo=pass'),
    );
    await say(mta.data, ...fields, mta.endOfHeaders, mta.endOfMessage);
  }
  return { decisions, lines };
}

/** What was done for whom. */
interface Effect {
  readonly to: readonly string[];
  readonly action: string;
  readonly exempt: string | null;
  readonly score: number | null;
  readonly cause: string | null;
  readonly limit: string | null;
  readonly ramp: string | null;
  readonly streamLimit: string | null;
}

const bounds = (exempt: string | null, judged: Judged | null): Pick<Effect, 'ramp' | 'streamLimit'> => ({
  ramp: exempt === null ? (judged?.ramp ?? null) : null,
  streamLimit: exempt === null ? (judged?.streamLimit ?? null) : null,
});

const asDone = (decision: Decision): Effect => ({
  to: decision.recipients,
  action: actionOf(decision),
  exempt: decision.exempt,
  // An exemption is told once for recipients of several policies: the verdict beside it means nothing.
  score: decision.exempt === null ? (decision.judged?.verdict.score ?? null) : null,
  cause: decision.exempt === null ? (decision.judged?.verdict.cause?.id ?? null) : null,
  limit: decision.limit,
  ...bounds(decision.exempt, decision.judged),
});

const asReplayed = ({ parts }: Replayed): Effect[] =>
  parts.map(({ recipients, action, exempt, judged, limit }) => ({
    to: recipients,
    action,
    exempt,
    score: exempt === null ? (judged?.verdict.score ?? null) : null,
    cause: exempt === null ? (judged?.verdict.cause?.id ?? null) : null,
    limit,
    ...bounds(exempt, judged),
  }));

function replayed(lines: readonly string[], rules: Rules, regulars: RegularsLimit | null = null): Replayed[] {
  const past = pastOf({ tempfailLimit: LIMIT, regulars, regularsNetwork: WIDTH });
  const replayer = new Replayer({ rules, past });
  return lines.map((line) => replayer.replay(readRecord(line, checks)));
}

const recipientsOf = (ramps: ReadonlyMap<string, Ramp>): RecipientPolicies =>
  new RecipientPolicies(
    parseRecipientRules('strict.test strict\noff@dest.test off\nemail.test emailcore', 'list'),
    (preset) => makePolicy(preset, findings, { ramps }),
  );

interface Settings {
  readonly preset: (typeof PRESETS)[number];
  readonly rejectAt: number;
  readonly weights: Readonly<Record<string, number>>;
  readonly observe: boolean;
  readonly percent: number;
  readonly access: string;
  readonly own: boolean;
  readonly trusted: boolean;
  readonly ours: boolean;
  readonly shadow: (typeof PRESETS)[number] | null;
  readonly churnLimit: number;
  readonly ramps: readonly string[];
  readonly streamLimits: readonly Unproved[];
  readonly streamCount: number;
  readonly regulars: RegularsLimit | null;
}

const RAMP: Ramp = { count: 2, ageMs: 3 * STEP_MS };

const someSettings: fc.Arbitrary<Settings> = fc.record({
  preset: fc.constantFrom(...PRESETS),
  rejectAt: fc.integer({ min: 5, max: 14 }),
  weights: fc.dictionary(fc.constantFrom(...findings.keys()), fc.integer({ min: 0, max: 12 }), {
    maxKeys: 4,
  }),
  observe: fc.boolean(),
  percent: fc.constantFrom(0, 50, 100),
  access: fc.constantFrom(
    '',
    'deny *.sender.org',
    'allow * ip=198.51.100.0/24',
    'deny gone.sender.org text="no"',
  ),
  own: fc.boolean(),
  trusted: fc.boolean(),
  ours: fc.boolean(),
  shadow: fc.constantFrom(null, ...PRESETS),
  churnLimit: fc.integer({ min: 1, max: 5 }),
  ramps: fc.subarray(['helo-not-fqdn', 'helo-nxdomain', 'helo-mismatch', 'iprev-none']),
  streamLimits: fc.subarray([...UNPROVED]),
  streamCount: fc.integer({ min: 1, max: 3 }),
  regulars: fc.constantFrom(null, { messages: 1, days: 1 }, { messages: 2, days: 1 }),
});

function rulesOf(settings: Settings): Rules {
  const { preset, rejectAt, weights, observe, percent, access, shadow, streamCount } = settings;
  const ramps = new Map(settings.ramps.map((id) => [id, RAMP]));
  const limit = { count: streamCount, ageMs: 4 * STEP_MS, time: '4000s' };
  return {
    ...RULES,
    policy: makePolicy(preset, findings, { rejectAt, weights: new Map(Object.entries(weights)), ramps }),
    shadowPolicy: shadow === null ? null : makePolicy(shadow, findings),
    enforcement: { observe, percent, shareOf: networkShare },
    access: list(access),
    recipients: settings.own ? recipientsOf(ramps) : RULES.recipients,
    streamLimits: new Map(settings.streamLimits.map((stream) => [stream, limit])),
    trusted: settings.trusted ? [parsePrefix('203.0.113.0/28') ?? expect.fail()] : [],
    ourNames: settings.ours ? ['ours.org'] : [],
    churnLimit: settings.churnLimit,
  };
}

const someTraffic: fc.Arbitrary<readonly Message[]> = fc.array(
  fc.record({
    client: fc.constantFrom('198.51.100.7', '203.0.113.9', '203.0.113.99', '2001:db8::9'),
    helo: fc.constantFrom(
      'mail.sender.org',
      'other.sender.org',
      'gone.sender.org',
      'gone.strange.org',
      'host.ours.org',
      'mx.dest.org',
      'broken.org',
      'Jupiter',
      '[198.51.100.7]',
      '[192.0.2.9]',
      'server.local',
    ),
    before: fc.constantFrom(null, null, 'mail.sender.org'),
    to: fc.uniqueArray(
      fc.constantFrom(
        'a@dest.test',
        'b@strict.test',
        'off@dest.test',
        'c@email.test',
        'postmaster@dest.test',
      ),
      { minLength: 1, maxLength: 4 },
    ),
    login: fc.constantFrom(false, false, true),
    forged: fc.constantFrom(false, false, true),
  }),
  { minLength: 1, maxLength: 6 },
);

/** One entry for each recipient, in an order that does not depend on who came first. */
const sorted = (effects: readonly Effect[]): readonly Effect[] =>
  effects
    .flatMap((effect) =>
      effect.to.length < 2 ? [effect] : effect.to.map((each) => ({ ...effect, to: [each] })),
    )
    .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));

/** Of somebody who may have been regular. */
const OPEN = { score: null, cause: null, limit: null, ramp: null, streamLimit: null } as const;

const QUIET: Settings = {
  preset: 'rfc5321',
  rejectAt: 10,
  weights: {},
  observe: false,
  percent: 0,
  access: '',
  own: true,
  trusted: false,
  ours: false,
  shadow: null,
  churnLimit: 5,
  ramps: [],
  streamLimits: [],
  streamCount: 1,
  regulars: null,
};

const forged = (helo: string, ...to: readonly string[]): Message => ({
  client: '198.51.100.7',
  helo,
  before: null,
  to,
  login: false,
  forged: true,
});

const toRecipient = (client: string, to: string): Message => ({
  client,
  helo: 'mail.sender.org',
  before: null,
  to: [to],
  login: false,
  forged: false,
});

describe('replay', () => {
  it(
    'under the rules in force gives the same decisions, line by line',
    async () => {
      await fc.assert(
        fc.asyncProperty(someSettings, someTraffic, async (settings, traffic) => {
          const rules = rulesOf(settings);
          const { regulars } = settings;
          const { decisions, lines } = await live(rules, traffic, { regulars });
          expect(replayed(lines, rules, regulars).map(asReplayed)).toEqual(
            decisions.map((each) => [asDone(each)]),
          );
        }),
        {
          numRuns: RUNS,
          // Both were found at random: recipients of several policies in a message that is as a whole forged.
          examples: [
            [
              { ...QUIET, rejectAt: 5, access: 'allow * ip=198.51.100.0/24' },
              [forged('gone.strange.org', 'b@strict.test', 'off@dest.test')],
            ],
            [{ ...QUIET, rejectAt: 11 }, [forged('mail.sender.org', 'b@strict.test', 'a@dest.test')]],
          ],
        },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'of what was sent under other rules equals what these do with the same traffic',
    async () => {
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(someSettings, someSettings, someTraffic, async (first, second, traffic) => {
          // A trusted client is not looked up, and its recipients are not seen: the next test covers those.
          const now = rulesOf({ ...second, trusted: false });
          // The other rules do not see what is refused at once under the first: the header of the message,
          // and exempt clients.
          const plain = traffic.map((message) => ({ ...message, forged: false }));
          const before = rulesOf({ ...first, trusted: false });
          const recorded = await live(before, plain, { regulars: first.regulars });
          const wanted = await live(now, plain, { regulars: second.regulars });
          const got = replayed(recorded.lines, now, second.regulars);
          if (got.some(({ unknown }) => unknown !== null)) return;
          compared++;
          // Who was regular then may be so still, by mail from before the log: what is done is known; the
          // score is taken as it was, and with it what limits say of mail that would only be watched. So
          // it is where earlier mail was refused then and would come in now: nobody saw how it would have
          // ended.
          const wasRefused = recorded.decisions.slice(0, -1).some((each) => actionOf(each) !== 'accept');
          const isOpen =
            recorded.lines.some((line) => line.includes('"regular":true')) ||
            (second.regulars !== null && wasRefused);
          const asFarAsKnown = (effects: readonly Effect[]): readonly Effect[] =>
            sorted(
              isOpen ? effects.map(({ to, action, exempt }) => ({ ...OPEN, to, action, exempt })) : effects,
            );
          expect(asFarAsKnown(got.flatMap(asReplayed))).toEqual(asFarAsKnown(wanted.decisions.map(asDone)));
        }),
        {
          numRuns: RUNS,
          // Found at random: what a recipient without a policy gets makes nobody regular, and did so then.
          examples: [
            [
              { ...QUIET, own: false, rejectAt: 5, churnLimit: 1, regulars: { messages: 1, days: 1 } },
              {
                ...QUIET,
                rejectAt: 5,
                churnLimit: 1,
                streamLimits: ['failed'],
                regulars: { messages: 1, days: 1 },
              },
              [toRecipient('2001:db8::9', 'c@email.test'), toRecipient('2001:db8::9', 'b@strict.test')],
            ],
            [
              { ...QUIET, own: false, rejectAt: 5, churnLimit: 1, regulars: { messages: 1, days: 1 } },
              { ...QUIET, rejectAt: 5, churnLimit: 1, regulars: { messages: 1, days: 1 } },
              [
                toRecipient('203.0.113.9', 'off@dest.test'),
                toRecipient('203.0.113.9', 'a@dest.test'),
                toRecipient('198.51.100.7', 'a@dest.test'),
              ],
            ],
          ],
        },
      );
      // Most of it is known, or nothing would be shown.
      expect(compared).toBeGreaterThan(RUNS / 2);
    },
    TIMEOUT_MS,
  );

  const message = (client: string, helo: string, more: Partial<Message> = {}): Message => ({
    client,
    helo,
    before: null,
    to: ['a@dest.test'],
    login: false,
    forged: false,
    ...more,
  });
  const trusting: Rules = { ...RULES, trusted: [parsePrefix('203.0.113.0/24') ?? expect.fail()] };

  it.each<[string, Rules, Rules, Message, string, string | null, string | null]>([
    [
      'a client that is trusted now',
      RULES,
      trusting,
      message('203.0.113.9', 'Jupiter'),
      'accept',
      'trusted',
      null,
    ],
    [
      'one that no longer is',
      trusting,
      RULES,
      message('203.0.113.9', 'Jupiter'),
      'accept',
      null,
      'not-looked-up',
    ],
    [
      'a text that decided alone, and would no longer',
      { ...RULES, policy: makePolicy('rfc5321', findings) },
      {
        ...RULES,
        policy: makePolicy('rfc5321', findings, { weights: new Map([['helo-not-fqdn', 0]]) }),
      },
      message('203.0.113.9', 'Jupiter'),
      'accept',
      null,
      'settled',
    ],
    [
      'a name whose domain did not answer, and might not exist',
      RULES,
      { ...RULES, policy: makePolicy('emailcore', findings) },
      message('203.0.113.9', 'gone.broken.org'),
      'reject',
      null,
      null,
    ],
    [
      'the same, to an operator who does not mind that',
      RULES,
      {
        ...RULES,
        policy: makePolicy('emailcore', findings, { weights: new Map([['helo-unregistered', 0]]) }),
      },
      message('203.0.113.9', 'gone.broken.org'),
      'tempfail',
      null,
      null,
    ],
    [
      'a login',
      RULES,
      RULES,
      message('203.0.113.9', 'Jupiter', { login: true }),
      'accept',
      'authenticated',
      null,
    ],
  ])('of %s says what is known', async (_, then, now, sent, action, exempt, unknown) => {
    const { lines } = await live(then, [sent], { settling: true });
    const [first] = replayed(lines, now);
    expect([first?.parts[0]?.action, first?.parts[0]?.exempt, first?.unknown]).toEqual([
      action,
      exempt,
      unknown,
    ]);
  });

  it('keeps to the tempfail limit on the clock of the records', async () => {
    const traffic = Array.from({ length: 5 }, () => message('203.0.113.9', 'gone.strange.org'));
    const watched = { ...RULES, enforcement: { ...RULES.enforcement, observe: true } };
    const { lines } = await live(watched, traffic);
    expect(
      replayed(lines, RULES).map(({ parts: [part] }) => [part?.action, part?.exempt, part?.limit]),
    ).toEqual([
      ['tempfail', null, 'within'],
      ['tempfail', null, 'within'],
      ['tempfail', null, 'within'],
      ['tempfail', null, 'within'],
      ['accept', 'tempfail-limit', 'spent'],
    ]);
  });

  it('applies ramps, stream limits and its own regulars on the clock of the records', async () => {
    const watched = { ...RULES, enforcement: { ...RULES.enforcement, observe: true } };
    const again = (helo: string, count: number): Message[] =>
      Array.from({ length: count }, () => message('203.0.113.9', helo));
    const told = (
      { lines }: { readonly lines: readonly string[] },
      rules: Rules,
      limit: RegularsLimit | null,
    ) => replayed(lines, rules, limit).map(({ parts: [part], unknown }) => [part?.action, unknown]);
    const strict = makePolicy('strict', findings, { ramps: new Map([['helo-nxdomain', RAMP]]) });
    const gone = await live(watched, again('gone.strange.org', 4));
    expect(told(gone, { ...RULES, policy: strict }, null)).toEqual([
      ['tempfail', null],
      ['tempfail', null],
      ['tempfail', null],
      ['reject', null],
    ]);
    const streamLimits = new Map([['failed', { count: 2, ageMs: 4 * STEP_MS, time: '4000s' }]] as const);
    const failed = await live(watched, again('mail.sender.org', 6));
    expect(told(failed, { ...RULES, streamLimits }, null).map(([action]) => action)).toEqual([
      'accept',
      'accept',
      'tempfail',
      'tempfail',
      'accept',
      'accept',
    ]);
    // What was refused then might have been given up, had it been let in.
    const refused = await live(RULES, again('Jupiter', 1));
    const mild = makePolicy('rfc5321', findings, { weights: new Map([['helo-not-fqdn', 0]]) });
    expect(told(refused, { ...RULES, policy: mild }, { messages: 1, days: 1 })).toEqual([['accept', null]]);
    const known = [['203.0.113.9', 'gone.strange.org']] as const;
    const limit = { messages: 1, days: 1 };
    const before = await live(RULES, again('gone.strange.org', 1), { regulars: limit, known });
    expect(told(before, RULES, limit)).toEqual([['accept', 'earlier-mail']]);
    expect(told(before, RULES, null)).toEqual([['tempfail', null]]);
  });
});

/**
 * Verdicts, with everything that they rest on, made from nothing but an assessment, the session and the
 * rules.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import fc from 'fast-check';
import {
  acceptedByAll,
  judge,
  type Judged,
  judgeMessage,
  judgeUnder,
  mildestOf,
  onRamp,
  type Opinion,
} from '../../src/policy/judge.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { CLIENT, list, RULES, ZONE } from '../support/service.ts';
import { assessed } from '../support/checked.ts';

const SESSION = {
  previousHelo: null,
  namesSeen: 1,
  regular: false,
  mta: { name: 'ours.org', address: null },
};

async function judged(helo: string, rules: Partial<Rules> = {}, session = {}): Promise<Judged> {
  const circumstances = { session: { ...SESSION, ...session }, dnsIll: false, elapsedMs: 0, at: 0 };
  return judge(await assessed(CLIENT, helo, ZONE), { ...RULES, ...rules }, circumstances);
}

const ids = ({ verdict }: Judged): readonly string[] => verdict.counted.map(({ finding }) => finding.id);

it.each([
  ['helo-claims-us', 'mx.ours.org', {}, {}],
  ['helo-claims-us', 'mx.own.org', { ourNames: ['own.org'] }, {}],
  ['helo-changed', 'mail.sender.org', {}, { previousHelo: 'other.sender.org' }],
  ['helo-churn', 'mail.sender.org', {}, { namesSeen: 11 }],
  ['helo-denied', 'mail.sender.org', { access: list('deny mail.sender.org') }, {}],
])('finds %s by what was seen of the session and by the rules', async (id, helo, rules, session) => {
  expect(ids(await judged(helo, rules, session))).toContain(id);
  expect(ids(await judged('mail.sender.org'))).not.toContain(id);
});

it('judges by the policy of a recipient, on the same assessment', async () => {
  const general = await judged('other.sender.org');
  const strict = makePolicy('strict', findings);
  const own = judgeUnder(strict, general, RULES);
  expect([general.action, general.ownPolicy, own.action, own.ownPolicy]).toEqual([
    'accept',
    null,
    'reject',
    strict,
  ]);
  expect(own.assessment).toBe(general.assessment);
});

it.each([
  ['mail.sender.org', '', true],
  ['mail.sender.org', 'a@dest.test strict', true],
  ['other.sender.org', '', true],
  ['other.sender.org', 'a@dest.test strict', false],
  ['gone.strange.org', '', false],
])('%s with the recipients %j is accepted by all: %s', async (helo, text, wanted) => {
  const recipients = new RecipientPolicies(parseRecipientRules(text, 'list'), (preset) =>
    makePolicy(preset, findings),
  );
  expect(acceptedByAll(await judged(helo), { ...RULES, recipients })).toBe(wanted);
});

it.each([
  [0, 'accept', false],
  [201, 'reject', true],
])('with %i forged fields in the message it is %s', async (forgedResults, action, found) => {
  const after = judgeMessage(
    await judged('mail.sender.org'),
    { authservId: 'mx.dest.org', forgedResults },
    RULES,
  );
  expect([after.action, ids(after).includes('forged-results')]).toEqual([action, found]);
});

describe('on a ramp', () => {
  const RAMP = { count: 3, ageMs: 1000 };
  const IDS = [...findings].filter(([, { basis }]) => basis !== 'dns').map(([id]) => id);

  /** A client that these findings are held against. */
  function held(
    ids: readonly string[],
    weights: ReadonlyMap<string, number>,
    ramps: readonly string[],
  ): Judged {
    const policy = makePolicy('rfc5321', findings, {
      weights,
      ramps: new Map(ramps.map((id) => [id, RAMP])),
    });
    const counted = ids.map((id) => ({ finding: { id, evidence: {} }, weight: weights.get(id) ?? 0 }));
    const score = counted.reduce((sum, { weight }) => sum + weight, 0);
    const disposition = score >= 10 ? 'reject' : score >= 5 ? 'tempfail' : 'accept';
    const verdict = { disposition, score, stream: 'failed', cause: null, counted } as const;
    return { ...SOMEBODY, verdict, policy, action: disposition };
  }

  let SOMEBODY: Judged;
  beforeAll(async () => {
    SOMEBODY = await judged('mail.sender.org');
  });

  it.each<[string, Record<string, number>, string[], string[], string, Judged['ramp']]>([
    ['the only cause', { 'iprev-none': 10 }, ['iprev-none'], ['iprev-none'], 'tempfail', 'within'],
    ['the only cause, done', { 'iprev-none': 10 }, ['iprev-none'], [], 'reject', 'over'],
    [
      'a part of it',
      { 'iprev-none': 4, 'helo-alias': 6 },
      ['iprev-none'],
      ['iprev-none'],
      'tempfail',
      'within',
    ],
    ['needless', { 'iprev-none': 4, 'helo-alias': 10 }, ['iprev-none'], ['iprev-none'], 'reject', null],
    [
      'one of two',
      { 'iprev-none': 10, 'helo-alias': 10 },
      ['iprev-none', 'helo-alias'],
      ['iprev-none'],
      'reject',
      'over',
    ],
    [
      'both',
      { 'iprev-none': 5, 'helo-alias': 5 },
      ['iprev-none', 'helo-alias'],
      ['helo-alias'],
      'tempfail',
      'within',
    ],
    ['of a tempfail', { 'iprev-none': 6 }, ['iprev-none'], ['iprev-none'], 'tempfail', null],
    ['of nothing', { 'iprev-none': 2 }, ['iprev-none'], ['iprev-none'], 'accept', null],
  ])('a finding that is %s', (_, weights, ramps, within, action, ramp) => {
    const given = held(Object.keys(weights), new Map(Object.entries(weights)), ramps);
    const after = onRamp(given, (id) => within.includes(id), RULES);
    expect([after.action, after.ramp, after.verdict]).toEqual([action, ramp, given.verdict]);
  });

  it('counts no try for what is refused without it, or allowed by the access list', () => {
    const counted: string[] = [];
    const note = (id: string): boolean => counted.push(id) > 0;
    const weights = new Map([
      ['iprev-none', 4],
      ['helo-alias', 10],
    ]);
    onRamp(held(['iprev-none', 'helo-alias'], weights, ['iprev-none']), note, RULES);
    const entry = list(`allow * ip=${CLIENT}`).match(SOMEBODY.assessment, 0);
    onRamp({ ...held(['helo-alias'], weights, ['helo-alias']), access: entry }, note, RULES);
    expect(counted).toEqual([]);
  });

  it('only watches where nothing is enforced', () => {
    const given = held(['iprev-none'], new Map([['iprev-none', 10]]), ['iprev-none']);
    const rules = { ...RULES, enforcement: { ...RULES.enforcement, observe: true } };
    const after = onRamp({ ...given, action: 'accept' }, () => true, rules);
    expect([after.action, after.ramp]).toEqual(['accept', 'within']);
  });

  it('one more finding never makes the answer milder', () => {
    const SEVERITY = { accept: 0, tempfail: 1, reject: 2 } as const;
    const ids = fc.uniqueArray(fc.constantFrom(...IDS), { maxLength: 6 });
    const weights = fc.dictionary(fc.constantFrom(...IDS), fc.nat({ max: 12 }));
    const states = fc.dictionary(fc.constantFrom(...IDS), fc.boolean());
    fc.assert(
      fc.property(ids, fc.constantFrom(...IDS), weights, ids, states, (some, more, given, ramps, on) => {
        const answer = (all: readonly string[]): number =>
          SEVERITY[
            onRamp(held(all, new Map(Object.entries(given)), ramps), (id) => on[id] === true, RULES).action
          ];
        expect(answer([...new Set([...some, more])])).toBeGreaterThanOrEqual(answer(some));
      }),
    );
  });
});

it('finds the same mildest of several opinions, whoever came first', async () => {
  const general = await judged('gone.strange.org');
  const free = await judged('gone.strange.org', { access: list('allow gone.strange.org ip=0.0.0.0/0') });
  const watched = { ...RULES, enforcement: { ...RULES.enforcement, observe: true } };
  const policies = (['rfc5321', 'emailcore', 'strict'] as const).map((each) => makePolicy(each, findings));
  const all: readonly Opinion[] = [
    { judged: general, exempt: null },
    { judged: general, exempt: 'opted-out' },
    { judged: general, exempt: 'postmaster' },
    { judged: free, exempt: 'access' },
    ...policies.flatMap((each) =>
      [RULES, watched].map((rules) => ({ judged: judgeUnder(each, general, rules), exempt: null })),
    ),
    ...policies.map((each): Opinion => ({ judged: judgeUnder(each, general, RULES), exempt: 'access' })),
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray([...all], { minLength: 2 }), (some) => {
      const { judged: first, exempt } = mildestOf(some) ?? expect.fail('none');
      const { judged: last, exempt: excused } = mildestOf(some.toReversed()) ?? expect.fail('none');
      expect([exempt, first.action, first.verdict, first.ownPolicy]).toEqual([
        excused,
        last.action,
        last.verdict,
        last.ownPolicy,
      ]);
    }),
  );
});

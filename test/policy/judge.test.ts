/**
 * Verdicts, with everything that they rest on, made from nothing but an assessment, the session and the
 * rules.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import fc from 'fast-check';
import {
  acceptedByAll,
  isLetInAsRegular,
  isPutOff,
  judge,
  type Judged,
  judgeMessage,
  judgeUnder,
  mayBeLimited,
  mildestOf,
  onRamp,
  onStreamLimit,
  type Opinion,
  wouldRefuse,
} from '../../src/policy/judge.ts';
import type { Unproved } from '../../src/core/checks/stream.ts';
import { makePolicy, type PolicyChanges } from '../../src/policy/policy.ts';
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

async function judged(
  helo: string,
  rules: Partial<Rules> = {},
  session = {},
  dnsIll = false,
): Promise<Judged> {
  const circumstances = { session: { ...SESSION, ...session }, dnsIll, elapsedMs: 0, at: 0 };
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

it('says of a denied client what the line says, or whose policy it is', async () => {
  const reason = async (line: string): Promise<unknown> => {
    const { assessment } = await judged('mail.sender.org', { access: list(line) });
    return assessment.findings.find(({ id }) => id === 'helo-denied')?.evidence['text'];
  };
  expect(await reason('deny mail.sender.org text="go away"')).toBe('go away');
  expect(await reason('deny mail.sender.org')).toBe('refused by local policy');
});

/** A client that is refused, one that is only so under the shadow policy, one that is not. */
const SHADOW = { shadowPolicy: makePolicy('strict', findings) };
it.each<[string, Partial<Rules>, boolean]>([
  ['mail.sender.org', {}, false],
  ['mail.sender.org', SHADOW, false],
  ['other.sender.org', {}, false],
  ['other.sender.org', SHADOW, true],
  ['gone.strange.org', {}, true],
  ['gone.strange.org', { enforcement: { ...RULES.enforcement, observe: true } }, true],
])('%s under %o would be refused: %s', async (helo, rules, wanted) => {
  expect(wouldRefuse(await judged(helo, rules))).toBe(wanted);
});

it.each([
  ['gone.strange.org', true, false, true],
  ['gone.strange.org', false, false, false],
  ['mail.sender.org', true, false, false],
  // In an outage it would be let in anyway.
  ['gone.strange.org', true, true, false],
  // What the text says is held against regulars too.
  ['mx.ours.org', true, false, false],
])('%s, regular %s, resolver ill %s, is let in as a regular: %s', async (helo, regular, ill, wanted) => {
  expect(isLetInAsRegular(await judged(helo, {}, { regular }, ill))).toBe(wanted);
});

it.each([
  ['gone.strange.org', 'strict', false, false],
  ['gone.strange.org', 'strict', true, true],
  // What would only be delayed is not refused.
  ['gone.strange.org', 'rfc5321', true, false],
  ['mail.sender.org', 'strict', true, false],
] as const)(
  'a refusal of %s under %s, resolver ill %s, is put off: %s',
  async (helo, preset, ill, wanted) => {
    expect(isPutOff(await judged(helo, { policy: makePolicy(preset, findings) }, {}, ill))).toBe(wanted);
  },
);

it.each([
  ['a denial', 'helo-spf-fail', 5, true, true],
  ['a denial of no weight', 'helo-spf-fail', 0, true, false],
  ['a denial that is certain', 'helo-spf-fail', 5, false, false],
  ['what denies nothing', 'iprev-none', 5, true, false],
])('%s of the client’s own zone puts a refusal off: %s %i, provisional %s: %s', async (...row) => {
  const [, id, weight, provisional, wanted] = row;
  const given = await judged('mail.sender.org');
  const counted = [{ finding: { id, evidence: {}, ...(provisional ? { provisional } : {}) }, weight }];
  expect(isPutOff({ ...given, verdict: { ...given.verdict, counted } })).toBe(wanted);
});

describe('the limit of a stream', () => {
  const LIMIT = { count: 3, ageMs: 60_000, time: '1m' };
  const limitOf = (stream: Unproved): Rules => ({ ...RULES, streamLimits: new Map([[stream, LIMIT]]) });
  const limited = limitOf('failed');
  const asked = (given: Judged, rules: Rules = limited): [string, Judged['streamLimit'], number] => {
    let times = 0;
    const after = onStreamLimit(given, () => ++times < 0, rules);
    return [after.action, after.streamLimit, times];
  };

  it.each<[string, string, boolean, [string, Judged['streamLimit'], number]]>([
    ['who fails', 'mx.dest.org', false, ['tempfail', 'over', 1]],
    ['who is verified', 'mail.sender.org', false, ['accept', null, 0]],
    ['nobody in an outage', 'mx.dest.org', true, ['accept', null, 0]],
  ])('is asked of %s', async (_, helo, ill, wanted) => {
    expect(asked(await judged(helo, {}, {}, ill))).toEqual(wanted);
  });

  it('is not asked where there is none for the stream', async () => {
    expect(asked(await judged('mx.dest.org'), limitOf('unverified'))).toEqual(['accept', null, 0]);
  });

  it('is the cause of the answer, and weighs nothing', async () => {
    const given = await judged('mx.dest.org');
    const { verdict } = onStreamLimit(given, () => false, limited);
    expect(verdict.cause?.id).toBe('stream-limit');
    expect(verdict.score).toBe(given.verdict.score);
    expect(verdict.counted).toEqual([...given.verdict.counted, { finding: verdict.cause, weight: 0 }]);
  });

  it.each<[string, Unproved[], PolicyChanges, boolean]>([
    ['where a host without a name is let in', ['failed'], {}, true],
    ['not where it is limited too', ['failed', 'unverified'], {}, false],
    ['not where it is delayed', ['failed'], { weights: new Map([['stream-unverified', 5]]) }, false],
    ['where it weighs less than that', ['failed'], { weights: new Map([['stream-unverified', 4]]) }, true],
  ])('tells whoever says a wrong name to say none: %s', async (_, streams, changes, free) => {
    const rules = { ...RULES, streamLimits: new Map(streams.map((stream) => [stream, LIMIT])) };
    const given = await judged('mx.dest.org', { policy: makePolicy('rfc5321', findings, changes) });
    const { verdict } = onStreamLimit(given, () => false, rules);
    expect(verdict.cause).not.toBeNull();
    expect('literal' in (verdict.cause?.evidence ?? {})).toBe(free);
  });

  it('lets in whoever is within', async () => {
    const after = onStreamLimit(await judged('mx.dest.org'), () => true, limited);
    expect([after.action, after.streamLimit]).toEqual(['accept', 'within']);
  });

  it.each([
    ['mail.sender.org', limited, false],
    ['mx.dest.org', limited, true],
    ['mx.dest.org', RULES, false],
  ])('may be asked later of %s', async (helo, rules, wanted) => {
    expect(mayBeLimited(await judged(helo), rules)).toBe(wanted);
  });

  it.each([
    ['', false],
    ['a@dest.test strict', true],
    ['a@dest.test strict\nb@dest.test emailcore', true],
  ])('may be asked for one of the recipients %j only: %s', async (text, wanted) => {
    const recipients = new RecipientPolicies(parseRecipientRules(text, 'list'), (preset) =>
      makePolicy(preset, findings),
    );
    expect(mayBeLimited(await judged('other.sender.org'), { ...limited, recipients })).toBe(wanted);
  });
});

it('judges a message as it judged its client: with the outage, and by the shadow policy', async () => {
  const nothing = { authservId: 'mx.dest.org', forgedResults: 0 };
  const ill = judgeMessage(await judged('gone.strange.org', SHADOW, {}, true), nothing, RULES);
  const well = judgeMessage(await judged('gone.strange.org', SHADOW), nothing, RULES);
  const plain = judgeMessage(await judged('gone.strange.org'), nothing, RULES);
  const regular = judgeMessage(await judged('gone.strange.org', {}, { regular: true }), nothing, RULES);
  expect([ill, well, plain, regular].map((each) => [each.action, each.shadow?.disposition])).toEqual([
    ['accept', 'accept'],
    ['tempfail', 'reject'],
    ['tempfail', undefined],
    ['accept', undefined],
  ]);
});

it.each<[string, readonly (readonly [Judged['action'], Opinion['exempt']])[], number]>([
  [
    'who is accepted before who is excused',
    [
      ['accept', 'access'],
      ['accept', null],
    ],
    1,
  ],
  [
    'who is excused before who is delayed',
    [
      ['tempfail', null],
      ['accept', 'access'],
    ],
    1,
  ],
  [
    'whose refusal is excused before who is delayed',
    [
      ['tempfail', null],
      ['reject', 'access'],
    ],
    1,
  ],
  [
    'who is delayed before who is refused',
    [
      ['reject', null],
      ['tempfail', null],
    ],
    1,
  ],
])('the mildest is %s', async (_, opinions, wanted) => {
  const given = await judged('mail.sender.org');
  const all = opinions.map(([action, exempt]) => ({ judged: { ...given, action }, exempt }));
  expect(mildestOf(all)).toBe(all[wanted]);
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

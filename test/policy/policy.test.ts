import { mismatchAlone } from '../../src/policy/mismatch-alone.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Assessment, CheckOutcome } from '../../src/core/assessment.ts';
import {
  type Correspondence,
  CORRESPONDENCES,
  type Proof,
  PROOFS,
  type Finding,
  PRESETS,
  type Zone,
} from '../../src/core/check.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { decide } from '../../src/policy/decide.ts';
import {
  makePolicy,
  type Policy,
  type PolicyChanges,
  type Verdict,
  worthwhile,
} from '../../src/policy/policy.ts';
import { settles } from '../../src/policy/weight.ts';
import { assessed } from '../support/checked.ts';

const IDS = [...findings.keys()];
const finding = (id: string): Finding => ({ id, evidence: { question: 'x A', detail: 'timeout' } });

function assessment(ids: readonly string[], changes: Partial<Assessment> = {}): Assessment {
  return {
    client: makeClient('192.0.2.1', 'mail.example.org'),
    outcomes: [],
    findings: ids.map(finding),
    correspondence: 'none',
    proofs: [],
    optOut: false,
    undecided: false,
    trouble: null,
    mismatch: null,
    dns: [],
    settled: false,
    ...changes,
  };
}

const words = ({ disposition, score, cause }: Verdict): string =>
  `${disposition} ${score} ${cause?.id ?? '-'}`;
const SEVERITY = { accept: 0, tempfail: 1, reject: 2 } as const;

const anyIds = fc.uniqueArray(fc.constantFrom(...IDS), { maxLength: 8 });
const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    preset: fc.constantFrom(...PRESETS),
    rejectAt: fc.integer({ min: 5, max: 30 }),
    tempfailAt: fc.integer({ min: 1, max: 5 }),
    require: fc.constantFrom('exact' as const, 'authorized' as const, 'aligned' as const),
    weights: fc.dictionary(fc.constantFrom(...IDS), fc.nat({ max: 20 })),
  })
  .map(({ preset, weights, ...rest }) =>
    makePolicy(preset, findings, { ...rest, weights: new Map(Object.entries(weights)) }),
  );
const anyFacts = fc
  .record({
    correspondence: fc.constantFrom<Correspondence>(...CORRESPONDENCES),
    proofs: fc.subarray<Proof>([...PROOFS]),
    optOut: fc.boolean(),
    undecided: fc.boolean(),
    trouble: fc.constantFrom<Zone>('owner', 'client'),
    mismatch: fc.constantFrom(null, { addresses: '203.0.113.1' }),
  })
  // Only with trouble in DNS is anything undecided.
  .map((facts) => (facts.undecided ? facts : { ...facts, trouble: null }));

describe('the cause among findings of equal weight', () => {
  const EQUAL = new Map(IDS.map((id) => [id, 10]));
  const cause = (ids: readonly string[]): string | undefined =>
    decide(assessment(ids), makePolicy('rfc5321', findings, { weights: EQUAL })).cause?.id;

  it.each([
    ['helo-claims-us', 'helo-special-use'],
    ['helo-claims-us', 'helo-not-fqdn'],
    ['helo-denied', 'helo-spf-fail'],
    ['helo-claims-us', 'helo-denied'],
    ['helo-spf-fail', 'helo-underscore'],
    ['helo-spf-fail', 'helo-no-address'],
    ['helo-special-use', 'helo-unregistered'],
    ['helo-syntax', 'helo-not-fqdn'],
    ['helo-nxdomain', 'helo-mismatch'],
    ['iprev-none', 'dns-temperror'],
  ])('%s comes before %s', (first, second) => {
    expect([cause([first, second]), cause([second, first])]).toEqual([first, first]);
  });

  it('does not depend on the order in which they were found', () => {
    const orders = anyIds.chain((ids) =>
      fc.tuple(fc.constant(ids), fc.shuffledSubarray(ids, { minLength: ids.length })),
    );
    fc.assert(
      fc.property(orders, ([ids, others]) => {
        expect(cause(others)).toBe(cause(ids));
      }),
    );
  });
});

describe('decide', () => {
  it.each<[string, string[], PolicyChanges, string]>([
    ['nothing found', [], {}, 'accept 0 -'],
    ['a form failure', ['helo-syntax'], {}, 'reject 10 helo-syntax'],
    ['a missing name', ['helo-nxdomain'], {}, 'tempfail 5 helo-nxdomain'],
    ['the heaviest is the cause', ['iprev-none', 'helo-nxdomain'], {}, 'tempfail 7 helo-nxdomain'],
    [
      'the most telling of equals is the cause',
      ['helo-bare-ip', 'helo-claims-us'],
      {},
      'reject 20 helo-claims-us',
    ],
    ['below the threshold', ['iprev-none', 'helo-changed'], {}, 'accept 4 helo-changed'],
    [
      'a weight of the operator',
      ['helo-mismatch'],
      { weights: new Map([['helo-mismatch', 7]]) },
      'tempfail 7 helo-mismatch',
    ],
    ['thresholds of the operator', ['helo-nxdomain'], { rejectAt: 5 }, 'reject 5 helo-nxdomain'],
    ['an unknown finding weighs nothing', ['no-such'], {}, 'accept 0 -'],
    [
      'an unknown does not refuse for good',
      ['dns-temperror', 'helo-nxdomain'],
      { weights: new Map([['dns-temperror', 50]]) },
      'tempfail 55 dns-temperror',
    ],
  ])('%s', (_, ids, changes, wanted) => {
    expect(words(decide(assessment(ids), makePolicy('rfc5321', findings, changes)))).toBe(wanted);
  });

  it.each<[Correspondence, Policy['require'], boolean]>([
    ['none', 'aligned', true],
    ['near', 'aligned', true],
    ['aligned', 'aligned', false],
    ['aligned', 'authorized', true],
    ['authorized', 'authorized', false],
    ['authorized', 'exact', true],
    ['exact', 'exact', false],
  ])('correspondence %s where %s is required is a mismatch: %s', (correspondence, require, short) => {
    const facts = { correspondence, mismatch: { addresses: '203.0.113.1' } };
    const { counted } = decide(assessment([], facts), makePolicy('emailcore', findings, { require }));
    const found = counted.find(({ finding: { id } }) => id === 'helo-mismatch');
    expect(found !== undefined).toBe(short);
    // An administrator reads there what was not enough.
    if (short) expect(found?.finding.evidence).toMatchObject({ correspondence, required: require });
  });

  it.each([
    ['rfc5321', false],
    ['emailcore', false],
    ['strict', true],
  ] as const)('a neighbour is a mismatch under %s, where nothing is required: %s', (preset, short) => {
    const facts = { correspondence: 'near', mismatch: { addresses: '203.0.113.1' } } as const;
    const { counted } = decide(assessment([], facts), makePolicy(preset, findings));
    expect(counted.some(({ finding: { id } }) => id === 'helo-mismatch')).toBe(short);
  });

  it('sees no mismatch while a zone of the name’s owner is silent', () => {
    const facts = { mismatch: { addresses: '203.0.113.1' }, undecided: true, trouble: 'owner' } as const;
    expect(decide(assessment([], facts), makePolicy('strict', findings)).counted).toEqual([]);
  });
});

describe('the stream', () => {
  it.each<[string, string[], Partial<Assessment>, string]>([
    ['exact', [], { correspondence: 'exact' }, 'verified'],
    ['aligned, which is enough', [], { correspondence: 'aligned' }, 'verified'],
    ['a neighbour, who is excused and not identified', [], { correspondence: 'near' }, 'unverified'],
    ['nothing shown', ['helo-mismatch'], {}, 'failed'],
    ['no such name', ['helo-nxdomain'], {}, 'failed'],
    ['its own literal', ['helo-literal'], { optOut: true }, 'unverified'],
    ['the owner’s zone silent', [], { undecided: true, trouble: 'owner' }, 'unverified'],
    ['the client’s zone silent', [], { undecided: true, trouble: 'client' }, 'failed'],
    ['DNS could not say', ['dns-temperror'], { trouble: 'owner' }, 'unverified'],
    ['no address', [], { client: makeClient(null, 'mail.example.org') }, 'unverified'],
    ['no name', ['helo-missing'], { client: makeClient('192.0.2.1', '') }, 'unverified'],
    ['claims to be us', ['helo-claims-us'], { correspondence: 'aligned' }, 'failed'],
  ])('of %s', (_, ids, facts, stream) => {
    expect(decide(assessment(ids, facts), makePolicy('rfc5321', findings)).stream).toBe(stream);
  });

  it('of aligned is failed where more is required', () => {
    expect(decide(assessment([], { correspondence: 'aligned' }), makePolicy('strict', findings)).stream).toBe(
      'failed',
    );
  });
});

describe('the weight of a stream', () => {
  const weigh = (
    given: Record<string, number>,
    ids: readonly string[],
    facts: Partial<Assessment> = {},
    ill = false,
  ): string => {
    const weights = new Map(Object.entries(given));
    return words(
      decide(assessment(ids, facts), makePolicy('rfc5321', findings, { weights }), { dnsIll: ill }),
    );
  };
  const FAILED = { 'stream-failed': 10 };
  const BOTH = { 'stream-unverified': 6, 'stream-failed': 3 };
  const LITERAL = { optOut: true };

  it.each<[string, Record<string, number>, string[], Partial<Assessment>, string]>([
    ['none, unless it is given', {}, [], {}, 'accept 0 -'],
    ['of failed', FAILED, [], {}, 'reject 10 stream-failed'],
    ['of failed does not touch unverified', FAILED, ['helo-literal'], LITERAL, 'accept 0 -'],
    ['nor verified', FAILED, [], { correspondence: 'exact', proofs: ['exact'] }, 'accept 0 -'],
    ['of unverified', BOTH, ['helo-literal'], LITERAL, 'tempfail 6 stream-unverified'],
    ['who fails weighs no less', BOTH, [], {}, 'tempfail 6 stream-failed'],
    ['adds up', { 'stream-failed': 8 }, ['iprev-none'], {}, 'reject 10 stream-failed'],
    [
      'is the cause only where it is the heaviest',
      { 'stream-failed': 5 },
      ['helo-nxdomain'],
      {},
      'reject 10 helo-nxdomain',
    ],
    // The client's own zone did not answer, which might have shown otherwise.
    ['refuses nothing for an unknown', FAILED, [], { trouble: 'client' }, 'tempfail 10 stream-failed'],
    ['but for what is denied', FAILED, ['helo-spf-fail'], { trouble: 'client' }, 'reject 20 helo-spf-fail'],
  ])('%s', (_, weights, ids, facts, wanted) => {
    expect(weigh(weights, ids, facts)).toBe(wanted);
  });

  it('counts nothing in an outage, and excuses no denial', () => {
    expect(weigh(FAILED, [], {}, true)).toBe('accept 0 -');
    expect(weigh({ ...FAILED, 'helo-spf-fail': 2 }, ['helo-spf-fail'], {}, true)).toBe(
      'tempfail 12 stream-failed',
    );
  });
});

describe('a name with nothing but a text', () => {
  it.each([
    ['rfc5321', 'tempfail', 'failed'],
    ['emailcore', 'reject', 'failed'],
    ['strict', 'reject', 'failed'],
  ] as const)('is an opt-out under %s only if it is asked for', async (preset, disposition, stream) => {
    const phone = await assessed('192.0.2.1', 'phone.example.org', {
      'phone.example.org': { TXT: ['mobile host'] },
    });
    const plain = decide(phone, makePolicy(preset, findings));
    const asked = decide(phone, makePolicy(preset, findings, { textOptsOut: true }));
    expect([plain.disposition, plain.stream]).toEqual([disposition, stream]);
    expect([asked.disposition, asked.stream]).toEqual(['accept', 'unverified']);
    // That of a policy, and not of the client.
    expect(phone.optOut).toBe(false);
  });
});

/** The weight that a finding keeps under rfc5321, emailcore and strict once something is shown. */
describe('what proof leaves of', () => {
  it.each<[string, Proof[], number[]]>([
    ['helo-nxdomain', [], [5, 10, 10]],
    ['helo-nxdomain', ['authorized'], [0, 0, 0]],
    ['helo-no-address', ['aligned', 'reverse'], [2, 0, 10]],
    ['helo-private-address', ['authorized', 'aligned', 'reverse'], [0, 0, 0]],
    ['helo-private-address', ['reverse'], [5, 10, 10]],
    ['helo-special-use', ['reverse'], [5, 10, 10]],
    ['helo-unregistered', ['reverse'], [5, 10, 10]],
    ['helo-not-fqdn', ['reverse'], [10, 10, 10]],
    ['helo-underscore', ['exact', 'aligned', 'reverse'], [10, 10, 10]],
    ['helo-public-suffix', ['exact'], [0, 0, 0]],
    ['helo-public-suffix', ['aligned', 'reverse'], [10, 10, 10]],
    ['helo-spf-softfail', ['exact'], [1, 1, 1]],
    ['helo-spf-fail', ['exact', 'reverse'], [10, 10, 10]],
    ['iprev-none', ['exact'], [0, 0, 0]],
    ['helo-dynamic', ['authorized'], [0, 0, 0]],
    ['helo-churn', ['aligned', 'reverse'], [2, 2, 4]],
  ])('%s with %j: %j', (id, proofs, wanted) => {
    const weigh = (changes: PolicyChanges): number[] =>
      PRESETS.map(
        (preset) => decide(assessment([id], { proofs }), makePolicy(preset, findings, changes)).score,
      );
    expect(weigh({})).toEqual(wanted);
    // A weight that an operator sets counts in full.
    expect(weigh({ weights: new Map([[id, 7]]) })).toEqual([7, 7, 7]);
  });
});

it.each([
  ['helo-churn', 0],
  ['helo-changed', 0],
  ['helo-dynamic', 0],
  ['helo-nxdomain', 0],
  ['helo-underscore', 10],
  ['helo-claims-us', 10],
])('of a client that opts out %s weighs %i of 10, and in full where the operator says so', (id, wanted) => {
  const given = assessment([id], { optOut: true });
  const policy = makePolicy('rfc5321', findings);
  expect(decide(given, { ...policy, weights: new Map([[id, 10]]) }).score).toBe(wanted);
  expect(decide(given, makePolicy('rfc5321', findings, { weights: new Map([[id, 10]]) })).score).toBe(10);
});

describe('what DNS could not say', () => {
  const unknown = (atWorst: readonly string[], proofs: Proof[] = []): number[] => {
    const given = { ...assessment([], { proofs }), findings: [{ ...finding('dns-temperror'), atWorst }] };
    return PRESETS.map((preset) => decide(given, makePolicy(preset, findings)).score);
  };

  it.each<[string[], Proof[], number[]]>([
    [['iprev-fail', 'iprev-none'], [], [0, 0, 4]],
    [['iprev-fail', 'iprev-none'], ['exact'], [0, 0, 0]],
    [['helo-spf-fail'], ['exact'], [0, 0, 5]],
    [['helo-nxdomain'], ['authorized'], [0, 0, 0]],
    [[], [], [0, 0, 0]],
  ])('and is at worst %j, with %j weighs %j', (atWorst, proofs, wanted) => {
    expect(unknown(atWorst, proofs)).toEqual(wanted);
  });

  /** The outcome of a check that had a result, though an answer which might have shown more did not come. */
  const open = (check: string): CheckOutcome => ({
    ...{ check, result: 'pass', finding: null, correspondence: 'none', optOut: false },
    evidence: { unanswered: 'b.example.org A: timeout' },
  });
  const closed = { ...open('csa'), evidence: {} };

  it.each<[string, string, Partial<Assessment>, string]>([
    ['the client’s zone, which can show no permit', 'helo-no-address', { trouble: 'client' }, 'reject 10'],
    [
      'and is asked for a reverse name alone',
      'helo-no-address',
      { trouble: 'client', outcomes: [open('iprev'), closed] },
      'reject 10',
    ],
    [
      'but may have decided what SPF makes of it',
      'helo-no-address',
      { trouble: 'client', outcomes: [closed, open('spf')] },
      'tempfail 10',
    ],
    ['nor a permit from nowhere', 'iprev-none', { trouble: 'client' }, 'reject 10'],
    ['nor an opt-out', 'helo-churn', { trouble: 'client' }, 'reject 10'],
    ['the owner’s zone, which may show everything', 'helo-no-address', { trouble: 'owner' }, 'tempfail 10'],
    ['but for what stays', 'helo-underscore', { trouble: 'owner' }, 'reject 10'],
  ])('of %s: %s with %o: %s', (_, id, facts, wanted) => {
    const given = assessment([id], { undecided: true, ...facts });
    const policy = { ...makePolicy('strict', findings), weights: new Map([[id, 10]]) };
    const { disposition, score } = decide(given, policy);
    expect(`${disposition} ${score}`).toBe(wanted);
  });

  it('of the client’s zone might have shown that the name is that of a neighbour', () => {
    const given = assessment(['helo-no-address'], { undecided: true, trouble: 'client' });
    const policy = makePolicy('emailcore', findings);
    expect(words(decide(given, { ...policy, weights: new Map([['helo-no-address', 10]]) }))).toBe(
      'tempfail 10 helo-no-address',
    );
  });

  it.each<[Readonly<Record<string, number>>, Partial<Assessment>, string]>([
    [{}, {}, 'reject 10'],
    [{ 'helo-unregistered': 9 }, {}, 'tempfail 10'],
    [{ 'helo-unregistered': 0 }, {}, 'tempfail 10'],
    [{ 'helo-unregistered': 12 }, {}, 'reject 10'],
    // What excuses the one does not excuse the other.
    [{ 'helo-nxdomain': 10 }, { proofs: ['authorized'] }, 'reject 10'],
    [{ 'helo-nxdomain': 10 }, { optOut: true }, 'tempfail 10'],
  ])('refuses with the lighter of two findings: %o, %o: %s', (weights, facts, wanted) => {
    const nxdomain = { ...finding('helo-nxdomain'), mightBe: ['helo-unregistered'] };
    const given = { ...assessment([], facts), findings: [nxdomain] };
    const policy = makePolicy('emailcore', findings, { weights: new Map(Object.entries(weights)) });
    const { disposition, score } = decide(given, policy);
    expect(`${disposition} ${score}`).toBe(wanted);
  });

  it('weighs what the operator says, whatever it might have been', () => {
    const policy = makePolicy('rfc5321', findings, { weights: new Map([['dns-temperror', 6]]) });
    const given = { ...assessment([]), findings: [{ ...finding('dns-temperror'), atWorst: [] }] };
    expect(decide(given, policy).score).toBe(6);
  });
});

describe('invariants', () => {
  it.each(PRESETS)('under %s inferred findings alone refuse and delay no host that is proved', (preset) => {
    // Mismatches are left out: they are findings on hosts of which nothing is shown.
    const inferred = IDS.filter((id) => findings.get(id)?.basis === 'inferred' && !id.endsWith('mismatch'));
    expect(inferred.length).toBeGreaterThan(0);
    const proved = fc.constantFrom('exact' as const, 'authorized' as const);
    fc.assert(
      fc.property(fc.subarray(inferred), proved, anyFacts, (ids, correspondence, facts) => {
        const given = assessment(ids, { ...facts, correspondence, proofs: [correspondence] });
        expect(decide(given, makePolicy(preset, findings)).disposition).toBe('accept');
      }),
    );
  });

  it('an unknown weighs no more than the worst it can turn out to be', () => {
    fc.assert(
      fc.property(anyIds, anyFacts, fc.constantFrom(...PRESETS), (ids, facts, preset) => {
        const policy = makePolicy(preset, findings);
        const open = { ...assessment([], facts), findings: [{ ...finding('dns-temperror'), atWorst: ids }] };
        const known = ids.map((id) => decide(assessment([id], facts), policy).score);
        expect(decide({ ...open, mismatch: null }, policy).score).toBeLessThanOrEqual(Math.max(0, ...known));
      }),
    );
  });

  it('no proof makes a verdict harder', () => {
    fc.assert(
      fc.property(anyPolicy, anyIds, anyFacts, fc.constantFrom(...PROOFS), (policy, ids, facts, proof) => {
        const before = decide(assessment(ids, facts), policy);
        const after = decide(assessment(ids, { ...facts, proofs: [...facts.proofs, proof] }), policy);
        expect(after.score).toBeLessThanOrEqual(before.score);
        expect(SEVERITY[after.disposition]).toBeLessThanOrEqual(SEVERITY[before.disposition]);
      }),
    );
  });

  it('adding a finding never softens a verdict', () => {
    fc.assert(
      fc.property(anyPolicy, anyIds, fc.constantFrom(...IDS), anyFacts, (policy, ids, more, facts) => {
        const before = decide(assessment(ids, facts), policy);
        const after = decide(assessment([...new Set([...ids, more])], facts), policy);
        expect(SEVERITY[after.disposition]).toBeGreaterThanOrEqual(SEVERITY[before.disposition]);
        expect(after.score).toBeGreaterThanOrEqual(before.score);
      }),
    );
  });

  it('a temperror never makes a permanent reject', () => {
    fc.assert(
      fc.property(anyPolicy, anyIds, anyFacts, (policy, ids, facts) => {
        const certain = ids.filter((id) => id !== 'dns-temperror');
        const without = decide(assessment(certain, facts), policy).disposition;
        const withIt = decide(assessment([...certain, 'dns-temperror'], facts), policy).disposition;
        expect(withIt === 'reject' && without !== 'reject').toBe(false);
      }),
    );
  });

  it('under rfc5321 no set of inferred findings alone reaches a threshold', () => {
    const inferred = IDS.filter((id) => findings.get(id)?.basis === 'inferred');
    expect(inferred.length).toBeGreaterThanOrEqual(4);
    // All of them together are the heaviest set, possible or not, except for the pairs that exclude each
    // other.
    const exclusive = inferred.filter((id) => id !== 'iprev-none');
    fc.assert(
      fc.property(fc.subarray(exclusive), anyFacts, (ids, facts) => {
        expect(decide(assessment(ids, facts), makePolicy('rfc5321', findings)).disposition).toBe('accept');
      }),
    );
  });

  it.each(PRESETS)(
    'under %s a literal equal to the client fares no worse than with checks off',
    async (preset) => {
      const zones = [
        {},
        { '1.2.0.192.in-addr.arpa': { PTR: ['x.org'] } },
        { '1.2.0.192.in-addr.arpa': 'temperror' },
      ] as const;
      for (const zone of zones) {
        for (const [ip, helo] of [
          ['192.0.2.1', '[192.0.2.1]'],
          ['2001:db8::1', '[IPv6:2001:DB8::1]'],
          ['10.0.0.1', '[10.0.0.1]'],
        ] as const) {
          const verdict = decide(await assessed(ip, helo, zone), makePolicy(preset, findings));
          expect(verdict).toMatchObject({ disposition: 'accept', score: 0, stream: 'unverified' });
        }
      }
    },
  );

  it('there is no discard', () => {
    fc.assert(
      fc.property(anyPolicy, anyIds, anyFacts, (policy, ids, facts) => {
        const verdict = decide(assessment(ids, facts), policy);
        expect(['accept', 'tempfail', 'reject']).toContain(verdict.disposition);
        expect(verdict.disposition === 'accept' || verdict.cause !== null).toBe(true);
      }),
    );
  });
});

describe('with the resolver out of order', () => {
  const DECLARED = IDS.filter((id) => findings.get(id)?.basis === 'declared');
  const REST = IDS.filter((id) => !DECLARED.includes(id));

  it('what could not be known does not count, and what the text says does', () => {
    const all = decide(assessment(REST), makePolicy('strict', findings), { dnsIll: true });
    for (const {
      finding: { id },
      weight,
    } of all.counted) {
      const basis = findings.get(id)?.basis;
      if (basis !== 'form' && basis !== 'local') expect(weight, id).toBe(0);
    }
    expect(all.disposition).toBe('reject');
    expect(
      decide(assessment(['helo-nxdomain', 'dns-temperror']), makePolicy('strict', findings), { dnsIll: true })
        .score,
    ).toBe(0);
  });

  it('counts what the operator knows, whatever else is excused', () => {
    const given = assessment(['helo-denied', 'iprev-none']);
    expect(words(decide(given, makePolicy('strict', findings), { dnsIll: true }))).toMatch(
      /^reject \d+ helo-denied$/,
    );
  });

  it.each<[string, string[], string]>([
    ['a refusal by the owner of the name delays', ['helo-spf-fail'], 'tempfail 10 helo-spf-fail'],
    ['so it does beside what is unknown', ['helo-spf-fail', 'dns-temperror'], 'tempfail 10 helo-spf-fail'],
    ['nothing is excused beside it', ['helo-spf-softfail', 'helo-nxdomain'], 'tempfail 7 helo-nxdomain'],
    ['what the text says still refuses', ['helo-spf-fail', 'helo-syntax'], 'reject 20 helo-syntax'],
    ['a hint alone does what it always does', ['helo-spf-softfail'], 'accept 2 helo-spf-softfail'],
  ])('%s', (_, ids, wanted) => {
    expect(words(decide(assessment(ids), makePolicy('rfc5321', findings), { dnsIll: true }))).toBe(wanted);
  });

  it('never turns what was declared into an acceptance, nor into a refusal of what DNS said', () => {
    fc.assert(
      fc.property(
        anyPolicy,
        anyIds,
        fc.constantFrom(...DECLARED),
        anyFacts,
        (policy, ids, declared, facts) => {
          const given = assessment([...new Set([...ids, declared])], facts);
          const ill = decide(given, policy, { dnsIll: true });
          if ((policy.weights.get(declared) ?? 0) > 0) {
            expect(ill.disposition === 'accept').toBe(decide(given, policy).disposition === 'accept');
          }
          const text = ids.filter((id) => ['form', 'local'].includes(findings.get(id)?.basis ?? ''));
          if (ill.disposition === 'reject') {
            expect(decide(assessment(text, facts), policy).disposition).toBe('reject');
          }
        },
      ),
    );
  });

  it('adding a finding never softens a verdict', () => {
    fc.assert(
      fc.property(anyPolicy, anyIds, fc.constantFrom(...IDS), anyFacts, (policy, ids, more, facts) => {
        const before = decide(assessment(ids, facts), policy, { dnsIll: true });
        const after = decide(assessment([...new Set([...ids, more])], facts), policy, { dnsIll: true });
        expect(SEVERITY[after.disposition]).toBeGreaterThanOrEqual(SEVERITY[before.disposition]);
      }),
    );
  });

  it('no verdict is harder than otherwise', () => {
    fc.assert(
      fc.property(anyPolicy, anyIds, anyFacts, (policy, ids, facts) => {
        const given = assessment(ids, facts);
        expect(SEVERITY[decide(given, policy, { dnsIll: true }).disposition]).toBeLessThanOrEqual(
          SEVERITY[decide(given, policy).disposition],
        );
      }),
    );
  });
});

describe('settles', () => {
  it.each<[string[], PolicyChanges, boolean]>([
    [['helo-syntax'], {}, true],
    // DNS may show something that makes these weigh less.
    [['helo-special-use'], {}, false],
    [['helo-public-suffix'], {}, false],
    [['helo-special-use'], { weights: new Map([['helo-special-use', 10]]) }, true],
    [['helo-special-use'], { rejectAt: 5 }, true],
    [['helo-dynamic', 'helo-trailing-dot'], {}, false],
    [['helo-syntax'], { rejectAt: 11 }, false],
    [['helo-syntax'], { weights: new Map([['helo-syntax', 0]]) }, false],
    [[], {}, false],
  ])('%j under %j: %s', (ids, changes, settled) => {
    expect(settles(ids.map(finding), makePolicy('rfc5321', findings, changes))).toBe(settled);
  });

  it('agrees with the verdict: what it settles is rejected', () => {
    fc.assert(
      fc.property(anyPolicy, anyIds, anyIds, (policy, ids, more) => {
        const early = ids.filter((id) => findings.get(id)?.basis === 'form');
        if (!settles(early.map(finding), policy)) return;
        const all = [...new Set([...early, ...more])];
        expect(decide(assessment(all), policy).disposition).toBe('reject');
      }),
    );
  });
});

describe('mismatchAlone', () => {
  const isMatching = (id: string): boolean =>
    findings.get(id)?.basis === 'inferred' && findings.get(id)?.aboutClientAlone !== true;

  it('is the heaviest set of findings of matching that one client can have', () => {
    const inferred = IDS.filter(isMatching);
    const pairs = [['helo-mismatch', 'helo-literal-mismatch']];
    const possible = (ids: readonly string[]): boolean =>
      pairs.every((pair) => !pair.every((id) => ids.includes(id)));
    fc.assert(
      fc.property(anyPolicy, fc.subarray(inferred), (policy, ids) => {
        const most = mismatchAlone(policy);
        expect(most.findings.every(({ id, weight }) => policy.weights.get(id) === weight)).toBe(true);
        expect(possible(most.findings.map(({ id }) => id))).toBe(true);
        expect(most.findings.every(({ id }) => isMatching(id))).toBe(true);
        if (possible(ids)) {
          expect(ids.reduce((sum, id) => sum + (policy.weights.get(id) ?? 0), 0)).toBeLessThanOrEqual(
            most.score,
          );
        }
      }),
    );
  });
});

describe('worthwhile', () => {
  const names = (changes: PolicyChanges): string[] =>
    worthwhile(checks, [makePolicy('rfc5321', findings, changes)]).map(({ name }) => name);

  it('leaves out what asks DNS for a finding that nobody weighs', () => {
    expect(names({})).not.toContain('alias');
    const always = checks.flatMap(({ name, onlyIfWeighed }) => (onlyIfWeighed === true ? [] : [name]));
    expect(names({})).toEqual(expect.arrayContaining(always));
    expect(names({ weights: new Map([['helo-alias', 1]]) })).toContain('alias');
  });

  it('keeps what the policy of a single recipient weighs', () => {
    const policies = [{}, { weights: new Map([['helo-alias', 1]]) }, {}].map((changes) => ({
      ...makePolicy('rfc5321', findings, changes),
      operatorSet: new Set<string>(),
    }));
    expect(worthwhile(checks, policies).map(({ name }) => name)).toContain('alias');
    expect(worthwhile(checks, policies.slice(2)).map(({ name }) => name)).not.toContain('alias');
  });

  it('keeps what the operator set to zero: who does so wants to see it in the log', () => {
    expect(names({ weights: new Map([['helo-alias', 0]]) })).toContain('alias');
    expect(names({ weights: new Map([['helo-mismatch', 0]]) })).not.toContain('alias');
  });
});

/** What a policy lets a regular off, and what it does not. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findings, checks } from '../../src/core/checks/index.ts';
import { PRESETS } from '../../src/core/check.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import { readRecord } from '../../src/decisions/record-reader.ts';
import { isWelcome } from '../../src/decisions/welcome.ts';
import type { Decision } from '../../src/decisions/decision.ts';
import { isLetInAsRegular, judge, type Judged, judgeUnder } from '../../src/policy/judge.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { assessed } from '../support/checked.ts';
import { DECISIONS } from '../fixtures/decisions.ts';
import { CLIENT, RULES, ZONE } from '../support/service.ts';

const FORGIVEN = [...findings].filter(([, { basis }]) => basis === 'existence' || basis === 'inferred');
const SEVERITY = { accept: 0, tempfail: 1, reject: 2 };

const bare = await assessed(CLIENT, 'mail.sender.org', ZONE);
const having = (ids: readonly string[], atWorst?: readonly string[]): typeof bare => ({
  ...bare,
  proofs: [],
  correspondence: 'none',
  findings: ids.map((id) => ({
    id,
    evidence: {},
    ...(findings.get(id)?.basis === 'dns' && atWorst !== undefined ? { atWorst } : {}),
  })),
});

it.each(PRESETS)(
  '%s: existence and inferred weigh nothing, all else as for anybody; the stream stays',
  (preset) => {
    const policy = makePolicy(preset, findings);
    fc.assert(
      fc.property(fc.subarray([...findings.keys()]), (ids) => {
        const given = having(ids);
        const [other, regular] = [decide(given, policy), decide(given, policy, { regular: true })];
        for (const [i, { finding, weight }] of regular.counted.entries()) {
          const forgiven = FORGIVEN.some(([id]) => id === finding.id);
          expect(weight).toBe(forgiven ? 0 : other.counted[i]?.weight);
        }
        expect(regular.stream).toBe(other.stream);
        expect(SEVERITY[regular.disposition]).toBeLessThanOrEqual(SEVERITY[other.disposition]);
        if (ids.every((id) => FORGIVEN.some(([each]) => each === id)))
          expect(regular.disposition).toBe('accept');
      }),
    );
  },
);

it('a weight that the operator set counts', () => {
  const policy = makePolicy('rfc5321', findings, { weights: new Map([['helo-nxdomain', 10]]) });
  expect(decide(having(['helo-nxdomain']), policy, { regular: true }).disposition).toBe('reject');
});

it('not knowing is no worse than knowing', () => {
  const policy = makePolicy('strict', findings);
  const open = (atWorst: readonly string[]): number =>
    decide(having(['dns-temperror'], atWorst), policy, { regular: true }).score;
  expect(open(['helo-nxdomain', 'iprev-none'])).toBe(0);
  expect(open(['helo-nxdomain', 'helo-spf-fail'])).toBe(5);
});

it('holds for the shadow policy and for recipients, and a record judges the same again', async () => {
  const strict = makePolicy('strict', findings);
  const rules = { ...RULES, policy: strict, shadowPolicy: strict };
  const cached = await assessed(CLIENT, 'gone.strange.org', ZONE);
  const session = { previousHelo: null, namesSeen: 1, mta: { name: null, address: null } };
  const under = (regular: boolean): ReturnType<typeof judge> =>
    judge(cached, rules, { session: { ...session, regular }, dnsIll: false, elapsedMs: 0, at: 0 });
  const [other, regular] = [under(false), under(true)];
  expect([other.action, other.shadow?.disposition]).toEqual(['reject', 'reject']);
  expect([regular.action, regular.shadow?.disposition]).toEqual(['accept', 'accept']);
  expect(judgeUnder(strict, regular, rules).action).toBe('accept');
  expect([isLetInAsRegular(regular), isLetInAsRegular(other)]).toEqual([true, false]);
  const mild = makePolicy('rfc5321', findings, { tempfailAt: 9, rejectAt: 100 });
  expect(isLetInAsRegular(judgeUnder(mild, regular, rules))).toBe(false);

  const time = '2026-11-24T07:40:00.023Z';
  const line = decisionRecord({ ...DECISIONS.full, judged: regular }, time, time);
  expect(line).toContain('"regular":true');
  const read = readRecord(line, checks).judged ?? expect.fail();
  const again = judge(read.assessment, rules, { session: read.session, dnsIll: false, elapsedMs: 0, at: 0 });
  expect(again.verdict).toEqual(regular.verdict);
  expect(decisionRecord({ ...DECISIONS.full, judged: other }, time, time)).not.toContain('regular');
});

const judged: Judged = { ...(DECISIONS.full.judged ?? expect.fail()), ownPolicy: null };
const verdict = (disposition: 'accept' | 'tempfail' | 'reject'): Pick<Decision, 'judged'> => ({
  judged: { ...judged, verdict: { ...judged.verdict, disposition } },
});
const WELCOME: Decision = { ...DECISIONS.full, end: 'accepted', limit: null, ...verdict('accept') };

it.each<[string, Partial<Decision>, boolean]>([
  ['accepted by the verdict', {}, true],
  ['tempfailed often enough', { ...verdict('tempfail'), limit: 'spent', exempt: 'tempfail-limit' }, true],
  ['the same where we only watch', { ...verdict('tempfail'), limit: 'spent' }, true],
  ['watched only, and would have been delayed', { ...verdict('tempfail'), limit: 'within' }, false],
  ['watched only, and would have been refused', verdict('reject'), false],
  ['refused', { ...verdict('reject'), end: 'refused' }, false],
  ['given up, or refused by somebody else', { end: 'aborted' }, false],
  ['not seen to its end', { end: 'unseen' }, false],
  ['let in by the access list', { exempt: 'access' }, false],
  ['for postmaster', { exempt: 'postmaster' }, false],
  ['not judged', { judged: null, exempt: 'authenticated' }, false],
  ['let in by the policy of a recipient', { judged: DECISIONS.full.judged }, false],
  ['what was found in its header', { stage: 'message' }, false],
])('a message counts or does not: %s', (_, change, expected) => {
  expect(isWelcome({ ...WELCOME, ...change })).toBe(expected);
});

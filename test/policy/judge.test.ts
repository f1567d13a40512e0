/**
 * Verdicts, with everything that they rest on, made from nothing but an assessment, the session and the
 * rules.
 */
import { expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { acceptedByAll, judge, type Judged, judgeMessage, judgeUnder } from '../../src/policy/judge.ts';
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

import { expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { RecipientPolicies } from '../../src/policy/recipients.ts';
import { policiesOf, type Rules, settledByText } from '../../src/policy/rules.ts';
import { list, RULES } from '../support/service.ts';

const preset = (name: 'rfc5321' | 'emailcore' | 'strict'): Rules['policy'] => makePolicy(name, findings);
const STRICT: Rules = { ...RULES, policy: preset('strict') };
/** A policy under which nothing is refused. */
const mild = makePolicy('strict', findings, { rejectAt: 1000, tempfailAt: 1000 });

it.each<[string, Partial<Rules>, string[]]>([
  ['the general one', {}, ['strict']],
  ['a shadow', { shadowPolicy: preset('rfc5321') }, ['strict', 'rfc5321']],
  [
    'those of recipients',
    {
      shadowPolicy: preset('rfc5321'),
      recipients: new RecipientPolicies(new Map([['sales@dest.test', 'emailcore']]), preset),
    },
    ['strict', 'rfc5321', 'emailcore'],
  ],
])('somebody may be judged by %s', (_, rules, wanted) => {
  expect(policiesOf({ ...STRICT, ...rules }).map((policy) => policy.preset)).toEqual(wanted);
});

it.each<[string, Partial<Rules>, boolean]>([
  ['by one policy', {}, true],
  ['not for an operator who watches', { enforcement: { ...RULES.enforcement, observe: true } }, false],
  ['by an access list that asks for no look-up', { access: list('deny *.example.com') }, true],
  ['not by one that wants the reverse name', { access: list('allow * ptr=.example.net') }, false],
  ['not if the shadow policy would accept', { shadowPolicy: mild }, false],
  [
    'not if the policy of a recipient would accept',
    { recipients: new RecipientPolicies(new Map([['sales@dest.test', 'rfc5321']]), () => mild) },
    false,
  ],
])('a text is settled %s', (_, rules, wanted) => {
  const found = [...findings]
    .filter(([, { basis }]) => basis === 'form')
    .map(([id]) => ({ id, evidence: {} }));
  expect(settledByText(found, { ...STRICT, ...rules })).toBe(wanted);
});

/** What is done for one recipient, and what excuses a sender there. */
import { expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { treatmentOf } from '../../src/policy/treatment.ts';
import { assessed } from '../support/checked.ts';
import { CLIENT, list, RULES, ZONE } from '../support/service.ts';

const SESSION = {
  previousHelo: null,
  namesSeen: 1,
  regular: false,
  mta: { name: null, address: null },
};
const NOW = { session: SESSION, dnsIll: false, elapsedMs: 0, at: 0 };
const recipients = new RecipientPolicies(
  parseRecipientRules('strict@dest.test strict\noff@dest.test off', 'list'),
  (preset) => makePolicy(preset, findings),
);
const ALLOWED = list(`allow * ip=${CLIENT}`);

it.each<[string, string | null, Partial<Rules>, number | null, [string, string | null, string | undefined]]>([
  ['mail.sender.org', null, {}, null, ['accept', null, undefined]],
  ['gone.strange.org', null, {}, null, ['tempfail', null, undefined]],
  ['gone.strange.org', 'somebody@dest.test', {}, null, ['tempfail', null, undefined]],
  // Let in, though the verdict is what it is.
  ['gone.strange.org', 'postmaster@dest.test', {}, null, ['accept', 'postmaster', undefined]],
  ['gone.strange.org', 'off@dest.test', {}, null, ['accept', 'opted-out', undefined]],
  ['gone.strange.org', 'somebody@dest.test', { access: ALLOWED }, null, ['accept', 'access', undefined]],
  ['gone.strange.org', null, { access: ALLOWED }, null, ['accept', 'access', undefined]],
  ['gone.strange.org', null, { access: list('deny x.test') }, null, ['tempfail', null, undefined]],
  // Under the policy of the recipient.
  ['other.sender.org', 'somebody@dest.test', {}, null, ['accept', null, undefined]],
  ['other.sender.org', 'strict@dest.test', {}, null, ['reject', null, 'strict']],
  ['other.sender.org', null, {}, null, ['accept', null, undefined]],
  // By what is in the message.
  ['mail.sender.org', 'somebody@dest.test', {}, 0, ['accept', null, undefined]],
  ['mail.sender.org', 'somebody@dest.test', {}, 201, ['reject', null, undefined]],
  ['mail.sender.org', 'strict@dest.test', {}, 201, ['reject', null, 'strict']],
  ['mail.sender.org', 'postmaster@dest.test', {}, 201, ['accept', 'postmaster', undefined]],
])('%s to %s under %o with %s forged fields: %j', async (helo, recipient, rules, forged, wanted) => {
  const message = forged === null ? null : { authservId: 'mx.dest.org', forgedResults: forged };
  const cached = await assessed(CLIENT, helo, ZONE);
  const { action, exempt, judged } = treatmentOf(
    cached,
    { ...RULES, recipients, ...rules },
    { ...NOW, recipient, message },
  );
  expect([action, exempt, judged.ownPolicy?.preset]).toEqual(wanted);
});

it('says what the verdict was, also of whoever is excused', async () => {
  const asked = { ...NOW, recipient: 'postmaster@dest.test', message: null };
  const { judged } = treatmentOf(await assessed(CLIENT, 'gone.strange.org', ZONE), RULES, asked);
  expect([judged.action, judged.verdict.disposition]).toEqual(['tempfail', 'tempfail']);
});

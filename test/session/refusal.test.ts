/** A refusal in words: those that are the same for everybody are found once, the others each time. */
import { expect, it } from 'vitest';
import { judge } from '../../src/policy/judge.ts';
import { smtpReply } from '../../src/policy/smtp-reply.ts';
import { refuse } from '../../src/session/refusal.ts';
import { assessed } from '../support/checked.ts';
import { CLIENT, RULES, ZONE } from '../support/service.ts';

const SEEN = {
  session: { previousHelo: null, namesSeen: 1, mta: { name: null, address: null }, regular: false },
  dnsIll: false,
  elapsedMs: 0,
  at: 0,
};

it('says to each client what smtpReply says, however often the verdict is given', async () => {
  const judged = judge(await assessed(CLIENT, 'bad_name', ZONE), RULES, SEEN);
  const others = { ...RULES.reply, helpUrl: 'https://help.example.org/', contact: 'help@example.org' };
  for (const words of [RULES.reply, others, RULES.reply])
    for (const [reference, recipient, address] of [
      ['a.1', null, ''],
      ['b.1', 'jo@example.net', '<jo@example.net>'],
      ['c.1', 'jo@example.com', `<${'x'.repeat(300)}@example.com>`],
    ] as const) {
      const reply = refuse(judged, { claim: { reference }, rules: { reply: words }, recipient, address });
      const { assessment, policy, verdict } = judged;
      const expected = smtpReply(verdict, {
        ...{ assessment, policy, findings: policy.findings, words, reference, recipient, address },
      });
      expect(reply).toMatchObject({ code: expected?.code, lines: [expected?.text] });
      expect(JSON.stringify(reply)).toContain(`(ref ${reference})`);
    }
});

it('does not take the words of one action for those of another', async () => {
  const judged = judge(await assessed(CLIENT, 'bad_name', ZONE), RULES, SEEN);
  const told = { claim: { reference: 'a.1' }, rules: RULES };
  expect(refuse(judged, told)).toMatchObject({ code: 501 });
  expect(refuse({ ...judged, action: 'tempfail' }, told)).toMatchObject({ code: 450 });
  expect(refuse({ ...judged, action: 'accept' }, told)).toBe('accept');
  expect(refuse(judged, told)).toMatchObject({ code: 501 });
});

/** The session that README and docs show: its reply, log lines and self-test are real. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Decision, decisionMembers, decisionText } from '../src/decisions/decision.ts';
import * as mta from './support/mta.ts';
import { hello, RULES, service } from './support/service.ts';
import { zoneResolver } from './support/zone.ts';

const CONTACT = 'postmaster@example.org';
const SELF_TEST = 'helotest@mx.example.org';

const read = (page: string): string => readFileSync(new URL(`../${page}`, import.meta.url), 'utf8');

/** What differs from session to session. */
const without = (text: string): string =>
  text
    .replaceAll(/(\bref[ =]|"ref":")[\da-z.]+/g, '$1R')
    .replaceAll(/(\bms=|"ms":)\d+/g, '$1N')
    .replaceAll(/"time":"[^"]*"/g, '"time":"T"');

/** The reply at RCPT, and the decision. */
async function session(recipient: string, contact: string | null): Promise<[string, Decision[]]> {
  const decided: Decision[] = [];
  const { connection } = service({
    resolver: zoneResolver({ 'sender.org': { NS: ['ns.sender.org'] } }),
    rules: {
      reply: { ...RULES.reply, contact },
      selfTest: [{ local: 'helotest', domain: 'mx.example.org' }],
    },
    decided: (decision) => decided.push(decision),
  });
  const { say } = connection();
  await say(...hello('gone.sender.org', '203.0.113.50'), mta.mail('sender@sender.org'));
  const [reply = ''] = await say(mta.rcpt(recipient));
  await say(mta.quit);
  return [
    reply
      .replace(/^y|\|$/g, '')
      .replaceAll('%%', '%')
      .replaceAll(/\|$/g, ''),
    decided,
  ];
}

it('the README and docs/log.md show the reply and the lines of the log', async () => {
  const [reply, [decision]] = await session('user@dest.test', null);
  if (decision === undefined) throw new Error('nothing was decided');
  const [readme, log] = ['README.md', 'docs/log.md'].map((page) => without(read(page)));
  expect(readme).toContain(`\n< ${without(reply)}\n`);
  const line = without(decisionText(decision));
  expect(readme).toContain(`\n${line}\n`);
  expect(log).toContain(`\n${line}\n`);
  expect(log).toContain(`\n{"time":"T","level":"info",${without(decisionMembers(decision))}}\n`);
});

it('docs/self-test.md shows the answer to a self-test', async () => {
  const [reply, decided] = await session(SELF_TEST, CONTACT);
  expect(decided).toEqual([]);
  expect(reply).toMatch(/^550-5\.7\.1 \[self-test\] /);
  expect(without(read('docs/self-test.md'))).toContain(`\n${without(reply).replaceAll('\r\n', '\n')}\n`);
});

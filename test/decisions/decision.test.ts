import { describe, expect, it } from 'vitest';
import {
  type Decision,
  decisionLogger,
  decisionMembers,
  decisionText,
  dnsTrouble,
} from '../../src/decisions/decision.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import type { Judged } from '../../src/policy/judge.ts';
import { createLog } from '../../src/log/log.ts';
import { formatValue } from '../../src/log/value.ts';
import { DECISIONS } from '../fixtures/decisions.ts';

/** Keys and values of a `key=value` line, as they stand there. */
function parse(line: string): [string, string][] {
  return [...line.matchAll(/ ([a-z_]+)=("(?:[^"\\]|\\.)*"|\S+)/g)].map(([, key = '', value = '']) => [
    key,
    value,
  ]);
}

describe('decisionText', () => {
  it('has every field, in its place', () => {
    expect(decisionText(DECISIONS.full)).toBe(
      'decision client=203.0.113.50 helo="gone sender.org" action=tempfail policy=rfc5321 verdict=tempfail score=7 cause=helo-nxdomain findings=helo-nxdomain:5,iprev-none:2 correspondence=none stream=failed shadow=reject:14 access=3 regular=yes dns=ill unanswered=timeout limit=within ramp=within stream_limit=over domain=sender.org reverse=gone.isp.net reverse_domain=isp.net ms=3 cache=miss stage=rcpt from=<a@b.org> rcpt=<user@dest.test> more=<other@dest.test>,<third@dest.test> recipients=40 queue=4Y1abc end=refused ref=mwtthiz8.5.1',
    );
  });

  it('of an exempt client that was not judged', () => {
    expect(decisionText(DECISIONS.exempt)).toBe(
      'decision client=unknown helo=Jupiter action=accept exempt=loopback cache=none stage=mail from=<> end=unseen ref=mwtthiz8.5.1',
    );
  });
});

describe('dns=ill', () => {
  const judged = DECISIONS.full.judged ?? expect.fail();
  const { assessment, verdict } = judged;
  const refused = { ...verdict, disposition: 'reject' } as const;
  const accepted = { ...verdict, disposition: 'accept' } as const;
  const unasked = { ...assessment, dns: [] };

  it.each<[title: string, changes: Partial<Judged>, ill: boolean]>([
    ['a delay', {}, true],
    ['an acceptance', { verdict: accepted }, true],
    ['a refusal, for the text or by a local rule', { verdict: refused, shadow: null }, false],
    ['a refusal that the shadow policy would refuse, too', { verdict: refused, shadow: refused }, false],
    ['a refusal whose shadow DNS might have changed', { verdict: refused, shadow: accepted }, true],
    ['what the text settled', { assessment: unasked, verdict: refused }, false],
    ['an acceptance for which nobody asked', { assessment: unasked, verdict: accepted }, false],
    ['a delay without an outage', { dnsIll: false }, false],
  ])('%s', (_, changes, ill) => {
    expect(dnsTrouble({ ...judged, ...changes })).toBe(ill ? 'ill' : null);
  });
});

describe('unanswered', () => {
  const judged = DECISIONS.full.judged ?? expect.fail();
  const answer = { name: 'mail.sender.org', type: 'A', status: 'temperror', ttl: null } as const;
  const bogus = { ...answer, records: ['bogus'], errors: [{ code: 6, text: 'a "text' }] };
  const late = { ...answer, records: ['timeout'] };
  const told = (assessment: Partial<Assessment>): string | undefined => {
    const full = { ...judged.assessment, trouble: 'owner', ...assessment } as const;
    const line = decisionText({ ...DECISIONS.full, judged: { ...judged, assessment: full } });
    return parse(line).find(([key]) => key === 'unanswered')?.[1];
  };

  it.each<[string, Partial<Assessment>, string | undefined]>([
    ['each reason once, with the codes that came with it', { dns: [bogus, late, late] }, 'bogus:6,timeout'],
    [
      'nothing of an answer that came',
      { dns: [{ ...bogus, status: 'found', records: ['192.0.2.1'] }] },
      undefined,
    ],
    ['nothing of a question that was not asked', { dns: [{ ...answer, records: ['overload'] }] }, undefined],
    ['nothing where the answer was not missed', { dns: [bogus], trouble: null }, undefined],
    [
      'a few at most, whatever a resolver says',
      { dns: Array.from({ length: 99 }, (_, i) => ({ ...answer, records: [`a b"${i}`] })) },
      '"a b\\"0,a b\\"1,a b\\"2,a b\\"3"',
    ],
  ])('tells %s', (_, assessment, wanted) => {
    expect(told(assessment)).toBe(wanted);
  });
});

it.each(Object.entries<Decision>(DECISIONS))('%s: JSON has the same names and values', (_, decision) => {
  const line = decisionText(decision);
  const members = JSON.parse(`{${decisionMembers(decision)}}`) as Record<string, unknown>;
  expect(members['event']).toBe('decision');
  expect(
    Object.entries(members)
      .slice(1)
      .map(([key, value]) => [key, formatValue(String(value))]),
  ).toEqual(parse(line));
});

it.each([
  ['kv', 'info', /^decision client=/],
  ['json', 'info', /^\{"time":"[^"]+","level":"info","event":"decision","client":/],
  ['kv', 'warning', /^$/],
] as const)('decisionLogger: %s at %s', (format, level, wanted) => {
  let text = '';
  decisionLogger(createLog((line) => (text += line), { format, level }))(DECISIONS.full);
  expect(text).toMatch(wanted);
});

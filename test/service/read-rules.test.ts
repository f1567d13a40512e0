import { describe, expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { DEFAULT_REJECT_AT, presetWeight } from '../../src/policy/policy.ts';
import { policyOf, replyOf } from '../../src/service/read-rules.ts';
import { UsageError } from '../../src/errors.ts';

const templates = (...replyTemplate: [string, string][]): Parameters<typeof replyOf>[0] => ({
  helpUrl: null,
  contact: null,
  replyTemplate,
  replyCode: [],
});
const codes = (...replyCode: [string, number][]): Parameters<typeof replyOf>[0] => ({
  ...templates(),
  replyCode,
});

const GIVEN = {
  policy: 'strict',
  rejectAt: DEFAULT_REJECT_AT,
  tempfailAt: 5,
  require: null,
  weight: [],
  ramp: [],
  streamWeight: [],
  txtOptsOut: false,
} as const;

describe('policyOf', () => {
  it.each([...findings.keys()])('every weight can be changed: %s', (id) => {
    for (const weight of [0, 3, 1000]) {
      const { weights } = policyOf({ ...GIVEN, weight: [[id, weight]] }, findings);
      for (const [other, spec] of findings) {
        expect(weights.get(other)).toBe(other === id ? weight : presetWeight(spec, 'strict'));
      }
    }
  });
});

describe('a ramp', () => {
  const RAMP = { count: 3, ageMs: 1000 };

  it.each([...findings].filter(([, { basis }]) => basis !== 'dns').map(([id]) => id))(
    'can be that of %s',
    (id) => {
      expect([...policyOf({ ...GIVEN, ramp: [[id, RAMP]] }, findings).ramps]).toEqual([[id, RAMP]]);
    },
  );

  it.each<readonly [string, RegExp]>([
    ['helo-nonsense', /^--ramp: there is no finding "helo-nonsense"; see --list-findings$/],
    ...[...findings]
      .filter(([, { basis }]) => basis === 'dns')
      .map(([id]) => [id, new RegExp(`^--ramp: ${id} says what DNS could not answer`)] as const),
  ])('is not that of %s', (id, message) => {
    expect(() => policyOf({ ...GIVEN, ramp: [[id, RAMP]] }, findings)).toThrow(UsageError);
    expect(() => policyOf({ ...GIVEN, ramp: [[id, RAMP]] }, findings)).toThrow(message);
  });
});

describe('replyOf', () => {
  it('takes a template whose placeholders the finding has', () => {
    const { templates: made } = replyOf(
      templates(
        ['helo-mismatch', '{helo} is at {addresses}, you are {client}'],
        ['helo-not-fqdn', 'plain words'],
      ),
      findings,
    );
    expect([...made.keys()]).toEqual(['helo-mismatch', 'helo-not-fqdn']);
  });

  it.each([
    ['helo-nonsense', 'x', /^--reply-template: there is no finding "helo-nonsense"; see --list-findings$/],
    [
      'helo-mismatch',
      '{helo} {nonsense}',
      /^--reply-template: helo-mismatch has no \{nonsense\}, only \{client\}, \{helo\}, /,
    ],
  ])('refuses %s=%s', (id, text, message) => {
    expect(() => replyOf(templates([id, text]), findings)).toThrow(UsageError);
    expect(() => replyOf(templates([id, text]), findings)).toThrow(message);
  });

  it('takes placeholders of the advice too', () => {
    const text = '{helo} wants {type}';
    expect(replyOf(templates(['helo-nxdomain', text]), findings).templates.get('helo-nxdomain')).toBe(text);
  });

  it('takes a code for each class, the last of each', () => {
    const { codes: made } = replyOf(
      codes(['helo-not-fqdn', 550], ['helo-not-fqdn', 504], ['helo-not-fqdn', 421], ['dns-temperror', 450]),
      findings,
    );
    expect([...(made ?? [])]).toEqual([
      ['helo-not-fqdn', { reject: 504, tempfail: 421 }],
      ['dns-temperror', { tempfail: 450 }],
    ]);
  });

  it.each<[string, number, RegExp]>([
    ['helo-nonsense', 550, /^--reply-code: there is no finding "helo-nonsense"; see --list-findings$/],
    ['helo-not-fqnd', 550, /^--reply-code: there is no finding "helo-not-fqnd".*helo-not-fqdn/],
    [
      'dns-temperror',
      550,
      /^--reply-code: dns-temperror never rejects mail, .* a code for it is 4yz, not 550$/,
    ],
  ])('refuses the code %s=%i', (id, code, message) => {
    expect(() => replyOf(codes([id, code]), findings)).toThrow(UsageError);
    expect(() => replyOf(codes([id, code]), findings)).toThrow(message);
  });
});

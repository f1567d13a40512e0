import { expect, it } from 'vitest';
import { assess } from '../../src/core/assess.ts';
import { type Check, defineCheck, none, type Outcome } from '../../src/core/check.ts';
import { byPlace, listed } from '../../src/core/check-list.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { zoneResolver } from '../support/zone.ts';

function check(name: string, more: Partial<Check> = {}): Check {
  return defineCheck({ name, findings: {}, run: () => 'none', ...more });
}

const FORMAL = {
  'too-odd': { about: 'odd', basis: 'form', weights: {} },
} as unknown as Check['findings'];

it('has each check in one half, in its order, and each finding at its place', () => {
  const { formal, others, places, findingPlaces, provers, reads } = listed(checks);
  expect([...formal, ...others].sort(byPlace(places, ({ name }) => name))).toEqual(checks);
  expect(formal.length).toBeGreaterThan(0);
  for (const { findings: own } of formal)
    for (const { basis } of Object.values(own)) expect(basis).toBe('form');
  expect([...findingPlaces.keys()]).toEqual([...findings.keys()]);
  expect([...findingPlaces.values()]).toEqual([...findings.keys()].map((_, place) => place));
  expect([...provers]).toEqual(checks.filter((each) => each.provesCorrespondence).map(({ name }) => name));
  expect(reads.size).toBe(checks.length);
});

it('is worked out once for a list', () => {
  expect(listed(checks)).toBe(listed(checks));
});

it.each<[string, (list: Check[]) => void]>([
  ['one more', (list) => list.push(check('third', { findings: FORMAL }))],
  ['another in the place of one', (list) => (list[1] = check('third', { findings: FORMAL }))],
  ['one less', (list) => list.pop()],
])('knows a list that was changed meanwhile: %s', async (_, change) => {
  const list = [check('first'), check('second')];
  const client = makeClient('192.0.2.1', 'mail.example.org');
  const options = { resolver: zoneResolver({}), checks: list, onCheckError: expect.unreachable };
  await assess(client, options);
  change(list);
  const { outcomes } = await assess(client, options);
  expect(outcomes.map((outcome) => outcome.check)).toEqual(list.map(({ name }) => name));
});

it('hears checks that answer at once, later, in a promise of another making, and not at all', async () => {
  const odd = none({ seen: 'thenable' });
  const thenable = {
    then: (give: (outcome: Outcome) => void) => {
      give(odd);
    },
  };
  const failed: string[] = [];
  const list = [
    check('at-once', { run: () => none({ seen: 'at once' }) }),
    check('later', { run: () => Promise.resolve(none({ seen: 'later' })) }),
    check('thenable', { run: () => thenable as unknown as Promise<Outcome> }),
    check('throws', {
      run: () => {
        throw new Error('at once');
      },
    }),
    check('rejects', { run: () => Promise.reject(new Error('later')) }),
  ];
  const { outcomes } = await assess(makeClient('192.0.2.1', 'mail.example.org'), {
    resolver: zoneResolver({}),
    checks: list,
    onCheckError: (name, error) => failed.push(`${name}: ${String(error)}`),
  });
  expect(failed).toEqual(['throws: Error: at once', 'rejects: Error: later']);
  expect(outcomes.map((outcome) => [outcome.check, outcome.evidence])).toEqual([
    ['at-once', { seen: 'at once' }],
    ['later', { seen: 'later' }],
    ['thenable', { seen: 'thenable' }],
    ['throws', { detail: 'the check failed' }],
    ['rejects', { detail: 'the check failed' }],
  ]);
});

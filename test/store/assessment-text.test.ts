/** What a neighbour on the same server may write in place of an assessment, and what comes of it. */
import { expect, it } from 'vitest';
import { assess, withSession } from '../../src/core/assess.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { CORRESPONDENCES, PRESETS, RESULTS } from '../../src/core/check.ts';
import { checks, findings, sessionChecks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import type { SessionFacts } from '../../src/core/checks/session.ts';
import { QUERY_BUDGET, REVERSE_BUDGET } from '../../src/core/recording-resolver.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { assessmentText, readAssessmentText } from '../../src/store/assessment-text.ts';
import { CLIENT, ZONE } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';

const HELO = 'mail.sender.org';
const GOOD = makeClient(CLIENT, HELO);

/** An outcome or an answer, with whatever in it. */
type Loose = Partial<
  Record<
    | 'check'
    | 'result'
    | 'evidence'
    | 'correspondence'
    | 'optOut'
    | 'finding'
    | 'name'
    | 'type'
    | 'status'
    | 'records'
    | 'ttl'
    | 'alias'
    | 'errors',
    unknown
  >
>;

interface Told {
  outcomes: Loose[];
  proofs: string[];
  dns: Loose[];
  correspondence?: unknown;
  findings?: unknown;
}

const made = (helo: string): Promise<Assessment> =>
  assess(makeClient(CLIENT, helo), {
    resolver: zoneResolver(ZONE),
    checks,
    onCheckError: (_, error) => expect.fail(String(error)),
  });
const honest = await made(HELO);
const text = assessmentText(honest) ?? expect.fail();
const read = (forged: Told): Assessment | null => readAssessmentText(JSON.stringify(forged), GOOD, checks);
const forge = (change: (told: Told) => void): Assessment | null => {
  const told = JSON.parse(text) as Told;
  change(told);
  return read(told);
};
const first = (list: Loose[]): Loose => list[0] ?? expect.fail();

it('is the same on the other host', () => {
  expect(readAssessmentText(text, GOOD, checks)).toEqual(honest);
});

it.each(['unknown.sender.org', 'gone.strange.org', 'localhost', '[198.51.100.9]'])(
  'does not share what speaks against %s',
  async (helo) => {
    expect(assessmentText(await made(helo))).toBeNull();
  },
);

it.each<[string, (told: Told) => void]>([
  ['a line end in the type of an answer', ({ dns }) => (first(dns).type = 'A":{}}}}\n{"version":2')],
  ['a type that is none', ({ dns }) => (first(dns).type = '__proto__')],
  [
    'an answer that did not come',
    ({ dns }) => Object.assign(first(dns), { status: 'temperror', records: [] }),
  ],
  ['a TTL before now', ({ dns }) => (first(dns).ttl = -1)],
  ['a long name', ({ dns }) => (first(dns).name = 'a'.repeat(300))],
  ['a long record', ({ dns }) => (first(dns).records = ['a'.repeat(2000)])],
  ['a long alias', ({ dns }) => (first(dns).alias = 'a'.repeat(300))],
  ['many errors', ({ dns }) => (first(dns).errors = [1, 2, 3].map((code) => ({ code, text: '' })))],
  [
    'more questions than are asked',
    (told) => (told.dns = Array<Loose>(QUERY_BUDGET + REVERSE_BUDGET + 1).fill(first(told.dns))),
  ],
  ['an outcome twice', ({ outcomes }) => outcomes.push(first(outcomes))],
  ['a check that is none', ({ outcomes }) => (first(outcomes).check = 'certain')],
  ['no outcome', (told) => (told.outcomes = [])],
  ['a result that is none', ({ outcomes }) => (first(outcomes).result = 'certain')],
  ['long evidence', ({ outcomes }) => (first(outcomes).evidence = { a: 'a'.repeat(5000) })],
  ['a long word for evidence', ({ outcomes }) => (first(outcomes).evidence = { ['a'.repeat(65)]: '' })],
  ['a proof that is none', ({ proofs }) => proofs.push('certain')],
  ['a proof that no outcome shows', (told) => (told.proofs = ['authorized'])],
  [
    'a correspondence that no outcome shows',
    (told) => {
      told.correspondence = 'exact';
      for (const each of told.outcomes) each.correspondence = 'none';
    },
  ],
])('refuses %s', (_, change) => {
  expect(forge(change)).toBeNull();
});

it.each(['fail', 'softfail', 'policy', 'permerror', 'temperror'])(
  'does not have filters behind us told of a %s that was not found here',
  (result) => {
    for (const i of checks.keys())
      expect(forge(({ outcomes }) => Object.assign(outcomes[i] ?? {}, { result }))).toBeNull();
  },
);

it('is not read where it is longer than those that are kept', () => {
  expect(readAssessmentText(text.padEnd(20_000), GOOD, checks)).toBeNull();
});

it('is never a reason to refuse, whatever finding is forged, under any preset', () => {
  const facts: SessionFacts = {
    ourNames: ['sender.org'],
    ourAddresses: [],
    previousHelo: 'other.example.org',
    namesSeen: 100,
    churnLimit: 1,
    denied: null,
    shareUsedUp: false,
  };
  const policies = PRESETS.flatMap((preset) =>
    (['exact', 'authorized', 'aligned', undefined] as const).map((require) =>
      makePolicy(preset, findings, { require }),
    ),
  );
  let taken = 0;
  const expectMild = (forged: Assessment | null): void => {
    if (forged === null) return;
    taken++;
    const judged = withSession(forged, facts, sessionChecks);
    for (const policy of policies) expect(decide(judged, policy).disposition).not.toBe('reject');
  };
  for (const id of findings.keys()) {
    const finding = { id, evidence: { helo: HELO }, atWorst: ['x"]}\nFORGED'] };
    expectMild(forge((told) => (told.findings = [finding])));
    for (const i of checks.keys())
      expectMild(forge(({ outcomes }) => Object.assign(outcomes[i] ?? {}, { result: 'fail', finding })));
  }
  for (const i of checks.keys())
    for (const result of RESULTS)
      for (const correspondence of CORRESPONDENCES)
        for (const optOut of [false, true])
          expectMild(
            forge(({ outcomes }) => Object.assign(outcomes[i] ?? {}, { result, correspondence, optOut })),
          );
  expect(taken).toBeGreaterThan(100);
});

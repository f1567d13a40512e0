/** What is drawn from the outcomes of all checks, on outcomes made by hand. */
import { describe, expect, it } from 'vitest';
import {
  type Correspondence,
  type Finding,
  type Outcome,
  type Proof,
  type Result,
  unansweredEvidence,
} from '../../src/core/check.ts';
import { checks } from '../../src/core/checks/index.ts';
import { unknownFinding } from '../../src/core/checks/unknown.ts';
import { makeClient } from '../../src/core/client.ts';
import { conclude, withMismatch } from '../../src/core/conclude.ts';
import type { NamedOutcome } from '../../src/core/kept-outcome.ts';
import type { DnsAnswer } from '../../src/core/recording-resolver.ts';

const CLIENT = makeClient('192.0.2.1', 'mail.sender.org');
const RESOLVES = told('exists', { evidence: { addresses: '203.0.113.1' } });

function told(check: string, changes: Partial<Outcome> = {}): NamedOutcome {
  const plain = {
    result: 'pass',
    evidence: {},
    finding: null,
    correspondence: 'none',
    optOut: false,
  } as const;
  return { check, ...plain, ...changes };
}
const finding = (id: string): Finding => ({ id, evidence: {} });
const ids = (findings: readonly Finding[]): readonly string[] => findings.map(({ id }) => id);
const concluded = (...outcomes: NamedOutcome[]): ReturnType<typeof conclude> =>
  conclude(CLIENT, outcomes, checks, []);

describe('a neighbour', () => {
  it.each<[string, Correspondence, true | undefined, Correspondence]>([
    ['counts', 'near', undefined, 'near'],
    ['with a reverse name of somebody else does not', 'near', true, 'none'],
    ['is not what an address of the name is', 'exact', true, 'exact'],
    ['is not what its owner permits', 'authorized', true, 'authorized'],
  ])('%s: %s, foreign %s', (_, correspondence, foreign, wanted) => {
    const said = told('iprev', foreign === undefined ? {} : { foreign });
    const found = concluded(told('address', { correspondence }), said, told('spf'));
    expect(found.correspondence).toBe(wanted);
    expect(found.outcomes.map((each) => each.correspondence)).toEqual([wanted, 'none', 'none']);
    // What only this reads is not kept.
    for (const each of found.outcomes) {
      expect(Object.keys(each).sort()).toEqual(
        ['check', 'correspondence', 'evidence', 'finding', 'optOut', 'result'].sort(),
      );
    }
  });

  it('is told by an outcome that is kept as it is where nothing is taken from it', () => {
    const near = told('address', { correspondence: 'near' });
    expect(concluded(near, told('iprev')).outcomes[0]).toBe(near);
  });
});

it.each<[Correspondence, Proof[], Correspondence, Proof[], Proof[]]>([
  ['exact', [], 'none', [], ['exact']],
  ['authorized', [], 'exact', [], ['exact', 'authorized']],
  ['aligned', [], 'near', [], []],
  ['aligned', ['reverse', 'aligned'], 'authorized', [], ['authorized', 'aligned', 'reverse']],
  ['none', ['reverse'], 'none', ['reverse'], ['reverse']],
])('%s with %j and %s with %j is proved by %j', (one, proofs, other, more, wanted) => {
  const found = concluded(
    told('address', { correspondence: one, proofs }),
    told('iprev', { correspondence: other, proofs: more }),
  );
  expect(found.proofs).toEqual(wanted);
});

describe('an answer that did not come', () => {
  const answer = (changes: Partial<DnsAnswer>): DnsAnswer => ({
    ...{ name: 'mail.sender.org', type: 'AAAA', status: 'temperror', records: [], ttl: null },
    ...changes,
  });
  it.each<[string, Correspondence, Partial<DnsAnswer>, boolean]>([
    ['of the other address type', 'exact', {}, true],
    ['of the other address type, IPv4', 'exact', { type: 'A' }, true],
    ['of another type', 'exact', { type: 'TXT' }, false],
    ['of another name', 'exact', { name: 'sender.org' }, false],
    ['where no address is the client’s', 'authorized', {}, false],
    ['which did come', 'exact', { status: 'nodata' }, false],
  ])('%s, %s, matters no more: %j %s', (_, correspondence, changes, moot) => {
    const dns = [answer(changes)];
    const [found] = conclude(CLIENT, [told('address', { correspondence })], checks, dns).dns;
    expect(found).toEqual(moot ? { ...dns[0], moot: true } : dns[0]);
  });
});

describe('trouble', () => {
  const ill = (check: string, result: Result = 'temperror'): NamedOutcome => told(check, { result });
  const open = (check: string): NamedOutcome =>
    told(check, {
      evidence: unansweredEvidence({ question: '1.2.0.192.in-addr.arpa PTR', detail: 'timeout' }),
    });
  it.each<[string, NamedOutcome[], string | null]>([
    ['is nowhere', [told('address'), ill('spf', 'permerror')], null],
    ['is in the client’s zone', [ill('iprev')], 'client'],
    ['is in the owner’s zone', [ill('address')], 'owner'],
    ['is in both, which is the owner’s', [ill('iprev'), ill('address')], 'owner'],
    ['is in what the owner asks of the client’s zone', [open('spf')], 'client'],
    ['is in that and in the owner’s zone', [open('spf'), ill('address')], 'owner'],
    [
      'is told by nothing but a finding',
      [told('address', { finding: unknownFinding('mail.sender.org A', 'timeout') })],
      'owner',
    ],
    ['is no other finding', [told('address', { finding: finding('helo-nxdomain') })], null],
  ])('%s', (_, outcomes, zone) => {
    expect(concluded(...outcomes).trouble).toBe(zone);
  });
});

describe('a mismatch', () => {
  const shown = (correspondence: Correspondence): NamedOutcome => told('address', { correspondence });
  it.each<[string, NamedOutcome[], boolean, readonly (readonly [string, boolean])[]]>([
    ['is a finding where nothing is shown', [RESOLVES], true, [['helo-mismatch', false]]],
    ['is none where more is shown', [RESOLVES, shown('near')], true, []],
    ['is not there where the name is the client’s', [RESOLVES, shown('exact')], false, []],
    ['needs a name that resolves', [told('exists', { result: 'fail' })], false, []],
    [
      'is provisional while the client’s zone is silent',
      [RESOLVES, told('iprev', { result: 'temperror' })],
      true,
      [['helo-mismatch', true]],
    ],
    ['waits for the owner', [RESOLVES, told('spf', { result: 'temperror' })], true, []],
  ])('%s', (_, outcomes, isThere, findings) => {
    const found = concluded(...outcomes);
    const evidence = { helo: 'mail.sender.org', addresses: '203.0.113.1' };
    expect(found.mismatch).toEqual(isThere ? evidence : null);
    expect(found.findings.map(({ id, provisional }) => [id, provisional === true])).toEqual(findings);
    for (const each of found.findings) expect(each.evidence).toEqual(evidence);
  });

  it('is added for a policy that requires more, once', () => {
    const near = concluded(RESOLVES, shown('near'));
    const more = { correspondence: 'near', required: 'exact' };
    const [added, ...others] = withMismatch(near, more);
    expect([added?.id, others]).toEqual(['helo-mismatch', []]);
    expect(added?.evidence).toEqual({ helo: 'mail.sender.org', addresses: '203.0.113.1', ...more });
    const none = concluded(RESOLVES);
    expect(withMismatch(none, more)).toBe(none.findings);
    const exact = concluded(RESOLVES, shown('exact'));
    expect(withMismatch(exact, more)).toBe(exact.findings);
  });
});

it('has each finding once, in registry order', () => {
  const found = concluded(
    told('iprev', { finding: finding('iprev-none') }),
    told('spf', { finding: unknownFinding('a', 'timeout') }),
    told('address', { finding: unknownFinding('b', 'timeout') }),
    told('syntax', { finding: finding('helo-syntax') }),
  );
  const order = ids(found.findings);
  expect(order).toHaveLength(3);
  expect(order.indexOf('helo-syntax')).toBeLessThan(order.indexOf('iprev-none'));
});

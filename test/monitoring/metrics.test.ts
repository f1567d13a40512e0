import { describe, expect, it } from 'vitest';
import type { Assessment } from '../../src/core/assessment.ts';
import { findings } from '../../src/core/checks/index.ts';
import type { Answer, RecordType } from '../../src/core/resolver.ts';
import type { Decision } from '../../src/decisions/decision.ts';
import type { Judged } from '../../src/policy/judge.ts';
import { Durations, Metrics, Tally } from '../../src/monitoring/metrics.ts';
import type { Exemption } from '../../src/policy/exemption.ts';
import { makePolicy } from '../../src/policy/policy.ts';

const clock = { now: 0 };
const make = (ids: Iterable<string> = findings.keys()): Metrics => new Metrics(ids, () => clock.now);

const POLICY = makePolicy('rfc5321', findings);

/** The counts, without zeros. */
function numbers(tally: Iterable<readonly [string, number]>): Record<string, number> {
  return Object.fromEntries([...tally].filter(([, n]) => n > 0));
}

function decision(
  { id = 'helo-nxdomain', ...judged }: { readonly id?: string } & Partial<Judged>,
  exempt: Exemption | null = null,
): Decision {
  const finding = { id, evidence: {} };
  return {
    reference: 'r',
    connectedAt: 0,
    client: '192.0.2.1',
    helo: 'mail.example.org',
    cache: 'hit',
    exempt,
    stage: 'rcpt',
    message: 1,
    sender: null,
    limit: null,
    recipients: [],
    recipientCount: 0,
    queueId: null,
    end: 'refused',
    judged: {
      ramp: null,
      streamLimit: null,
      assessment: { correspondence: 'none', dns: [] as Assessment['dns'] } as Assessment,
      verdict: {
        disposition: 'tempfail',
        score: 7,
        stream: 'failed',
        cause: finding,
        counted: [
          { finding, weight: 5 },
          { finding: { id: 'iprev-none', evidence: {} }, weight: 2 },
        ],
      },
      policy: POLICY,
      shadowPolicy: null,
      ownPolicy: null,
      shadow: null,
      access: null,
      action: 'tempfail',
      dnsIll: false,
      elapsedMs: 0,
      session: { previousHelo: null, namesSeen: 1, regular: false, mta: { name: null, address: null } },
      ...judged,
    },
  };
}

describe('a decision', () => {
  it('of an assessment that could not ask is counted', () => {
    const metrics = make();
    const dns = [
      { name: 'a.org', type: 'A', status: 'temperror', records: ['overload'], ttl: null },
    ] as const;
    metrics.decided(decision({ assessment: { correspondence: 'none', dns } as unknown as Assessment }));
    expect(metrics.overloaded).toBe(1);
  });

  it('counts once in each respect', () => {
    const metrics = make();
    metrics.decided(decision({}));
    expect(numbers(metrics.verdicts)).toEqual({ tempfail: 1 });
    expect(numbers(metrics.actions)).toEqual({ tempfail: 1 });
    expect(numbers(metrics.causes)).toEqual({ 'helo-nxdomain': 1 });
    expect(numbers(metrics.findings)).toEqual({ 'helo-nxdomain': 1, 'iprev-none': 1 });
    expect(numbers(metrics.streams)).toEqual({ failed: 1 });
    expect(numbers(metrics.correspondences)).toEqual({ none: 1 });
    expect(numbers(metrics.exemptions)).toEqual({});
    expect(numbers(metrics.shadowVerdicts)).toEqual({});
  });

  it.each<[string, Decision, Partial<Record<'verdicts' | 'actions' | 'causes' | 'exemptions', object>>]>([
    [
      'only observed',
      decision({ action: 'accept' }),
      { verdicts: { tempfail: 1 }, actions: { accept: 1 }, causes: {}, exemptions: {} },
    ],
    [
      'exempt, with a verdict',
      decision({}, 'postmaster'),
      { verdicts: { tempfail: 1 }, actions: { accept: 1 }, causes: {}, exemptions: { postmaster: 1 } },
    ],
    [
      'exempt, without one',
      { ...decision({}, 'loopback'), judged: null },
      { verdicts: {}, actions: { accept: 1 }, causes: {}, exemptions: { loopback: 1 } },
    ],
    [
      'one tempfail too many',
      decision({}, 'tempfail-limit'),
      { verdicts: { tempfail: 1 }, actions: { accept: 1 }, causes: {}, exemptions: { 'tempfail-limit': 1 } },
    ],
  ])('%s', (_, given, wanted) => {
    const metrics = make();
    metrics.decided(given);
    for (const [name, counted] of Object.entries(wanted)) {
      expect(numbers(metrics[name as 'verdicts']), name).toEqual(counted);
    }
  });

  it('counts what the shadow policy would have said', () => {
    const metrics = make();
    const shadow = { disposition: 'reject', score: 10, stream: 'failed', cause: null, counted: [] } as const;
    metrics.decided(decision({ shadow }));
    expect(numbers(metrics.shadowVerdicts)).toEqual({ reject: 1 });
  });

  it('makes no series of its own, whatever comes', () => {
    const metrics = make(['helo-nxdomain', 'own-check']);
    for (let i = 0; i < 1000; i++) metrics.decided(decision({ id: `stray-${i}` }, `stray-${i}` as Exemption));
    metrics.decided(decision({ id: 'own-check' }));
    expect([...metrics.findings].map(([id]) => id)).toEqual(['helo-nxdomain', 'own-check', 'other']);
    expect(numbers(metrics.findings)).toEqual({ 'own-check': 1, other: 2001 });
    expect(numbers(metrics.exemptions)).toEqual({ other: 1000 });
  });
});

describe('Durations', () => {
  it.each([
    [0, 0],
    [1, 0],
    [1.1, 1],
    [6000, 12],
    [25_000, 13],
    [60_000, 14],
  ])('%f ms fall into bucket %i', (ms, bucket) => {
    const durations = new Durations();
    durations.add(ms);
    expect(durations.counts.indexOf(1)).toBe(bucket);
    expect(durations.counts).toHaveLength(durations.bounds.length + 1);
    expect(durations.sum).toBe(ms / 1000);
  });

  it('has its bounds in order', () => {
    const { bounds } = new Durations();
    expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
  });
});

it('Tally starts at zero for each word', () => {
  const tally = new Tally(['a', 'b']);
  tally.count('b');
  expect([...tally]).toEqual([
    ['a', 0],
    ['b', 1],
  ]);
});

describe('DNS', () => {
  it('is counted by type, answer, time and kind of error, and answers stay what they are', async () => {
    const metrics = make();
    const answers: Record<string, Answer<RecordType>> = {
      'a.org': { status: 'found', records: ['192.0.2.1'], ttl: 1 },
      'b.org': { status: 'nxdomain', ttl: null },
      'c.org': { status: 'temperror', detail: 'servfail' },
      'd.org': { status: 'temperror', detail: 'some-other-thing' },
    };
    const watched = metrics.watch({
      lookup: <T extends RecordType>(name: string) => {
        clock.now += 20;
        return Promise.resolve(answers[name] as Answer<T>);
      },
    });
    clock.now = 1000;
    for (const name of ['a.org', 'b.org']) expect(await watched.lookup(name, 'A')).toBe(answers[name]);
    expect([metrics.answeredAt, metrics.failedAt]).toEqual([1040, -Infinity]);
    for (const name of ['c.org', 'd.org']) expect(await watched.lookup(name, 'PTR')).toBe(answers[name]);
    expect([metrics.answeredAt, metrics.failedAt]).toEqual([1040, 1080]);
    expect(numbers(metrics.questions.get('A') ?? [])).toEqual({ found: 1, nxdomain: 1 });
    expect(numbers(metrics.questions.get('PTR') ?? [])).toEqual({ temperror: 2 });
    expect(numbers(metrics.dnsErrors)).toEqual({ servfail: 1, other: 1 });
    expect(metrics.dnsDuration.counts[4]).toBe(4);
    expect(metrics.dnsDuration.sum).toBeCloseTo(0.08);
  });

  it.each([
    ['overload', { temperror: 1 }, { overload: 1 }],
    ['dropped', {}, {}],
  ])('%s says nothing of DNS', async (detail, questions, errors) => {
    const metrics = make();
    const lookup = <T extends RecordType>(): Promise<Answer<T>> =>
      Promise.resolve({ status: 'temperror', detail });
    await metrics.watch({ lookup }).lookup('a.org', 'A');
    expect(numbers(metrics.questions.get('A') ?? [])).toEqual(questions);
    expect(numbers(metrics.dnsErrors)).toEqual(errors);
    expect(metrics.failedAt).toBe(-Infinity);
  });

  it.each([
    ['deadline', 1],
    ['timeout', 0],
  ])('an assessment with %s counts as late: %i', (detail, late) => {
    const metrics = make();
    const dns = [
      { name: 'a.org', type: 'A', status: 'found', records: ['192.0.2.1'], ttl: 1 },
      { name: 'a.org', type: 'AAAA', status: 'temperror', records: [detail], ttl: null },
    ] as const;
    metrics.assessed(300, { dns } as unknown as Assessment);
    metrics.waited(7);
    expect(metrics.late).toBe(late);
    expect(metrics.assessmentDuration.sum).toBe(0.3);
    expect(metrics.waitDuration.sum).toBe(0.007);
  });
});

it('takes the findings of checks that a reload has brought, and keeps what it has counted', () => {
  const metrics = make(['helo-nxdomain']);
  metrics.decided(decision({}));
  metrics.know(['helo-nxdomain', 'own-check']);
  metrics.decided(decision({ id: 'own-check' }));
  expect(numbers(metrics.causes)).toEqual({ 'helo-nxdomain': 1, 'own-check': 1 });
  expect(numbers(metrics.findings)).toEqual({ 'helo-nxdomain': 1, 'own-check': 1, other: 2 });
});

it('counts sessions as they are made', () => {
  const metrics = make();
  const newSession = metrics.countSessions(() => 'session');
  expect([newSession(), newSession()]).toEqual(['session', 'session']);
  expect(metrics.sessions).toBe(2);
});

it('remembers whether the last reload was sound', () => {
  const metrics = make();
  expect(metrics.lastReloadFailed).toBe(false);
  metrics.reloaded(false);
  expect(metrics.lastReloadFailed).toBe(true);
  metrics.reloaded(true);
  expect(metrics.lastReloadFailed).toBe(false);
  expect(numbers(metrics.reloads)).toEqual({ ok: 1, failed: 1 });
});

/**
 * What the decision log holds: a record of every kind of decision, as the schema says, and enough to judge it
 * again.
 */
import { networkShare } from '../../src/service/network-share.ts';
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { Assessment } from '../../src/core/assessment.ts';
import { PRESETS } from '../../src/core/check.ts';
import { checks, findings, sessionChecks } from '../../src/core/checks/index.ts';
import { parsePrefix } from '../../src/core/ip.ts';
import type { Decision } from '../../src/decisions/decision.ts';
import { decisionRecord, MAX_RECORD } from '../../src/decisions/record.ts';
import { readRecord } from '../../src/decisions/record-reader.ts';
import { judge, type Judged, judgeMessage } from '../../src/policy/judge.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy, type Verdict } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import { DECISIONS } from '../fixtures/decisions.ts';
import { SENDERS } from '../fixtures/senders.ts';
import * as mta from '../support/mta.ts';
import { hello, list, message, RULES, type Setup, service } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';

const TIME = '2026-11-24T07:40:00.023Z';

/** The schema as published, and a strict version that allows nothing that it does not name. */
function validators(): Record<'published' | 'strict', ValidateFunction> {
  const text = readFileSync(new URL('../../docs/decision-log.schema.json', import.meta.url), 'utf8');
  const strict = JSON.parse(text, (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value && 'type' in value
      ? { additionalProperties: false, ...value }
      : value,
  ) as object;
  const compile = (schema: object): ValidateFunction =>
    new Ajv2020({ allowUnionTypes: true }).compile(schema);
  return { published: compile(JSON.parse(text) as object), strict: compile(strict) };
}

const { published, strict } = validators();

interface Recorded {
  client: { ip: string | null };
  helo: string;
  connected: string | null;
  exempt: string | null;
  action: string;
  judged: {
    policy: object;
    verdict: object;
    shadow: object | null;
    access: object | null;
    findings: {
      id: string;
      weight: number;
      provisional?: boolean;
      atWorst?: string[];
      mightBe?: string[];
      evidence: Record<string, string>;
    }[];
    dnsIll: boolean;
    assessment: Omit<Assessment, 'client' | 'dns' | 'findings' | 'outcomes'> & {
      findings: string[];
      outcomes: (Omit<Assessment['outcomes'][number], 'finding'> & { finding: string | null })[];
    };
    omitted?: { evidence: number; answers: number };
  } | null;
}

/** The record of a decision, checked against the schema. */
function record(decision: Decision): Recorded {
  const line = decisionRecord(decision, TIME, TIME);
  expect(line).toMatch(/^[\x20-\x7e]+$/);
  const made: unknown = JSON.parse(line);
  for (const validate of [published, strict]) {
    expect(validate(made), JSON.stringify(validate.errors)).toBe(true);
  }
  return made as Recorded;
}

/** The assessment that a record holds, with what was found in the session and in the message. */
function rebuilt(decision: Decision): Assessment {
  const line = decisionRecord(decision, TIME, TIME);
  const { judged } = readRecord(line, checks);
  if (judged === null || decision.judged === null) throw new Error('there was no verdict');
  const { assessment, session, message, dnsIll, elapsedMs } = judged;
  const again = judge(assessment, rulesOf(decision), { session, dnsIll, elapsedMs, at: 0 });
  return message === null ? again.assessment : judgeMessage(again, message, rulesOf(decision)).assessment;
}

/** Everything that a verdict, a line of the access list or a header can rest on. */
function essential({ outcomes, ...rest }: Assessment): object {
  const methods = new Set(checks.filter(({ method }) => method !== undefined).map(({ name }) => name));
  return {
    ...rest,
    outcomes: outcomes.filter(
      ({ check, finding, correspondence, optOut }) =>
        methods.has(check) || finding !== null || correspondence !== 'none' || optOut,
    ),
  };
}

/** The rules of the services below: a line of the access list counts as what it did then. */
function rulesOf({ judged }: Decision): Rules {
  const access = judged?.access;
  return { ...RULES, access: access === null || access === undefined ? list('') : list(access.source) };
}

/** Lets a client say something; returns all decisions about it. */
async function decisionsOn(setup: Setup, ...packets: Buffer[]): Promise<Decision[]> {
  const decisions: Decision[] = [];
  const { say } = service({ ...setup, decided: (decision) => decisions.push(decision) }).connection();
  await say(...packets);
  expect(decisions.length).toBeGreaterThan(0);
  return decisions;
}

const brief = ({ disposition, score, stream, cause, counted }: Verdict): object => ({
  disposition,
  score,
  stream,
  cause,
  counted,
});

describe.each(PRESETS)('the senders of the examples under %s', (preset) => {
  const file = new URL('../../examples/senders.zone', import.meta.url);
  const resolver = zoneFileResolver(readFileSync(file, 'utf8'), 'senders.zone');
  const rules = { policy: makePolicy(preset, findings), shadowPolicy: makePolicy('strict', findings) };

  it.each(SENDERS)('$title, $helo', async ({ ip, helo }) => {
    const [decision] = await decisionsOn({ resolver, rules }, ...hello(helo, ip), ...message);
    if (decision === undefined || decision.judged === null) throw new Error('no verdict');
    const { assessment } = decision.judged;
    const again = rebuilt(decision);
    expect(essential(again)).toEqual(essential(assessment));
    for (const each of PRESETS) {
      for (const dnsIll of [false, true]) {
        const policy = makePolicy(each, findings);
        expect(brief(decide(again, policy, { dnsIll }))).toEqual(
          brief(decide(assessment, policy, { dnsIll })),
        );
      }
    }
  });
});

it('a silent reverse zone leaves enough to judge again', async () => {
  const zone = {
    'mail.sender.org': { A: ['203.0.113.9'] },
    '7.100.51.198.in-addr.arpa': 'temperror',
  } as const;
  const rules = { policy: makePolicy('emailcore', findings) };
  const [decision] = await decisionsOn(
    { resolver: zoneResolver(zone), rules },
    ...hello('mail.sender.org'),
    ...message,
  );
  if (decision === undefined || decision.judged === null) throw new Error('no verdict');
  const made = record(decision);
  expect(made.judged?.findings.map(({ id, provisional }) => [id, provisional])).toEqual([
    ['helo-mismatch', true],
    ['dns-temperror', undefined],
  ]);
  expect(made.judged?.assessment).toMatchObject({ undecided: true, trouble: 'client' });
  const again = rebuilt(decision);
  expect(essential(again)).toEqual(essential(decision.judged.assessment));
  for (const preset of PRESETS) {
    const policy = makePolicy(preset, findings);
    expect(brief(decide(again, policy))).toEqual(brief(decide(decision.judged.assessment, policy)));
  }
});

describe('other decisions', () => {
  const login = mta.macros('M', { '{auth_authen}': 'bob', i: '4Y1abc' });
  const trusted = [parsePrefix('203.0.113.0/24')].filter((each) => each !== null);
  const recipients = new RecipientPolicies(
    parseRecipientRules('dest.test strict\noff@dest.test off', 'file'),
    (preset) => makePolicy(preset, findings),
  );

  it.each<[string, Setup, Buffer[], object]>([
    [
      'a login',
      {},
      [...hello('Jupiter'), login, ...message],
      { exempt: 'authenticated', action: 'accept', queue: '4Y1abc' },
    ],
    [
      'loopback',
      {},
      [...hello('x', '::1'), ...message],
      { exempt: 'loopback', judged: null, client: { ip: '::1', family: 6 } },
    ],
    [
      'a trusted client',
      { rules: { trusted } },
      [...hello('x', '203.0.113.9'), ...message],
      { exempt: 'trusted', cache: 'none' },
    ],
    [
      'no address',
      {},
      [mta.packet('C', 'unknown\0U'), mta.helo('mail.sender.org'), ...message],
      { client: { ip: null, family: null } },
    ],
    ['no HELO', {}, [mta.connect('198.51.100.7'), ...message], { helo: '', action: 'accept' }],
    [
      'at HELO',
      { rules: { applyAt: 'helo' } },
      hello('Jupiter'),
      { stage: 'helo', end: 'refused', action: 'reject' },
    ],
    [
      'observed',
      { rules: { enforcement: { observe: true, percent: 100, shareOf: networkShare } } },
      [...hello('Jupiter'), ...message],
      { action: 'accept' },
    ],
    ['DNS trouble', {}, [...hello('broken.org'), ...message], { action: 'accept' }],
    [
      'DNS out of order',
      { wasDnsIll: () => true },
      [...hello('gone.sender.org'), ...message],
      { action: 'accept' },
    ],
    [
      'allowed by the list',
      { rules: { access: list('allow * ip=198.51.100.0/24') } },
      [...hello('Jupiter'), ...message],
      { exempt: 'access' },
    ],
    [
      'denied by the list',
      { rules: { access: list('deny *.sender.org') } },
      [...hello('mail.sender.org'), ...message],
      { action: 'reject' },
    ],
    [
      'another name',
      {},
      [...hello('a.sender.org'), mta.helo('b.sender.org'), ...message],
      { helo: 'b.sender.org' },
    ],
    [
      'postmaster',
      {},
      [...hello('Jupiter'), mta.mail('s@x'), mta.rcpt('postmaster@x'), mta.packet('A')],
      { exempt: 'postmaster' },
    ],
    [
      'a policy of the recipient',
      { rules: { recipients } },
      [...hello('other.sender.org'), mta.mail('s@x'), mta.rcpt('a@dest.test'), mta.packet('A')],
      { action: 'reject' },
    ],
    [
      'a recipient without one',
      { rules: { recipients } },
      [...hello('other.sender.org'), mta.mail('s@x'), mta.rcpt('off@dest.test'), mta.packet('A')],
      { exempt: 'opted-out' },
    ],
    [
      'hostile text',
      {},
      [...hello('x"\\\x1b[31m\xe9\x7f\u0001'), mta.mail('"\n"@x'), mta.rcpt('\xff@x'), mta.packet('A')],
      { helo: 'x"\\\x1b[31m\xe9\x7f\u0001', sender: '<"\n"@x>' },
    ],
    [
      'a name of ten thousand octets',
      {},
      [...hello('y'.repeat(10_000)), ...message],
      { helo: `${'y'.repeat(1021)}...`, action: 'reject' },
    ],
  ])('%s', async (_, setup, packets, wanted) => {
    for (const decision of await decisionsOn(setup, ...packets)) {
      const made = record(decision);
      expect(made).toMatchObject(wanted);
      if (decision.judged === null) continue;
      const { assessment, verdict } = decision.judged;
      for (const preset of PRESETS) {
        const policy = makePolicy(preset, findings);
        expect(decide(rebuilt(decision), policy).disposition).toBe(decide(assessment, policy).disposition);
      }
      expect(made.judged?.verdict).toMatchObject({ disposition: verdict.disposition, score: verdict.score });
    }
  });

  it.each(Object.entries<Decision>(DECISIONS))('made by hand: %s', (_, decision) => {
    const made = record(decision);
    expect(made.connected).toBe(TIME);
    expect(made.judged === null).toBe(decision.judged === null);
  });
});

it('has what the resolver told about its answers', () => {
  const { judged } = DECISIONS.full;
  if (judged === null) throw new Error('no verdict');
  const dns = [
    { name: 'a.org', type: 'A', status: 'found', records: ['192.0.2.1'], ttl: 60, authenticated: true },
    {
      name: 'b.org',
      type: 'A',
      status: 'temperror',
      records: ['bogus'],
      ttl: null,
      errors: [{ code: 7, text: 'in \x07 "2020"' }],
    },
  ] as const;
  const line = decisionRecord(
    { ...DECISIONS.full, judged: { ...judged, assessment: { ...judged.assessment, dns } } },
    TIME,
    null,
  );
  const made = JSON.parse(line) as Recorded;
  expect(strict(made), JSON.stringify(strict.errors)).toBe(true);
  expect(readRecord(line, checks).judged?.assessment.dns).toEqual(dns);
});

describe('a record that strangers filled', () => {
  const full: Decision = DECISIONS.full;
  const { judged } = full;
  if (judged === null) throw new Error('no verdict');
  /** The worst case of escaping: each octet becomes six. */
  const hostile = '\xff'.repeat(65_000);
  const evidence = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`text${i}`, hostile]));
  const dns = Array.from({ length: 40 }, (_, i) => ({
    name: `${`${'n'.repeat(61)}.`.repeat(4)}${i}`,
    type: 'TXT' as const,
    status: 'found' as const,
    records: Array.from({ length: 1000 }, () => hostile),
    ttl: 1,
    authenticated: true as const,
    errors: [{ code: 6, text: hostile }],
  }));
  const lineOf = (changes: Partial<Assessment>, envelope: Partial<Decision> = {}): string =>
    decisionRecord(
      { ...full, ...envelope, judged: { ...judged, assessment: { ...judged.assessment, ...changes } } },
      TIME,
      null,
    );
  const outcomes = [...checks, ...sessionChecks].map(({ name }) => ({
    check: name,
    result: 'temperror' as const,
    finding: { id: 'dns-temperror', evidence },
    correspondence: 'authorized' as const,
    optOut: false,
    evidence,
  }));

  it('has 64 KiB at most, and says what is missing', () => {
    const everything = {
      helo: hostile,
      sender: hostile,
      recipients: Array.from({ length: 32 }, () => hostile),
      queueId: hostile,
    };
    const line = lineOf({ dns, outcomes, mismatch: evidence }, everything);
    expect(line.length).toBeLessThanOrEqual(MAX_RECORD);
    expect(line.length).toBeGreaterThan(MAX_RECORD / 2);
    const made = JSON.parse(line) as Recorded;
    expect(strict(made), JSON.stringify(strict.errors)).toBe(true);
    expect(made.judged?.assessment.outcomes).toHaveLength(outcomes.length);
    const answers = readRecord(line, checks).judged?.assessment.dns ?? [];
    const seen = [
      ...(made.judged?.assessment.outcomes ?? []).map((each) => each.evidence),
      made.judged?.assessment.mismatch ?? {},
    ].flatMap((each) => Object.keys(each));
    expect(made.judged?.omitted?.evidence).toBe(9 * (outcomes.length + 1) - seen.length);
    expect(made.judged?.omitted?.answers).toBe(40 - answers.length);
  });

  it('counts the records that are missing of an answer, with those that were never kept', () => {
    const [answer] = dns;
    if (answer === undefined) throw new Error('no answer');
    const line = lineOf({ dns: [answer, { ...answer, name: 'b.org', omitted: 5 }] });
    const made = JSON.parse(line) as Recorded;
    expect(strict(made), JSON.stringify(strict.errors)).toBe(true);
    const read = readRecord(line, checks).judged?.assessment.dns;
    expect(read?.map(({ records, omitted }) => [records.length, omitted])).toEqual([
      [1, 999],
      [1, 1004],
    ]);
    expect(made.judged?.omitted).toBeUndefined();
  });
});

it('no word of an assessment or a verdict breaks the line', () => {
  const hostile = (value: unknown): unknown => {
    if (typeof value === 'string') return `${value}"]}}\n{"version":2,"x":"`;
    if (Array.isArray(value)) return value.map(hostile);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, hostile(each)]));
  };
  const { judged } = DECISIONS.full;
  if (judged === null) throw new Error('no verdict');
  const might = ['helo-mismatch'];
  const finding = { id: 'helo-unknown', evidence: {}, atWorst: might, mightBe: might };
  const counted = [...judged.verdict.counted, { finding, weight: 1 }];
  const { client, ...told } = judged.assessment;
  const assessment = { client, ...(hostile({ ...told, trouble: 'owner' }) as Omit<Assessment, 'client'>) };
  const verdict = hostile({ ...judged.verdict, counted, cause: finding }) as Verdict;
  const line = decisionRecord({ ...DECISIONS.full, judged: { ...judged, assessment, verdict } }, TIME, TIME);
  expect(line).toMatch(/^[\x20-\x7e]+$/);
  const made = JSON.parse(line) as Recorded;
  expect(made.judged?.findings.at(-1)?.atWorst).toEqual([hostile('helo-mismatch')]);
  expect(made.judged?.findings.at(-1)?.mightBe).toEqual([hostile('helo-mismatch')]);
  expect(Object.keys(made)).toEqual(Object.keys(record(DECISIONS.full)));
});

it('the schema refuses what is none', () => {
  const good = JSON.parse(decisionRecord(DECISIONS.full, TIME, TIME)) as object;
  expect(strict({ ...good, extra: 1 })).toBe(false);
  expect(published({ ...good, extra: 1 })).toBe(true);
  expect(published({ ...good, version: 3 })).toBe(false);
  expect(published({ ...good, action: 'discard' })).toBe(false);
});

describe('a verdict that is given again', () => {
  const { judged } = DECISIONS.full;
  if (judged === null) throw new Error('no verdict');
  /** A text as long as `n` octets make it, in which a limit has a part or not. */
  const wordy = (n: number): Judged => ({
    ...judged,
    assessment: {
      ...judged.assessment,
      dns: Array.from({ length: 14 }, (_, i) => ({
        name: `n${i}.example.org`,
        type: 'TXT' as const,
        status: 'found' as const,
        records: ['x'.repeat(Math.min(n, 1024)), ...Array.from({ length: n / 1024 }, () => 'y'.repeat(1024))],
        ttl: 1,
      })),
    },
  });
  const long = '\xff'.repeat(2000);
  const heads: readonly Partial<Decision>[] = [
    {},
    { helo: 'other.example.org', sender: '<other@example.org>', queueId: 'A1', message: 2, cache: 'joined' },
    { helo: long, sender: long, queueId: long, recipients: Array(32).fill(long), recipientCount: 99 },
  ];

  it.each([0, 100, 800, 900, 4000, 9000, 40_000])('is in each record what it is by itself (%s)', (octets) => {
    const again = wordy(octets);
    for (const head of [...heads, ...heads]) {
      const decision: Decision = { ...DECISIONS.full, ...head };
      expect(decisionRecord({ ...decision, judged: again }, TIME, null)).toBe(
        decisionRecord({ ...decision, judged: { ...again } }, TIME, null),
      );
    }
  });
});

describe('the room it takes', () => {
  const zone = {
    'mail.example.org': { A: ['192.0.2.25'], TXT: ['v=spf1 a -all'] },
    'example.org': { NS: ['ns.example.org'] },
    '25.2.0.192.in-addr.arpa': { PTR: ['mail.example.org'] },
  };

  it('is 1.5 kB at most for an ordinary host, with every DNS answer', async () => {
    const [decision] = await decisionsOn(
      { resolver: zoneResolver(zone) },
      ...hello('mail.example.org', '192.0.2.25'),
      mta.mail('sender@example.org'),
      mta.rcpt('recipient@dest.test'),
      mta.packet('A'),
    );
    if (decision === undefined || decision.judged === null) throw new Error('no verdict');
    const line = decisionRecord(decision, TIME, TIME);
    expect(line.length).toBeLessThanOrEqual(1500);
    expect(readRecord(line, checks).judged?.assessment.dns).toEqual(decision.judged.assessment.dns);
  });

  it('names at most 32 recipients, and says how many there were', async () => {
    const to = Array.from({ length: 40 }, (_, i) => mta.rcpt(`r${i}@dest.test`));
    const [decision] = await decisionsOn(
      {},
      ...hello('Jupiter'),
      mta.mail('s@sender.org'),
      ...to,
      mta.packet('A'),
    );
    if (decision === undefined) throw new Error('no decision');
    const { recipients, recipientCount, end } = readRecord(decisionRecord(decision, TIME, TIME), checks);
    expect([recipients.length, recipients[31], recipientCount, end]).toEqual([
      32,
      '<r31@dest.test>',
      40,
      'refused',
    ]);
  });
});

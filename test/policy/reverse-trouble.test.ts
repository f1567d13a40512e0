/**
 * Breaking one's own reverse zone must not allow one to give just any name: what the owner of the name has
 * published counts, up to a tempfail. Only trouble in the zones of the name's owner excuses.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainSeen } from '../../src/commands/explanation.ts';
import { explanationText } from '../../src/commands/explanation-text.ts';
import { readConfig } from '../../src/config/config.ts';
import { assess } from '../../src/core/assess.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { defineCheck, PRESETS, temperror } from '../../src/core/check.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { QUERY_BUDGET } from '../../src/core/recording-resolver.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { weightWithProof } from '../../src/policy/weight.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import { assessed } from '../support/checked.ts';
import { hello, message, service } from '../support/service.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const CLIENT = '203.0.113.8';
const REVERSE = '8.113.0.203.in-addr.arpa';
const REVERSE_PROOFS = ['aligned', 'reverse'] as const;
const OWNER: Zone = { 'mail.sender.org': { A: ['198.51.100.7'] }, 'sender.org': { NS: ['ns.sender.org'] } };

const words = (assessment: Assessment): string =>
  PRESETS.map((preset) => {
    const { disposition, stream } = decide(assessment, makePolicy(preset, findings));
    return `${disposition} ${stream}`;
  }).join(', ');

const SAME = (disposition: string, stream: string): string =>
  `accept ${stream}, ${disposition} ${stream}, ${disposition} ${stream}`;

describe('the verdicts of rfc5321, emailcore and strict', () => {
  it.each<[string, Zone, string]>([
    ['no reverse name', { [REVERSE]: {} }, SAME('reject', 'failed')],
    ['a reverse zone that fails', { [REVERSE]: 'temperror' }, SAME('tempfail', 'failed')],
    [
      'a reverse name in a zone of the client that fails',
      { [REVERSE]: { PTR: ['x.client.org'] }, 'x.client.org': 'temperror' },
      SAME('tempfail', 'failed'),
    ],
    [
      'ten reverse names in zones that fail',
      {
        [REVERSE]: { PTR: Array.from({ length: 10 }, (_, i) => `x.client${i}.org`) },
        ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`x.client${i}.org`, 'temperror'])),
      },
      SAME('tempfail', 'failed'),
    ],
    [
      'a reverse name that fails within the domain of the name',
      { [REVERSE]: { PTR: ['lame.sender.org'] }, 'lame.sender.org': 'temperror' },
      SAME('tempfail', 'failed'),
    ],
    [
      'a reverse name of its own beside one in the domain of the name that fails',
      {
        [REVERSE]: { PTR: ['x.client.org', 'lame.sender.org'] },
        'x.client.org': { A: [CLIENT] },
        'lame.sender.org': 'temperror',
      },
      SAME('tempfail', 'failed'),
    ],
    [
      'a reverse name of its own beside another that fails, which could show no more',
      {
        [REVERSE]: { PTR: ['x.client.org', 'y.client.org'] },
        'x.client.org': { A: [CLIENT] },
        'y.client.org': 'temperror',
      },
      SAME('reject', 'failed'),
    ],
    [
      'SPF that permits whoever has a reverse name below, and the reverse zone silent',
      { [REVERSE]: 'temperror', 'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 ptr -all'] } },
      'tempfail failed, tempfail failed, tempfail failed',
    ],
    [
      'the same, where _auth of the owner names SPF',
      {
        [REVERSE]: 'temperror',
        'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 ptr ?all'] },
        '_auth.mail.sender.org': { TXT: ['helo=198.51.100.7,SPF'] },
        // The record cannot say no: with "-all" it could.
      },
      SAME('tempfail', 'failed'),
    ],
    [
      'the same with -all',
      {
        [REVERSE]: 'temperror',
        'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 ptr -all'] },
        '_auth.mail.sender.org': { TXT: ['method=SPF'] },
      },
      'tempfail failed, tempfail failed, tempfail failed',
    ],
    [
      'SPF that permits whoever has a reverse name below, and no reverse name',
      { [REVERSE]: {}, 'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 ptr -all'] } },
      'reject failed, reject failed, reject failed',
    ],
    [
      'SPF of the name that fails',
      { 'mail.sender.org': { A: ['198.51.100.7'], TXT: 'temperror' } },
      'accept unverified, accept unverified, tempfail unverified',
    ],
    [
      'both',
      { [REVERSE]: 'temperror', 'mail.sender.org': { A: ['198.51.100.7'], TXT: 'temperror' } },
      'accept unverified, accept unverified, tempfail unverified',
    ],
    [
      'CSA of the name that fails, and the reverse zone',
      { [REVERSE]: 'temperror', '_client._smtp.mail.sender.org': 'temperror' },
      'accept unverified, accept unverified, tempfail unverified',
    ],
    [
      '_auth of the name that fails, and the reverse zone',
      { [REVERSE]: 'temperror', '_auth.mail.sender.org': 'temperror' },
      'accept unverified, accept unverified, tempfail unverified',
    ],
    [
      'the name itself silent, and the reverse zone',
      { [REVERSE]: 'temperror', 'mail.sender.org': 'temperror' },
      'accept unverified, accept unverified, tempfail unverified',
    ],
    [
      'an AAAA of the name that fails, which could only hold this client as a mapped address, and the reverse zone',
      { [REVERSE]: 'temperror', 'mail.sender.org': { A: ['198.51.100.7'], AAAA: 'temperror' } },
      SAME('tempfail', 'failed'),
    ],
    [
      'a neighbour without a reverse name',
      { [REVERSE]: {}, 'mail.sender.org': { A: ['203.0.113.99'] } },
      'accept unverified, accept unverified, reject failed',
    ],
    [
      'a neighbour whose reverse zone fails, who may be anybody',
      { [REVERSE]: 'temperror', 'mail.sender.org': { A: ['203.0.113.99'] } },
      SAME('tempfail', 'failed'),
    ],
    [
      'SPF that permits the client, and the reverse zone silent',
      {
        [REVERSE]: 'temperror',
        'mail.sender.org': { A: ['198.51.100.7'], TXT: [`v=spf1 ip4:${CLIENT} -all`] },
      },
      // At worst there is no reverse name, which would not count against the owner's yes.
      'accept verified, accept verified, accept verified',
    ],
    [
      'SPF that says no, and the reverse zone silent: the no is certain',
      { [REVERSE]: 'temperror', 'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 -all'] } },
      'reject failed, reject failed, reject failed',
    ],
  ])('%s', async (_, zone, wanted) => {
    expect(words(await assessed(CLIENT, 'mail.sender.org', { ...OWNER, ...zone }))).toBe(wanted);
  });

  it('that SPF leads to are as open as it is, also where streams weigh', async () => {
    const zone: Zone = { ...OWNER, 'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 ptr -all'] } };
    const policy = makePolicy('rfc5321', findings, { weights: new Map([['stream-failed', 12]]) });
    const judged = async (reverse: Zone): Promise<string> =>
      decide(await assessed(CLIENT, 'mail.sender.org', { ...zone, ...reverse }), policy).disposition;
    expect(await judged({ [REVERSE]: 'temperror' })).toBe('tempfail');
    expect(await judged({ [REVERSE]: {} })).toBe('reject');
  });

  it.each<[string, string]>([
    // A proper reverse name would excuse it under emailcore.
    ['gone.sender.org', 'tempfail failed, tempfail failed, reject failed'],
    ['Jupiter', 'reject failed, reject failed, reject failed'],
    ['[198.51.100.7]', 'accept failed, reject failed, reject failed'],
    [`[${CLIENT}]`, 'accept unverified, accept unverified, accept unverified'],
  ])('%s with a silent reverse zone: %s', async (helo, wanted) => {
    expect(words(await assessed(CLIENT, helo, { ...OWNER, [REVERSE]: 'temperror' }))).toBe(wanted);
  });
});

it('a check says whose zones it reads: another’s that fails excuses, one of the client’s zones does not', async () => {
  const judge = async (reads: 'client' | undefined): Promise<string> => {
    const own = defineCheck({
      name: 'own',
      findings: {},
      provesCorrespondence: true,
      ...(reads === undefined ? {} : { reads }),
      run: () => temperror('x TXT', 'timeout'),
    });
    return words(
      await assess(makeClient(CLIENT, 'mail.sender.org'), {
        resolver: zoneResolver({ ...OWNER, [REVERSE]: 'temperror' }),
        checks: [...checks, own],
        onCheckError: () => undefined,
      }),
    );
  };
  expect(await judge('client')).toBe(SAME('tempfail', 'failed'));
  expect(await judge(undefined)).toBe('accept unverified, accept unverified, tempfail unverified');
});

it('many reverse names do not use up what is asked of the name’s owner', async () => {
  // The record needs as many questions as one assessment may ask, less those of the other checks of the name.
  const others = 8;
  const exchanges = (n: number): { MX: { preference: number; exchange: string }[] } => ({
    MX: Array.from({ length: 8 }, (_, i) => ({ preference: 10, exchange: `m${n}x${i}.sender.org` })),
  });
  const zone: Zone = {
    ...OWNER,
    'mail.sender.org': {
      A: ['198.51.100.7'],
      TXT: ['v=spf1 mx:d0.sender.org mx:d1.sender.org mx:d2.sender.org ?all'],
    },
    ...Object.fromEntries([0, 1, 2].map((n) => [`d${n}.sender.org`, exchanges(n)])),
    ...Object.fromEntries(
      [0, 1, 2].flatMap((n) =>
        Array.from({ length: 8 }, (_, i) => [`m${n}x${i}.sender.org`, { A: ['198.51.100.9'] }] as const),
      ),
    ),
    [REVERSE]: { PTR: Array.from({ length: 10 }, (_, i) => `x.client${i}.org`) },
    ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`x.client${i}.org`, 'temperror'])),
  };
  const { trouble, dns } = await assessed(CLIENT, 'mail.sender.org', zone);
  expect(dns.length).toBeGreaterThan(QUERY_BUDGET);
  expect(dns.length - 11).toBeGreaterThan(QUERY_BUDGET - others);
  expect(trouble).toBe('client');
});

it('nor do the names that SPF of the owner chooses of them', async () => {
  const helo = 'a.b.sender.org';
  const names = [
    ...Array.from({ length: 10 }, (_, i) => `n${i}.${helo}`),
    ...Array.from({ length: 10 }, (_, i) => `n${i}.a.a.sender.org`),
  ];
  const exchanges = (count: number): { preference: number; exchange: string }[] =>
    Array.from({ length: count }, (_, i) => ({ preference: 10, exchange: `m${i}.sender.org` }));
  const zone: Zone = {
    ...OWNER,
    [helo]: {
      A: ['198.51.100.7'],
      TXT: ['v=spf1 ptr mx mx:d1.sender.org -all'],
      MX: exchanges(10),
    },
    'd1.sender.org': { MX: exchanges(10).map((each) => ({ ...each, exchange: `d${each.exchange}` })) },
    [REVERSE]: { PTR: names },
  };
  const told = decide(await assessed(CLIENT, helo, zone), makePolicy('rfc5321', findings));
  expect(told.cause?.id).toBe('helo-spf-fail');
  expect(told.disposition).toBe('reject');
});

describe('whatever the owner has published and answered', () => {
  const record = fc.constantFrom(
    'v=spf1 -all',
    'v=spf1 ~all',
    'v=spf1 ?all',
    `v=spf1 ip4:${CLIENT} -all`,
    'v=spf1 nonsense',
  );
  const owner = fc
    .record({
      A: fc.constantFrom<readonly string[]>([], ['198.51.100.7'], [CLIENT], ['10.0.0.1'], ['203.0.114.99']),
      TXT: fc.array(record, { maxLength: 1 }),
      gone: fc.boolean(),
    })
    .map(({ A, TXT, gone }): Zone =>
      gone ? { 'sender.org': {} } : { 'mail.sender.org': { A, TXT }, 'sender.org': {} },
    );
  const broken = fc.constantFrom<Zone>(
    { [REVERSE]: 'temperror' },
    { [REVERSE]: { PTR: ['x.client.org'] }, 'x.client.org': 'temperror' },
    { [REVERSE]: { PTR: ['lame.sender.org'] }, 'lame.sender.org': 'temperror' },
  );

  it.each(PRESETS)(
    'under %s a silent reverse zone neither excuses the name nor refuses it',
    async (preset) => {
      const policy = makePolicy(preset, findings);
      await fc.assert(
        fc.asyncProperty(owner, broken, async (published, silent) => {
          const answered = await assessed(CLIENT, 'mail.sender.org', { ...published, [REVERSE]: {} });
          const told = decide(answered, policy);
          const open = decide(await assessed(CLIENT, 'mail.sender.org', { ...published, ...silent }), policy);
          const ids = ({ counted }: typeof told): string[] =>
            counted
              .map(({ finding }) => finding.id)
              .filter((id) => !id.startsWith('iprev-') && id !== 'dns-temperror');
          expect(ids(open)).toEqual(ids(told));
          expect(open.stream).toBe(told.stream);
          const certain = told.counted.filter(
            ({ finding: { id } }) => id !== 'helo-mismatch' && !id.startsWith('iprev-'),
          );
          // What a proper reverse name would have excused is not certain.
          const left = ({ finding, weight }: (typeof certain)[number]): number =>
            Math.min(
              weight,
              ...REVERSE_PROOFS.map((proof) => weightWithProof(finding, answered, policy, proof)),
            );
          const sum = certain.reduce((total, each) => total + left(each), 0);
          expect(open.disposition === 'reject').toBe(sum >= policy.rejectAt);
          const delayed = told.counted.some(
            ({ finding, weight }) => finding.id === 'helo-mismatch' && weight > 0,
          );
          if (delayed) expect(open.disposition).not.toBe('accept');
        }),
      );
    },
  );
});

it.each<[string, Zone, RegExp | null]>([
  ['the client’s zone', { [REVERSE]: 'temperror' }, /only the client's own reverse zone did not answer/],
  ['the owner’s zone', { '_auth.mail.sender.org': 'temperror' }, /zones of the name's owner did not answer/],
  ['no zone', {}, null],
])('the explanation says what the silence of %s is worth', async (_, zone, said) => {
  const assessment = await assessed(CLIENT, 'mail.sender.org', { ...OWNER, ...zone });
  const seen = {
    cached: assessment,
    remarks: [],
    session: { previousHelo: null, namesSeen: 1, regular: false, mta: { name: null, address: null } },
    dnsIll: false,
  };
  const pair = { client: { ip: assessment.client.ip, helo: 'mail.sender.org' }, recipient: null };
  const text = explanationText(
    await explainSeen(seen, pair, readConfig(new Map([['policy', ['emailcore']]]))),
  );
  if (said === null) expect(text).not.toContain('did not answer');
  else expect(text).toMatch(said);
});

describe('in a session under emailcore', () => {
  const victim = 'mail.sender.org';
  const zone: Zone = { ...OWNER, [REVERSE]: 'temperror' };
  const rules = { policy: makePolicy('emailcore', findings) };

  it('the forger is delayed, and the limit of tempfails applies', async () => {
    let time = 0;
    const { log, connection } = service({
      resolver: zoneResolver(zone),
      rules,
      budget: new TempfailBudget(
        () => ({ count: 2, ageMs: 1000 }),
        () => time,
      ),
    });
    const told = async (): Promise<string> => {
      const { say } = connection();
      await say(...hello(victim, CLIENT));
      return (await say(...message)).at(-1) ?? '';
    };
    expect(await told()).toMatch(
      /^y450 4\.7\.1 \[helo-mismatch\] HELO mail\.sender\.org resolves to 198\.51\.100\.7/,
    );
    expect(log.at(-1)).toMatch(/ action=tempfail .* stream=failed /);
    expect(await told()).toMatch(/^y450 /);
    time = 2000;
    expect(await told()).toBe('a');
    expect(log.at(-1)).toContain(' exempt=tempfail-limit verdict=tempfail ');
  });

  it('who breaks the zone that SPF of the name asks for is never let in, however often it comes', async () => {
    const owned: Zone = { ...zone, [victim]: { A: ['198.51.100.7'], TXT: ['v=spf1 ptr -all'] } };
    let time = 0;
    const { log, connection } = service({
      resolver: zoneResolver(owned),
      rules: { policy: makePolicy('rfc5321', findings) },
      budget: new TempfailBudget(
        () => ({ count: 2, ageMs: 1000 }),
        () => time,
      ),
    });
    for (let i = 0; i < 8; i++) {
      const { say } = connection();
      await say(...hello(victim, CLIENT));
      expect((await say(...message)).at(-1)).toMatch(
        /^y450 4\.7\.\d+ \[helo-spf-fail\] HELO mail\.sender\.org: its SPF record asks for the reverse name of 203\.0\.113\.8, and DNS gave no answer \(8\.113\.0\.203\.in-addr\.arpa PTR: servfail\)/,
      );
      time += 2000;
    }
    expect(log.at(-1)).toContain(' verdict=tempfail ');
  });

  it('who gives a name whose owner does not answer is not', async () => {
    const silent: Zone = { ...zone, [victim]: { A: ['198.51.100.7'], TXT: 'temperror' } };
    const { log, connection } = service({ resolver: zoneResolver(silent), rules });
    const { say } = connection();
    await say(...hello(victim, CLIENT));
    expect((await say(...message)).at(-1)).toBe('a');
    expect(log.at(-1)).toContain(' stream=unverified ');
  });
});

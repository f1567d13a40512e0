/**
 * The whole service against random worlds: zones in which anything may fail, options, and sessions of several
 * clients side by side. What design and documentation promise of every session must hold in each of them.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type PresetName, PRESETS } from '../../src/core/check.ts';
import { findings } from '../../src/core/checks/index.ts';
import { parsePrefix } from '../../src/core/ip.ts';
import type { RecordType } from '../../src/core/resolver.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy, type Policy } from '../../src/policy/policy.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import { assessed } from '../support/checked.ts';
import * as mta from '../support/mta.ts';
import { RULES, service } from '../support/service.ts';
import { type Zone, type ZoneEntry, zoneResolver } from '../support/zone.ts';

/** The last two are the first and third in a tunnel (6to4). */
const CLIENTS = [
  '198.51.100.7',
  '198.51.100.20',
  '203.0.113.8',
  '2002:c633:6407::1',
  '2002:cb00:7108::1',
] as const;
const [FIRST] = CLIENTS;
const TRUSTED = parsePrefix(`${FIRST}/32`) ?? expect.fail();

/** What the owner of a name, or of an address, may have published. */
const TRUTHS: readonly ZoneEntry[] = [
  {},
  { A: [FIRST] },
  { A: ['198.51.100.99'] },
  { A: ['10.0.0.1'] },
  { A: [FIRST], TXT: ['v=spf1 -all'] },
  { TXT: [`v=spf1 ip4:${FIRST} -all`] },
  { TXT: ['v=spf1 include:x.include.org ~all'] },
  { TXT: ['v=spf1 a mx ptr exists:%{i}.x.include.org -all'] },
  { TXT: ['helo=198.51.100.0/24'] },
  { TXT: ['helo=203.0.113.0/24'] },
  { SRV: [{ priority: 1, weight: 1, port: 0, target: 'mail.sender.org' }] },
  { SRV: [{ priority: 1, weight: 2, port: 0, target: 'mail.sender.org' }] },
  { CNAME: ['mail.other.net'] },
  { NS: ['ns.sender.org'] },
  { PTR: ['mail.sender.org'] },
  { PTR: ['pool-7.other.net', 'mail.other.net'] },
  { PTR: ['mail.other.net', 'x.mail.sender.org'] },
  { TXT: ['v=spf1 ptr -all'] },
  { TXT: ['method=SPF'] },
  { TXT: ['helo=192.0.2.9,SPF'] },
  { TXT: ['v=spf1 exists:%{p}.x.include.org ~all'] },
  { MX: [{ preference: 1, exchange: 'mail.sender.org' }], A: ['198.51.100.99'] },
];
const PARTLY: readonly ZoneEntry[] = [
  'temperror',
  'temperror',
  { A: 'temperror' },
  { A: ['198.51.100.99'], TXT: 'temperror' },
  { A: ['198.51.100.99'], AAAA: 'temperror', MX: 'temperror' },
];
/** Without these the resolver would be one that denies everything, and would not be believed. */
const BASE: Zone = { org: { NS: ['ns.org'] }, net: { NS: ['ns.org'] }, uk: { NS: ['ns.org'] } };
const OWNED = [
  'sender.org',
  'mail.sender.org',
  '_auth.mail.sender.org',
  '_auth.sender.org',
  '_client._smtp.mail.sender.org',
  '_client._smtp.sender.org',
  'other.net',
  'mail.other.net',
  'pool-7.other.net',
  'x.mail.sender.org',
  'x.include.org',
  '7.100.51.198.in-addr.arpa',
  '20.100.51.198.in-addr.arpa',
  '8.113.0.203.in-addr.arpa',
  `${'1.'.padEnd(40, '0.')}7.0.4.6.3.3.6.c.2.0.0.2.ip6.arpa`,
];
const NAMES = [
  'mail.sender.org',
  'mail.sender.org',
  'mail.other.net',
  'gone.sender.org',
  'gone.nowhere.org',
  'Jupiter',
  'a_b.sender.org',
  'co.uk',
  'host.local',
  `[${FIRST}]`,
  '[203.0.113.8]',
  '[10.1.1.1]',
  'this is none',
  'mail.sender.org.',
];

const entry = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TRUTHS) },
  { weight: 2, arbitrary: fc.constantFrom(...PARTLY) },
);
const zones: fc.Arbitrary<Zone> = fc
  .array(fc.tuple(fc.constantFrom(...OWNED), entry), { maxLength: 12 })
  .map((entries) => ({ ...BASE, ...Object.fromEntries(entries) }));
const IDS = [...findings.keys()];
interface PolicyPlan {
  readonly preset: PresetName;
  readonly require: Policy['require'] | undefined;
  readonly rejectAt: number | undefined;
  readonly weights: Readonly<Record<string, number>>;
}
const policies: fc.Arbitrary<PolicyPlan> = fc.record({
  preset: fc.constantFrom(...PRESETS),
  require: fc.constantFrom(undefined, 'exact' as const, 'authorized' as const, 'aligned' as const),
  rejectAt: fc.constantFrom(undefined, 6, 10, 15),
  weights: fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...IDS), fc.nat({ max: 12 }), { maxKeys: 3 }) },
  ),
});
const policyOf = ({ preset, weights, ...changes }: PolicyPlan): Policy =>
  makePolicy(preset, findings, { ...changes, weights: new Map(Object.entries(weights)) });

/**
 * Whether a name that is asked about is there only for what is below it. Its answer came (no data), and would
 * be another one if this name turned out not to exist.
 */
function holdsAnother(zone: Zone, name: string): boolean {
  const labels = name.split('.');
  const above = labels.slice(1).map((_, i) => labels.slice(i + 1).join('.'));
  return above.some((each) => zone[each] === undefined && !/^_|arpa$/.test(each));
}

/** The same world, in which somebody knows what nobody could say. */
function completed(zone: Zone, choose: (count: number) => number): Zone {
  const truth = (): ZoneEntry => TRUTHS[choose(TRUTHS.length)] ?? {};
  return Object.fromEntries(
    Object.entries(zone).flatMap(([name, each]) => {
      if (each === 'temperror') return choose(4) === 0 && !holdsAnother(zone, name) ? [] : [[name, truth()]];
      // Only what was unknown may turn out to be anything.
      const more = Object.entries(truth());
      const known = Object.entries(each).filter(([, records]) => records !== 'temperror');
      const learned = more.filter(([type]) => each[type as RecordType] === 'temperror');
      return [[name, Object.fromEntries([...known, ...learned])]];
    }),
  );
}

/** The domain might not exist, which this operator does not mind. */
const FOUND: [Zone, PolicyPlan, (typeof CLIENTS)[number], string, number[]] = [
  { ...BASE, 'sender.org': 'temperror' },
  { preset: 'emailcore', require: undefined, rejectAt: undefined, weights: { 'helo-unregistered': 0 } },
  FIRST,
  'mail.sender.org',
  [0],
];

it('never refuses for good where an answer that did not come could have changed that', async () => {
  const worlds = fc.tuple(
    zones,
    policies,
    fc.constantFrom(...CLIENTS),
    fc.constantFrom(...NAMES),
    fc.array(fc.nat(), { minLength: 24, maxLength: 24 }),
  );
  await fc.assert(
    fc.asyncProperty(worlds, async ([zone, plan, client, helo, choices]) => {
      const policy = policyOf(plan);
      const { disposition } = decide(await assessed(client, helo, zone), policy);
      if (disposition !== 'reject') return;
      let at = 0;
      for (let truth = 0; truth < 4; truth++) {
        const known = completed(zone, (count) => (choices[at++ % choices.length] ?? 0) % count);
        const verdict = decide(await assessed(client, helo, known), policy);
        expect({ known, disposition: verdict.disposition }).toEqual({ known, disposition: 'reject' });
      }
    }),
    { numRuns: 3000, examples: [[FOUND]] },
  );
}, 120_000);

const RECIPIENTS = ['user', 'other', 'postmaster', 'abuse'] as const;
type Step =
  | { readonly say: 'helo'; readonly name: string }
  | { readonly say: 'rcpt'; readonly to: (typeof RECIPIENTS)[number] }
  | { readonly say: 'mail' | 'reset' | 'message' };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ say: fc.constant('helo' as const), name: fc.constantFrom(...NAMES) }),
  fc.record({ say: fc.constant('rcpt' as const), to: fc.constantFrom(...RECIPIENTS) }),
  fc.record({ say: fc.constantFrom('mail' as const, 'reset' as const, 'message' as const) }),
);
interface SessionPlan {
  readonly client: (typeof CLIENTS)[number];
  readonly steps: readonly Step[];
}
const sessions: fc.Arbitrary<readonly SessionPlan[]> = fc.array(
  fc.record({ client: fc.constantFrom(...CLIENTS), steps: fc.array(step, { minLength: 3, maxLength: 12 }) }),
  { minLength: 1, maxLength: 5 },
);

function packetsOf(each: Step): Buffer[] {
  switch (each.say) {
    case 'helo':
      return [mta.helo(each.name)];
    case 'mail':
      return [mta.mail('s@sender.org')];
    case 'rcpt':
      return [mta.rcpt(`${each.to}@dest.test`)];
    case 'reset':
      return [mta.abort];
    case 'message':
      return [mta.data, mta.header('Subject', 'x'), mta.endOfHeaders, mta.endOfMessage];
  }
}

const options = fc.record({
  policy: policies,
  observe: fc.boolean(),
  percent: fc.constantFrom(0, 50, 100),
  applyAt: fc.constantFrom('helo' as const, 'mail' as const, 'rcpt' as const),
  trusts: fc.boolean(),
});

/** What one session was told: the step, and the reply to it, empty where there was none. */
type Told = readonly [each: Step, reply: string];

async function live(
  zone: Zone,
  rules: Partial<Rules>,
  plans: readonly SessionPlan[],
): Promise<readonly (readonly Told[])[]> {
  const { connection } = service({
    resolver: zoneResolver(zone),
    rules,
    budget: new TempfailBudget(
      () => ({ count: 2, ageMs: 0 }),
      () => 0,
    ),
  });
  const open = plans.map(({ client, steps }) => ({
    client,
    steps: [...steps],
    told: [] as Told[],
    ...connection(),
  }));
  for (const { say, client } of open) await say(mta.connect(client));
  // Side by side: each says one thing in its turn.
  for (let i = 0; i < 12; i++) {
    for (const { say, steps, told } of open) {
      const each = steps[i];
      if (each !== undefined) told.push([each, (await say(...packetsOf(each))).join(' ')]);
    }
  }
  return open.map(({ told }) => told);
}

it('keeps its promises in any session', async () => {
  await fc.assert(
    fc.asyncProperty(zones, options, sessions, async (zone, given, plans) => {
      const { observe, percent, applyAt, trusts } = given;
      const policy = policyOf(given.policy);
      const rules: Partial<Rules> = {
        ...{ policy, applyAt },
        enforcement: { ...RULES.enforcement, observe, percent },
        trusted: trusts ? [TRUSTED] : [],
      };
      const all = await live(zone, rules, plans);
      for (const [i, told] of all.entries()) {
        const client = plans[i]?.client;
        let helo = '';
        let refused: string | null = null;
        for (const [each, reply] of told) {
          if (each.say === 'helo' && each.name !== helo) [helo, refused] = [each.name, null];
          // Nothing is discarded, and no refusal is without words of ours.
          expect(reply).toMatch(
            /^(?:(?:[ca]|y[45]\d\d [45]\.\d\.\d+ \[[a-z-]+\] [^|]*\||[him][^ ]*.*)(?: |$))*$/s,
          );
          const isRefused = / ?y5/.test(reply);
          if (observe || percent === 0) expect(reply).not.toMatch(/\by[45]\d\d /);
          if (trusts && client === FIRST) expect(reply).not.toMatch(/\by[45]\d\d /);
          if (each.say === 'rcpt' && (each.to === 'postmaster' || each.to === 'abuse') && applyAt === 'rcpt')
            expect(reply).not.toMatch(/\by[45]\d\d /);
          // What was refused for good under a name is refused again, whatever happened in between.
          if (each.say === 'rcpt' && each.to === 'user' && applyAt === 'rcpt' && reply !== '') {
            if (refused !== null)
              expect({ helo, reply }).toEqual({ helo, reply: expect.stringMatching(/^y5/) as string });
            if (isRefused) refused = helo;
          }
        }
      }
      // Whoever says nothing but its own literal is never refused by a preset as it is.
      const literal: SessionPlan = {
        client: FIRST,
        steps: [{ say: 'helo', name: `[${FIRST}]` }, { say: 'mail' }, { say: 'rcpt', to: 'user' }],
      };
      const plain = { ...rules, policy: makePolicy(policy.preset, findings) };
      const [own = []] = await live(zone, plain, [literal]);
      expect(own.map(([, reply]) => reply).join(' ')).not.toMatch(/\by[45]/);
    }),
    { numRuns: 40 },
  );
}, 120_000);

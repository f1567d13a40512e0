/**
 * The same as `heals.test.ts`, where the operator's lists and what the client said before count too: names of
 * ours, names that were changed or came in great number, lines of the access list, regulars.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Way } from '../../src/advice/sender-advice.ts';
import { linesOf } from '../../src/advice/words.ts';
import { assess } from '../../src/core/assess.ts';
import { PRESETS } from '../../src/core/check.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { judge, type Judged, type JudgingRules, type SessionSeen } from '../../src/policy/judge.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { waysFor } from '../../src/policy/sender-ways.ts';
import { CLIENT, HELO, ZONE } from '../support/disordered-zone.ts';
import { edited } from '../support/edited-zone.ts';
import { list, RULES } from '../support/service.ts';

const OWN_NAME = 'a-name.of-its-own.org';

interface World {
  readonly zone: string;
  readonly ip: string;
  readonly helo: string;
  readonly rules: JudgingRules;
  readonly session: SessionSeen;
}

const PLAN = fc.record({
  zone: ZONE,
  ip: CLIENT,
  helo: HELO,
  preset: fc.constantFrom(...PRESETS),
  weights: fc.oneof(
    { weight: 1, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.constantFrom('helo-changed', 'helo-churn', 'helo-denied', 'helo-claims-us', 'iprev-none'),
        fc.nat({ max: 6 }),
        { maxKeys: 3 },
      ),
    },
  ),
  ourNames: fc.subarray(['mail.sender.org', 'other.sender.org', 'org']),
  access: fc.constantFrom('', 'deny mail.sender.org', 'deny *.sender.org', 'deny * ip=192.0.2.1,192.0.2.99'),
  previousHelo: fc.constantFrom(null, 'before.sender.org', 'mail.sender.org'),
  namesSeen: fc.constantFrom(1, 11),
  regular: fc.boolean(),
});

function worldOf(plan: typeof PLAN extends fc.Arbitrary<infer T> ? T : never): World {
  const { zone, ip, helo, preset, weights, ourNames, access, previousHelo, namesSeen, regular } = plan;
  return {
    ...{ zone, ip, helo },
    rules: {
      ...RULES,
      policy: makePolicy(preset, findings, { weights: new Map(Object.entries(weights)) }),
      ourNames,
      access: list(access),
    },
    session: { previousHelo, namesSeen, regular, mta: { name: null, address: null } },
  };
}

async function judgedIn({ zone, ip, helo, rules, session }: World): Promise<Judged> {
  const assessment = await assess(makeClient(ip, helo), {
    resolver: zoneFileResolver(zone, 'zone'),
    checks,
    onCheckError: (check, error) => {
      throw new Error(`check ${check} threw`, { cause: error });
    },
  });
  return judge(assessment, rules, { session, dnsIll: false, elapsedMs: 0, at: 0 });
}

/** The worlds in which the sender has done what it was told; none where that cannot be shown in a zone. */
function after(world: World, way: Way): World[] {
  const { zone, ip, helo, session } = world;
  // Under another name nobody is known by its mail. A host that gave another name before does so again.
  const renamed = (name: string): SessionSeen => ({
    ...session,
    previousHelo: session.previousHelo === helo ? name : session.previousHelo,
    regular: false,
  });
  switch (way.kind) {
    case 'publish':
      return [{ ...world, zone: edited(zone, way) }];
    case 'announce':
      return [{ ...world, helo: way.helo, session: renamed(way.helo) }];
    case 'name': {
      const records = [`A${ip.includes(':') ? 'AAA' : ''} ${ip}`];
      if (way.orSpf) records.push(`TXT "v=spf1 ip${ip.includes(':') ? 6 : 4}:${ip} -all"`);
      return records.map((record) => ({
        ...world,
        zone: [zone, `${OWN_NAME}. ${record}`, 'of-its-own.org. NS ns.of-its-own.org.'].join('\n'),
        helo: OWN_NAME,
        session: renamed(OWN_NAME),
      }));
    }
    case 'other':
      return [{ ...world, session: { ...session, previousHelo: null, namesSeen: 1 } }];
    case 'relay':
      return [];
  }
}

it('advice heals whatever was seen of the session', async () => {
  const healed = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(PLAN, async (plan) => {
      const world = worldOf(plan);
      const { assessment, verdict, policy } = await judgedIn(world);
      for (const way of waysFor(assessment, [{ verdict, policy }])) {
        for (const then of after(world, way)) {
          const { verdict: again } = await judgedIn(then);
          // What its owner declares of another name, and what the list says of it, is not known before that
          // name is given.
          const isOpen = again.counted.some(
            ({ finding: { id } }) =>
              findings.get(id)?.basis === 'declared' ||
              (id === 'helo-denied' && !verdict.counted.some(({ finding }) => finding.id === id)),
          );
          if (way.kind === 'announce' && way.what === 'reverse-name' && isOpen) continue;
          expect({ told: linesOf(way), ...again }).toMatchObject({ disposition: 'accept' });
          for (const { finding, weight } of verdict.counted)
            if (weight > 0) healed.set(finding.id, (healed.get(finding.id) ?? 0) + 1);
        }
      }
    }),
    { numRuns: Number(process.env['HEAL_RUNS'] ?? 300) },
  );
  for (const id of ['helo-claims-us', 'helo-changed', 'helo-churn', 'helo-denied'])
    expect(healed.get(id), id).toBeGreaterThan(0);
});

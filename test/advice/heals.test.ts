/**
 * Whatever a sender is told to publish or to announce, doing it makes the verdict accept: for every preset,
 * and for what `check` tells of all of them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Way } from '../../src/advice/sender-advice.ts';
import { isPublishable } from '../../src/advice/sender-advice.ts';
import { linesOf } from '../../src/advice/words.ts';
import { assess } from '../../src/core/assess.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { PRESETS } from '../../src/core/check.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { isUnknown } from '../../src/core/checks/unknown.ts';
import { makeClient } from '../../src/core/client.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy, type Policy } from '../../src/policy/policy.ts';
import { cureOf, waysFor } from '../../src/policy/sender-ways.ts';
import { SENDERS } from '../fixtures/senders.ts';
import { CLIENT, HELO, ZONE } from '../support/disordered-zone.ts';
import { edited } from '../support/edited-zone.ts';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
const POLICIES = PRESETS.map((preset) => makePolicy(preset, findings));
/** Operators who hold it against a host that it does not say who it is. */
const HOLDING = (
  [
    ['rfc5321', { 'stream-failed': 10 }],
    ['rfc5321', { 'stream-failed': 10, 'stream-unverified': 6 }],
    ['emailcore', { 'stream-failed': 5, 'stream-unverified': 4 }],
    ['strict', { 'stream-unverified': 10 }],
    // What is denied then counts by the stream alone.
    ['rfc5321', { 'stream-failed': 7, 'helo-spf-fail': 0, 'helo-csa-fail': 0, 'helo-auth-fail': 0 }],
  ] as const
).map(([preset, weights]) => makePolicy(preset, findings, { weights: new Map(Object.entries(weights)) }));
/** Each preset, all of them together, and each with weights for the streams. */
const SETS: readonly (readonly Policy[])[] = [...[...POLICIES, ...HOLDING].map((each) => [each]), POLICIES];

function assessedIn(zone: string, ip: string, helo: string): Promise<Assessment> {
  return assess(makeClient(ip, helo), {
    resolver: zoneFileResolver(zone, 'zone'),
    checks,
    onCheckError: (check, error) => {
      throw new Error(`check ${check} threw`, { cause: error });
    },
  });
}

/** What is said of the sender once it has done what it was told, by policy that does not accept it. */
async function after(
  zone: string,
  ip: string,
  helo: string,
  way: Way,
  policies: readonly Policy[],
): Promise<string[]> {
  if (way.kind === 'relay' || way.kind === 'other') return [];
  if (way.kind === 'name') {
    const records = [`A${ip.includes(':') ? 'AAA' : ''} ${ip}`];
    if (way.orSpf) records.push(`TXT "v=spf1 ip${ip.includes(':') ? 6 : 4}:${ip} -all"`);
    const told = records.map(async (record) => {
      const name = 'a-name.of-its-own.org';
      const top = 'of-its-own.org. NS ns.of-its-own.org.';
      const given = await assessedIn([zone, `${name}. ${record}`, top].join('\n'), ip, name);
      return unaccepted(given, way, policies);
    });
    return (await Promise.all(told)).flat();
  }
  const said = way.kind === 'announce' ? way.helo : helo;
  const given = await assessedIn(way.kind === 'publish' ? edited(zone, way) : zone, ip, said);
  return unaccepted(given, way, policies);
}

function unaccepted(given: Assessment, way: Way, policies: readonly Policy[]): string[] {
  return policies.flatMap((policy) => {
    const { disposition, counted, cause } = decide(given, policy);
    // What the owner of another name declares is not known before that name is given.
    const unknown =
      way.kind === 'announce' &&
      way.what === 'reverse-name' &&
      counted.some(({ finding }) => findings.get(finding.id)?.basis === 'declared');
    return disposition === 'accept' || unknown
      ? []
      : [`${policy.preset} ${disposition} ${String(cause?.id)} after: ${linesOf(way).join(' | ')}`];
  });
}

/** Unhealed ways, and refused senders that are told nothing to publish though the name may be their own. */
async function unhealed(zone: string, ip: string, helo: string): Promise<{ faults: string[]; ways: number }> {
  const assessment = await assessedIn(zone, ip, helo);
  const faults: string[] = [];
  let told = 0;
  for (const policies of SETS) {
    const judged = policies.map((policy) => ({ policy, verdict: decide(assessment, policy) }));
    const ways = waysFor(assessment, judged);
    told += ways.length;
    for (const way of ways) faults.push(...(await after(zone, ip, helo, way, policies)));
    const isRefused = judged.some(({ verdict }) => verdict.disposition !== 'accept');
    const kinds = ways.map(({ kind }) => kind);
    const isOwn = isPublishable(assessment.client.helo);
    if (!isOwn && kinds.includes('publish')) faults.push(`${helo} is told to publish`);
    const curable = judged.every(({ verdict }) =>
      verdict.counted.every(({ finding, weight }) => {
        const cure = cureOf(finding, { findings });
        // A host that moves cannot keep a record of its address.
        if (cure === 'opt-out') return false;
        return (
          weight === 0 ||
          (cure !== undefined &&
            (cure !== 'announce' || findings.get(finding.id)?.excusedByProof?.exact === 0))
        );
      }),
    );
    if (isRefused && isOwn && curable && assessment.trouble === null && !kinds.includes('publish')) {
      faults.push(`${helo} from ${ip} is told nothing to publish: ${JSON.stringify(kinds)}`);
    }
    // What DNS could not say may be held against the next name too.
    const isKnown = !assessment.findings.some(isUnknown);
    if (isRefused && isKnown && !kinds.includes('announce') && !kinds.includes('name'))
      faults.push(`${helo} from ${ip} is told nothing to announce`);
  }
  return { faults, ways: told };
}

describe('advice heals', () => {
  const zone = read('../../examples/senders.zone');
  it.each(SENDERS)('$title', async ({ ip, helo }) => {
    expect((await unhealed(zone, ip, helo)).faults).toEqual([]);
  });

  const field = new URL('../../../shared/field/', import.meta.url);
  const isThere = existsSync(new URL('senders.json', field));
  const met = isThere
    ? (JSON.parse(read('../../../shared/field/senders.json')) as { id: string; ip: string; helo: string }[])
    : [];
  it.runIf(isThere).each(met)('a sender of the field: $id', async ({ ip, helo }) => {
    const text = read('../../../shared/field/senders.zone');
    const { faults } = await unhealed(text, ip, Buffer.from(helo).toString('latin1'));
    expect(faults).toEqual([]);
  });
});

/** What was found once. */
const FOUND: [zone: string, ip: string, helo: string][] = [
  // A record of SPF for the client alone took away what spoke for the other end of its tunnel.
  [
    [
      'mail.sender.org. A 192.0.2.1',
      'mail.sender.org. TXT "v=spf1 nonsense -all"',
      '_auth.mail.sender.org. TXT "helo=A,MX method=SPF"',
      'sender.org. NS ns.sender.org.',
      'org. NS a.nic.org.',
    ].join('\n'),
    '2002:c000:201::1',
    'mail.sender.org',
  ],
];

it('advice heals whatever is in the zone', async () => {
  let ways = 0;
  await fc.assert(
    fc.asyncProperty(ZONE, CLIENT, HELO, async (zone, ip, helo) => {
      const told = await unhealed(zone, ip, helo);
      ways += told.ways;
      expect(told.faults).toEqual([]);
    }),
    { numRuns: Number(process.env['HEAL_RUNS'] ?? 300), examples: FOUND },
  );
  expect(ways).toBeGreaterThan(1000);
});

/** Records of `publish --verify`, put into a zone as it is: the host is accepted, and the zone is sound. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { joined } from '../../src/advice/edit.ts';
import { editFor } from '../../src/advice/into-zone.ts';
import { stateOf } from '../../src/advice/record-states.ts';
import { recordsFor } from '../../src/advice/records.ts';
import { assess } from '../../src/core/assess.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { PRESETS } from '../../src/core/check.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { parseIp } from '../../src/core/ip.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { ZONE } from '../support/disordered-zone.ts';
import { edited } from '../support/edited-zone.ts';

const POLICIES = PRESETS.map((preset) => makePolicy(preset, findings));
const HOST = fc.constantFrom('mail.sender.org', 'other.sender.org', 'second.sender.org', 'new.sender.org');
const ADDRESSES = fc.subarray(['192.0.2.1', '192.0.2.99', '2001:db8::99'], { minLength: 1 });

function assessedIn(zone: string, host: string, ips: readonly string[]): Promise<readonly Assessment[]> {
  const resolver = zoneFileResolver(zone, 'zone');
  const onCheckError = (check: string, error: unknown): void => {
    throw new Error(`check ${check} threw`, { cause: error });
  };
  return Promise.all(ips.map((ip) => assess(makeClient(ip, host), { resolver, checks, onCheckError })));
}

/** Names with an alias and something beside it, which no name server takes (RFC 1034 §3.6.2). */
function brokenNames(zone: string): string[] {
  const lines = zone.split('\n').map((line) => /^(\S+) (?:IN )?(\S+)/.exec(line) ?? []);
  const aliases = lines.filter(([, , type]) => type === 'CNAME').map(([, owner]) => owner);
  return lines.flatMap(([line = '', owner, type]) =>
    type !== 'CNAME' && aliases.includes(owner) ? [line] : [],
  );
}

it('makes the host accepted, whatever is there', async () => {
  const states = new Set<string>();
  await fc.assert(
    fc.asyncProperty(ZONE, HOST, ADDRESSES, async (zone, host, ips) => {
      const addresses = ips.flatMap((ip) => parseIp(ip) ?? []);
      const assessments = await assessedIn(zone, host, ips);
      const resolver = zoneFileResolver(zone, 'zone');
      const edits = recordsFor(host, addresses).map(async (record) => {
        const found = await stateOf(record, host, addresses, resolver);
        states.add(`${record.purpose.slice(0, 3)} ${found.state}`);
        return editFor(record, found, { host, addresses, assessments });
      });
      const then = edited(zone, joined(await Promise.all(edits)) ?? expect.fail());
      expect({ then, broken: brokenNames(then) }).toEqual({ then, broken: [] });
      for (const assessment of await assessedIn(then, host, ips)) {
        for (const policy of POLICIES) {
          const { disposition, cause } = decide(assessment, policy);
          expect({ then, disposition, cause }).toMatchObject({ disposition: 'accept' });
        }
      }
    }),
    { numRuns: Number(process.env['HEAL_RUNS'] ?? 300) },
  );
  for (const kind of ['SPF', 'CSA', '_au', 'the'])
    for (const state of ['missing', 'different']) expect(states).toContain(`${kind} ${state}`);
});

/** The lines that a report suggests for the access list: what they let in, and whom they never do. */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { assess } from '../../src/core/assess.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { readRecord } from '../../src/decisions/record-reader.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { AccessList, parseAccess } from '../../src/policy/access.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import type { HitSender } from '../../src/report/hit-sender.ts';
import { HitCollector } from '../../src/report/hits.ts';
import { NO_PAST } from '../../src/report/replay-past.ts';
import { Replayer } from '../../src/report/replayer.ts';
import { suggestedLines } from '../../src/report/suggested-lines.ts';
import { SENDERS } from '../fixtures/senders.ts';
import { observedLog } from '../support/observed-log.ts';
import { RULES } from '../support/service.ts';

const resolver = zoneFileResolver(
  readFileSync(new URL('../../examples/senders.zone', import.meta.url), 'utf8'),
  'senders.zone',
);
const rules = { ...RULES, policy: makePolicy('strict', findings) };
const options = { rules, checks, until: '2027-01-31', now: Date.UTC(2026, 11, 1) };
let senders: readonly HitSender[] = [];

const ODD = ['*', '.example.org', '*.example.org', 'a*b', '[203.0.113.66]', '#', '"', 'ip=0.0.0.0/0', ''];

beforeAll(async () => {
  const odd = ODD.map((helo) => ({ ip: '203.0.113.66', helo }));
  const sent = [...SENDERS, ...odd].map(({ ip, helo }, i) => ({
    client: ip,
    helo,
    time: Date.UTC(2026, 10, 1) + i * 1000,
  }));
  const collector = new HitCollector();
  const replayer = new Replayer({ rules, past: NO_PAST });
  for (const line of await observedLog(sent, resolver))
    collector.add(replayer.replay(readRecord(line, checks)));
  senders = collector.senders();
});

const listOf = (line: string): AccessList =>
  new AccessList(parseAccess(line, 'line', options.now, checks), () => undefined);

it('let in what they say, and nobody else under any name', async () => {
  const strangers = ['203.0.113.251', '198.51.100.251', '2001:db8:bad::1', '::ffff:203.0.113.251'];
  const names = new Set([...SENDERS.map(({ helo }) => helo), ...ODD]);
  let tried = 0;
  for (const sender of senders) {
    for (const { line, letsIn } of suggestedLines(sender, options)) {
      const list = listOf(line);
      const hit = [...sender.cases.values()].filter(({ sample }) => {
        const { assessment } = sample.record.judged ?? {};
        return assessment !== undefined && list.match(assessment, sample.record.time) !== null;
      });
      expect(
        hit.reduce((sum, { firsts }) => sum + firsts, 0),
        line,
      ).toBe(letsIn);
      for (const ip of strangers) {
        for (const helo of names) {
          const assessment = await assess(makeClient(ip, helo), {
            resolver,
            checks,
            onCheckError: (_, error) => {
              throw error;
            },
          });
          expect(list.match(assessment, options.now), `${line} lets in ${ip} as ${helo}`).toBeNull();
          tried++;
        }
      }
    }
  }
  expect(tried).toBeGreaterThan(500);
});

it('are none for a client whom the owner of the name denies, and which has not shown that it is the owner', () => {
  const denied = senders.filter(({ denied: no, proved, hits }) => no === hits.decisions && proved === 0);
  expect(denied.length).toBeGreaterThan(0);
  for (const sender of denied) expect(suggestedLines(sender, options)).toEqual([]);
});

it('have an end', () => {
  const lines = senders.flatMap((each) => suggestedLines(each, options));
  expect(lines.length).toBeGreaterThan(5);
  for (const { line } of lines) expect(line).toMatch(/ {2}until=2027-01-31$/);
});

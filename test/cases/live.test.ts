/**
 * A policy test says what a session gets: every example that the wire can carry is also played to the milter.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../src/cases/case.ts';
import { readCases } from '../../src/cases/read-cases.ts';
import { runCase } from '../../src/cases/run-case.ts';
import { ConfigSource } from '../../src/config/source.ts';
import { PRESETS } from '../../src/core/check.ts';
import type { Decision } from '../../src/decisions/decision.ts';
import { heloMilter } from '../../src/session/helo-milter.ts';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { readRules } from '../../src/service/read-rules.ts';
import { registryOf } from '../../src/service/registry.ts';
import { Assessor } from '../../src/session/assessor.ts';
import { RecentVerdicts } from '../../src/session/recent-verdicts.ts';
import { ChurnCounter } from '../../src/state/churn.ts';
import { client, context, envelope } from '../support/session.ts';
import { milterOptions } from '../support/service.ts';

const example = (name: string): string =>
  fileURLToPath(new URL(`../../examples/policy-tests/${name}`, import.meta.url));
const zone = zoneFileResolver(readFileSync(example('hosts.zone'), 'utf8'), 'hosts.zone');

describe.each(PRESETS)('%s', (preset) => {
  it('says what a session gets', async () => {
    const config = await new ConfigSource(new Map([['policy', [preset]]]), {
      file: example('helo-milter.toml'),
    }).read();
    const registry = await registryOf(config);
    const base = await readRules(config, registry, () => undefined);
    const played: string[] = [];
    // With tables of some size, which no case here fills.
    const options = milterOptions({}, []);
    for (const each of await readCases(example(`${preset}.toml`), registry)) {
      const { source } = each;
      // Many names come from many sessions, and a record from another day.
      if (source.kind !== 'zone' || source.session.namesSeen > 1) continue;
      const rules = { ...base, access: each.access ?? base.access };
      const decided: Decision[] = [];
      const assessor = new Assessor({
        resolver: zone,
        checks: () => rules.checks,
        limits: () => ({
          deadlineMs: 60_000,
          cacheSize: 0,
          cacheMemory: 1 << 20,
          cacheMinMs: 0,
          cacheMaxMs: 0,
        }),
        now: () => 0,
        onCheckError: (check) => expect.fail(check),
      });
      const session = heloMilter({
        ...options,
        recent: new RecentVerdicts(),
        churn: new ChurnCounter({
          limits: () => ({ windowMs: 1, maxNames: 11, maxClients: 9 }),
          now: () => 0,
        }),
        assessor,
        rules: () => rules,
        wallClock: () => each.at ?? 0,
        decided: (decision) => decided.push(decision),
      })();
      await play(session, each, source);
      const { got } = await runCase(each, base, 0);
      const [decision] = decided;
      const judged = decision?.judged ?? null;
      expect({
        name: each.name,
        exempt: decision?.exempt ?? null,
        action: decision?.exempt === null ? (judged?.action ?? 'accept') : 'accept',
        cause: judged?.verdict.cause?.id ?? 'none',
        stream: judged?.verdict.stream ?? null,
        access: judged?.access?.line ?? null,
      }).toEqual({
        name: each.name,
        exempt: got.exempt,
        action: got.disposition,
        cause: got.cause,
        stream: got.stream,
        access: got.access,
      });
      played.push(each.name);
    }
    expect(played.length).toBeGreaterThan(50);
  });
});

type Session = ReturnType<ReturnType<typeof heloMilter>>;

async function play(
  session: Session,
  { recipient }: Case,
  { client: ip, helo, session: seen }: Case['source'] & { readonly kind: 'zone' },
): Promise<void> {
  const mta = context(seen.mta.name === null ? {} : { j: seen.mta.name });
  await session.connect?.(client(ip.text), mta);
  if (seen.previousHelo !== null) await session.helo?.(seen.previousHelo, mta);
  if (helo !== '') await session.helo?.(helo, mta);
  // An exempt recipient waits for no verdict, and is told of one that is there.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const sent = await session.mail?.(envelope('a@example.org'), mta);
  if (sent === 'continue') await session.rcpt?.(envelope(recipient ?? 'someone@example.com'), mta);
  session.close?.();
}

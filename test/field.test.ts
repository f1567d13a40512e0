/**
 * Zones and senders found in the field; the data lies beside the repository, and its README says what the
 * fields mean.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { assess } from '../src/core/assess.ts';
import type { Assessment } from '../src/core/assessment.ts';
import { PRESETS } from '../src/core/check.ts';
import { checks, findings } from '../src/core/checks/index.ts';
import { makeClient } from '../src/core/client.ts';
import type { Answer, RecordType, Resolver } from '../src/core/resolver.ts';
import { zoneFileResolver } from '../src/dns/zone-file.ts';
import { decide } from '../src/policy/decide.ts';
import { type Disposition, makePolicy } from '../src/policy/policy.ts';

interface Case {
  n: string;
  zone: string;
  ip: string;
  helo: string;
  has: string[];
  not: string[];
  correspondence: string;
  v: Disposition[];
  why: string;
  dns?: Record<string, string>;
}

interface Sender {
  id: string;
  wanted: boolean;
  ip: string;
  helo: string;
  rfc5321: { today: Disposition; want: Disposition };
  emailcore: { today: Disposition };
  strict: { today: Disposition };
}

const file = (name: string): string => fileURLToPath(new URL(`../../shared/field/${name}`, import.meta.url));
const FILES = ['cases.json', 'senders.json', 'senders.zone'].map(file);
const present = FILES.every((each) => existsSync(each));
const cases = present ? (JSON.parse(readFileSync(file('cases.json'), 'utf8')) as Case[]) : [];
const senders = present ? (JSON.parse(readFileSync(file('senders.json'), 'utf8')) as Sender[]) : [];
const sendersZone = present
  ? zoneFileResolver(readFileSync(file('senders.zone'), 'utf8'), 'senders.zone')
  : null;
const right = { cases: 0, senders: 0 };

if (!present) {
  const message = 'field cases: SKIPPED, there is no ../shared/field with cases and senders';
  it.skipIf(process.env['CI'] !== 'true')('has the cases of the field', () => {
    expect.fail(message);
  });
  process.stderr.write(`${message}\n`);
}

/** What a scripted server answers in place of the zone. */
const SCRIPTED: readonly (readonly [RegExp, Answer<RecordType>])[] = [
  [/^(?:no answer|SERVFAIL)/, { status: 'temperror', detail: 'servfail' }],
  [/^NXDOMAIN$/, { status: 'nxdomain', ttl: null }],
  [/^NOERROR, no data/, { status: 'nodata', ttl: null }],
];

function scripted(inner: Resolver, script: Readonly<Record<string, string>>): Resolver {
  return {
    lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
      const said = script[`${name} ${type}`];
      const answer = SCRIPTED.find(([pattern]) => said !== undefined && pattern.test(said))?.[1];
      if (said !== undefined && answer === undefined) throw new Error(`not understood: ${said}`);
      return answer === undefined ? inner.lookup(name, type) : Promise.resolve(answer as Answer<T>);
    },
  };
}

function assessed(ip: string, helo: string, resolver: Resolver): Promise<Assessment> {
  return assess(makeClient(ip, helo), {
    resolver,
    checks,
    onCheckError: (check, error) => {
      throw new Error(`check ${check} threw`, { cause: error });
    },
  });
}

const dispositions = (assessment: Assessment): Disposition[] =>
  PRESETS.map((preset) => decide(assessment, makePolicy(preset, findings)).disposition);

describe.runIf(present)('a zone of the field', () => {
  it.each(cases)('$n: $why', async ({ zone, ip, helo, dns = {}, ...wanted }) => {
    const given = await assessed(ip, helo, scripted(zoneFileResolver(zone, 'zone'), dns));
    const ids = given.findings.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(wanted.has));
    expect(ids.filter((id) => wanted.not.includes(id))).toEqual([]);
    expect({ correspondence: given.correspondence, v: dispositions(given) }).toEqual({
      correspondence: wanted.correspondence,
      v: wanted.v,
    });
    right.cases++;
  });

  afterAll(() => {
    expect(right.cases).toBe(10);
  });
});

const SEVERITY: Readonly<Record<Disposition, number>> = { accept: 0, tempfail: 1, reject: 2 };

describe.runIf(present)('a sender of the field', () => {
  it.each(senders)('$id', async ({ ip, helo, wanted, ...judged }) => {
    if (sendersZone === null) throw new Error('no zone');
    const [rfc5321 = 'accept', ...others] = dispositions(
      await assessed(ip, Buffer.from(helo).toString('latin1'), sendersZone),
    );
    expect(rfc5321).toBe(judged.rfc5321.want);
    if (!wanted) {
      // No bot gains, whatever the preset.
      const before = [judged.emailcore.today, judged.strict.today];
      expect(others.map((each, i) => SEVERITY[each] >= SEVERITY[before[i] ?? 'reject'])).toEqual([
        true,
        true,
      ]);
      expect(SEVERITY[rfc5321]).toBeGreaterThanOrEqual(SEVERITY[judged.rfc5321.today]);
    }
    right.senders++;
  });

  afterAll(() => {
    expect(right.senders).toBe(60);
  });
});

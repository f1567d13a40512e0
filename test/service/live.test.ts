/** Reading, as a whole, everything that a Config names; and what of it remains in use after a reload. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { Live, sameAssessments } from '../../src/service/live.ts';
import { type Given, prepared } from '../support/workshop.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'live-'));
  writeFileSync(join(directory, 'zone'), '$TTL 60\nmail.sender.org. A 198.51.100.7\n');
  writeFileSync(join(directory, 'bad'), 'permit *\n');
  writeFileSync(join(directory, 'names'), 'deny spam.example.org\n');
  writeFileSync(join(directory, 'proofs'), 'allow .example.org spf=pass\ndeny .example.org\n');
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const placed = (given: Given): Given =>
  Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, String(value).replace('DIR', directory)]),
  );

it.each<[Given, RegExp[]]>([
  [{ access: 'DIR/bad' }, [/bad:1: /]],
  [{ access: 'DIR/bad', weight: 'no-such=1' }, [/--weight: there is no finding/, /bad:1: /]],
  [{ access: 'DIR/bad', dnsZone: 'DIR/none' }, [/bad:1: /, /--dns-zone: /]],
  // If a module with findings cannot be read, nobody can say whether a finding exists.
  [{ check: 'DIR/none.mjs', weight: 'no-such=1', access: 'DIR/bad' }, [/--check: ENOENT/, /bad:1: /]],
])('prepare tells of all that is wrong in %j', async (given, wanted) => {
  const error: unknown = await prepared(placed(given)).catch((fault: unknown) => fault);
  if (!(error instanceof UsageError)) throw error;
  const told = [error, ...error.others].map(({ message }) => message);
  expect(told).toHaveLength(wanted.length);
  for (const [i, message] of wanted.entries()) expect(told[i]).toMatch(message);
});

const SERVER = { dnsServer: '192.0.2.1' };

it.each<[before: Given, after: Given, resolver: 'kept' | 'new', assessments: 'kept' | 'new']>([
  [SERVER, SERVER, 'kept', 'kept'],
  [SERVER, { ...SERVER, policy: 'strict', rejectAt: '20' }, 'kept', 'kept'],
  [SERVER, { ...SERVER, dnsTimeout: '1s' }, 'new', 'kept'],
  [SERVER, { dnsServer: '192.0.2.2' }, 'new', 'new'],
  [SERVER, { ...SERVER, weight: 'helo-alias=1' }, 'kept', 'new'],
  [{ ...SERVER, weight: 'helo-alias=1' }, SERVER, 'kept', 'kept'],
  [{ dnsZone: 'DIR/zone' }, { dnsZone: 'DIR/zone' }, 'new', 'new'],
  // What other hosts wrote does not decide whether a list refuses.
  [SERVER, { ...SERVER, access: 'DIR/names' }, 'kept', 'kept'],
  [{ ...SERVER, access: 'DIR/names' }, { ...SERVER, access: 'DIR/proofs' }, 'kept', 'new'],
  [{ ...SERVER, access: 'DIR/proofs' }, { ...SERVER, access: 'DIR/proofs' }, 'kept', 'kept'],
])('from %j to %j the resolver is %s, assessments are %s', async (from, to, resolver, assessments) => {
  const [before, after] = [await prepared(placed(from)), await prepared(placed(to))];
  const live = new Live(before);
  expect(live.replace(after)).toBe(before);
  expect([live.config, live.rules, live.registry]).toEqual([after.config, after.rules, after.registry]);
  expect(live.resolver === before.resolver).toBe(resolver === 'kept');
  expect(sameAssessments(before, after)).toBe(assessments === 'kept');
});

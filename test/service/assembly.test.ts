/** The assembled parts: they follow the settings in force, and nothing is opened. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Decision } from '../../src/decisions/decision.ts';
import { assemble } from '../../src/service/assembly.ts';
import { client, context, envelope } from '../support/session.ts';
import { type Given, prepared, workshop } from '../support/workshop.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'assembly-'));
  for (const [name, address] of [
    ['one', '198.51.100.7'],
    ['two', '198.51.100.8'],
  ] as const) {
    writeFileSync(join(directory, name), `$TTL 60\nmail.sender.org. A ${address}\n`);
  }
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const zone = (name: string, more: Given = {}): Given => ({ dnsZone: join(directory, name), ...more });
const nobody = (): void => undefined;

it.each<[Given, string[], string, boolean]>([
  [{}, ['addHeaders', 'changeHeaders'], 'continue', false],
  [{ forgedResults: 'none' }, ['addHeaders'], 'continue', false],
  [{ noAuthResults: '', onError: 'tempfail' }, [], 'tempfail', false],
  [{ applyAt: 'helo' }, ['addHeaders', 'changeHeaders'], 'continue', true],
])('%j: what is agreed with the MTA, also after a reload', async (given, actions, onError, early) => {
  const shop = await workshop(zone('one', given));
  const reloaded = await workshop(zone('one'));
  const later = assemble(reloaded, nobody);
  reloaded.live.replace(await prepared(zone('one', given)));
  for (const parts of [assemble(shop, nobody), later]) {
    const agreed = parts.agreed();
    expect([agreed.actions, agreed.replyOnError]).toEqual([actions, onError]);
    expect((agreed.macros?.connect ?? []).length > 0).toBe(early);
    expect(parts.server.connections).toBe(0);
  }
});

it('asks the resolver that is in force', async () => {
  const shop = await workshop(zone('one'));
  const { resolver } = assemble(shop, nobody);
  const addresses = async (): Promise<unknown> => resolver.lookup('mail.sender.org', 'A');
  expect(await addresses()).toMatchObject({ records: ['198.51.100.7'] });
  shop.live.replace(await prepared(zone('two')));
  expect(await addresses()).toMatchObject({ records: ['198.51.100.8'] });
});

it('hands on each decision once, to the rules in force', async () => {
  const shop = await workshop(zone('one', { noAuthResults: '' }));
  const decided: Decision[] = [];
  const { agreed } = assemble(shop, (decision) => decided.push(decision));
  const session = agreed().newSession();
  const mta = context();
  await session.connect?.(client('203.0.113.50'), mta);
  await session.helo?.('gone.sender.org', mta);
  await session.mail?.(envelope('s@sender.org'), mta);
  shop.live.replace(await prepared(zone('one', { noAuthResults: '', observe: '' })));
  expect(await session.rcpt?.(envelope('r@dest.test'), mta)).toBe('accept');
  expect(decided.map(({ judged }) => [judged?.verdict.disposition, judged?.action])).toEqual([
    ['tempfail', 'accept'],
  ]);
});

import { expect, it } from 'vitest';
import { csa } from '../../../src/core/checks/csa.ts';
import { outcome, run } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const srv = (weight: number, port: number, target: string): Zone[string] => ({
  SRV: [{ priority: 1, weight, port, target }],
});
const ZONE: Zone = {
  'ok.org': { A: ['192.0.2.1'] },
  '_client._smtp.ok.org': srv(2, 0, 'ok.org'),
  '_client._smtp.denied.org': srv(1, 0, 'denied.org'),
  '_client._smtp.strict.org': srv(2, 1, 'strict.org'),
  '_client._smtp.any.org': srv(3, 0, 'any.org'),
  '_client._smtp.trouble.org': 'temperror',
};

it.each<[string | null, string, string]>([
  ['192.0.2.1', 'ok.org', 'pass authorized'],
  ['203.0.113.1', 'ok.org', 'helo-csa-fail'],
  ['192.0.2.1', 'denied.org', 'helo-csa-fail'],
  ['192.0.2.1', 'host.strict.org', 'helo-csa-fail'],
  ['192.0.2.1', 'any.org', 'none'],
  ['192.0.2.1', 'trouble.org', 'dns-temperror'],
  ['192.0.2.1', 'silent.org', 'none'],
  ['192.0.2.1', 'Jupiter', 'none'],
  [null, 'ok.org', 'none'],
])('%s saying %s: %s', async (ip, helo, wanted) => {
  expect(await outcome(csa, ip, helo, ZONE)).toBe(wanted);
});

it('uses the words of CSA', async () => {
  expect((await run(csa, '192.0.2.1', 'ok.org', ZONE)).evidence['status']).toBe('ok');
  expect((await run(csa, '192.0.2.1', 'any.org', ZONE)).evidence['status']).toBe('unknown');
  expect((await run(csa, '192.0.2.1', 'denied.org', ZONE)).evidence['status']).toBe('fail');
});

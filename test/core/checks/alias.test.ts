import { expect, it } from 'vitest';
import { alias } from '../../../src/core/checks/alias.ts';
import { outcome, run } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const ZONE: Zone = {
  'alias.example.org': { CNAME: ['mail.example.org'] },
  'mail.example.org': { A: ['192.0.2.1'] },
  'broken.example.org': 'temperror',
};

it.each([
  ['alias.example.org', 'helo-alias'],
  ['mail.example.org', 'pass'],
  ['gone.example.org', 'pass'],
  ['broken.example.org', 'dns-temperror'],
  ['Jupiter', 'none'],
])('%s: %s', async (helo, wanted) => {
  expect(await outcome(alias, '192.0.2.1', helo, ZONE)).toBe(wanted);
});

it('names the target', async () => {
  expect((await run(alias, null, 'alias.example.org', ZONE)).evidence['target']).toBe('mail.example.org');
});

import { expect, it } from 'vitest';
import { spf } from '../../../src/core/checks/spf.ts';
import { outcome, run } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const ZONE: Zone = {
  'pass.org': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
  'soft.org': { TXT: ['v=spf1 ~all'] },
  'neutral.org': { TXT: ['v=spf1 ?all'] },
  'broken.org': { TXT: ['v=spf1 nonsense'] },
  'wide.org': { TXT: ['v=spf1 +all'] },
  'halves.org': { TXT: ['v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all'] },
  'explained.org': { TXT: ['v=spf1 -all exp=why.org'] },
  'why.org': { TXT: ['%{i} is not ours'] },
  'trouble.org': 'temperror',
  'plain.org': { A: ['192.0.2.1'] },
};

it.each<[string | null, string, string]>([
  ['192.0.2.1', 'pass.org', 'pass authorized'],
  ['192.0.2.1', 'PASS.org.', 'pass authorized'],
  ['203.0.113.1', 'pass.org', 'helo-spf-fail'],
  ['192.0.2.1', 'soft.org', 'helo-spf-softfail'],
  ['192.0.2.1', 'neutral.org', 'neutral'],
  ['192.0.2.1', 'broken.org', 'helo-spf-permerror'],
  ['192.0.2.1', 'wide.org', 'pass'],
  ['192.0.2.1', 'halves.org', 'pass'],
  ['192.0.2.1', 'trouble.org', 'dns-temperror'],
  ['192.0.2.1', 'plain.org', 'none'],
  ['192.0.2.1', 'gone.org', 'none'],
  ['192.0.2.1', 'Jupiter', 'none'],
  ['192.0.2.1', '[192.0.2.1]', 'none'],
  [null, 'pass.org', 'none'],
])('%s saying %s: %s', async (ip, helo, wanted) => {
  expect(await outcome(spf, ip, helo, ZONE)).toBe(wanted);
});

it('says what decided, and why a pass identifies nobody', async () => {
  expect((await run(spf, '192.0.2.1', 'pass.org', ZONE)).evidence).toMatchObject({
    mechanism: 'ip4:192.0.2.0/24 of pass.org',
    record: 'v=spf1 ip4:192.0.2.0/24 -all',
    lookups: '0',
  });
  expect((await run(spf, '192.0.2.1', 'wide.org', ZONE)).evidence['toowide']).toBeDefined();
  expect((await run(spf, '192.0.2.1', 'explained.org', ZONE)).evidence['explanation']).toBe(
    '192.0.2.1 is not ours',
  );
});

it.each([
  ['v=spf1 ptr +all', '+all permits everybody; ptr should not be used (RFC 7208 §5.5)'],
  ['v=spf1 all', '+all permits everybody'],
  ['v=spf1 a ~all', undefined],
])('notes of %j: %s', async (record, note) => {
  const zone = { 'noted.org': { TXT: [record], A: ['198.51.100.1'] } };
  expect((await run(spf, '192.0.2.1', 'noted.org', zone)).evidence['note']).toBe(note);
});

import { expect, it } from 'vitest';
import { auth } from '../../../src/core/checks/auth.ts';
import { outcome, run } from '../../support/checked.ts';
import type { Zone } from '../../support/zone.ts';

const ZONE: Zone = {
  '_auth.owner.org': { TXT: ['helo=192.0.2.0/28'] },
  '_auth.wide.org': { TXT: ['helo=0.0.0.0/0'] },
  '_auth.optout.org': { TXT: ['method=none'] },
  '_auth.spf.org': { TXT: ['method=SPF'] },
  'spf.org': { TXT: ['v=spf1 -all'] },
  '_auth.trouble.org': 'temperror',
  '_auth.two.org': { TXT: ['helo=192.0.2.1', 'helo=192.0.2.2'] },
};

it.each<[string | null, string, string]>([
  ['192.0.2.1', 'mail.owner.org', 'pass authorized'],
  ['192.0.2.99', 'mail.owner.org', 'helo-auth-fail'],
  ['192.0.2.1', 'wide.org', 'pass'],
  ['192.0.2.1', 'phone.optout.org', 'none'],
  ['192.0.2.1', 'spf.org', 'helo-auth-fail'],
  ['192.0.2.1', 'trouble.org', 'dns-temperror'],
  ['192.0.2.1', 'two.org', 'none'],
  ['192.0.2.1', 'silent.org', 'none'],
  ['192.0.2.1', 'Jupiter', 'none'],
  [null, 'mail.owner.org', 'none'],
])('%s saying %s: %s', async (ip, helo, wanted) => {
  expect(await outcome(auth, ip, helo, ZONE)).toBe(wanted);
});

it('takes method=none for an opt-out', async () => {
  expect((await run(auth, '192.0.2.1', 'phone.optout.org', ZONE)).optOut).toBe(true);
  expect((await run(auth, '192.0.2.1', 'mail.owner.org', ZONE)).optOut).toBe(false);
});

/** The value of Authentication-Results for a pair, under the default policy. */
import { authResults } from '../../src/session/auth-results.ts';
import type { Settles } from '../../src/core/assess.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { decide } from '../../src/policy/decide.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { assessed } from './checked.ts';
import type { Zone } from './zone.ts';

export async function tagged(
  ip: string | null,
  helo: string,
  zone: Zone,
  authservId: string,
  settled?: Settles,
): Promise<string> {
  const assessment = await assessed(ip, helo, zone, settled);
  const policy = makePolicy('rfc5321', findings);
  const verdict = decide(assessment, policy);
  const judged = {
    assessment,
    verdict,
    policy,
    ownPolicy: null,
    shadow: null,
    shadowPolicy: null,
    access: null,
    ramp: null,
    streamLimit: null,
    action: 'accept' as const,
    dnsIll: false,
    elapsedMs: 0,
    session: { previousHelo: null, namesSeen: 1, regular: false, mta: { name: null, address: null } },
  };
  return authResults(authservId, judged, checks);
}

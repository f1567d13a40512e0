/** Runs one check, or all of them, on a client, a name and a zone: the start of most tests of core/. */
import { assess, type Settles } from '../../src/core/assess.ts';
import type { Assessment } from '../../src/core/assessment.ts';
import { type Check, normalise, type Outcome } from '../../src/core/check.ts';
import { checks } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { type Zone, zoneResolver } from './zone.ts';

export async function run(check: Check, ip: string | null, helo: string, zone: Zone = {}): Promise<Outcome> {
  return normalise(await check.run(makeClient(ip, helo), zoneResolver(zone)));
}

/**
 * The outcome as words: the finding id, or the result where nothing was found; the correspondence where
 * shown.
 */
export async function outcome(
  check: Check,
  ip: string | null,
  helo: string,
  zone: Zone = {},
): Promise<string> {
  const { result, finding, correspondence } = await run(check, ip, helo, zone);
  return [finding?.id ?? result, ...(correspondence === 'none' ? [] : [correspondence])].join(' ');
}

/** All checks; one that throws fails the test. */
export async function assessed(
  ip: string | null,
  helo: string,
  zone: Zone = {},
  settled?: Settles,
): Promise<Assessment> {
  const onCheckError = (check: string, error: unknown): void => {
    throw new Error(`check ${check} threw`, { cause: error });
  };
  return assess(makeClient(ip, helo), {
    resolver: zoneResolver(zone),
    checks,
    onCheckError,
    settles: settled,
  });
}

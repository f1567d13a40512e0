/**
 * From a verdict to an action: what is really done of what the policy says. Watching comes before enforcing, so an
 * operator can act on nothing, or on a share of the networks.
 */
import { createHash } from 'node:crypto';
import { type IpAddress, networkText } from '../core/ip.ts';
import type { Disposition } from './policy.ts';

export interface Enforcement {
  /** Act on nothing. */
  readonly observe: boolean;
  /** Share of client networks acted on, 0–100. */
  readonly percent: number;
}

/** The action for a disposition; `accept` wherever we only watch. */
export function enforce(
  disposition: Disposition,
  client: IpAddress | null,
  { observe, percent }: Enforcement,
): Disposition {
  if (observe) return 'accept';
  if (percent >= 100 || disposition === 'accept') return disposition;
  return client !== null && networkShare(client) < percent ? disposition : 'accept';
}

/**
 * Where a client network stands on a scale from 0 to 100. Stable over restarts and hosts, and the same for the whole
 * /24 or /64, so that a pool is treated alike and raising the share only adds networks.
 */
export function networkShare(client: IpAddress): number {
  const network = networkText(client, client.family === 4 ? 24 : 64);
  const hash = createHash('sha256').update(network).digest();
  return (hash.readUInt32BE(0) / 0x1_0000_0000) * 100;
}

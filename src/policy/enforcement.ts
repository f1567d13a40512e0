/**
 * From a verdict to an action: how much of what the policy says is really done. Watching comes before
 * enforcing, so an operator can act on nothing, or on a share of the networks.
 */
import { networkOf } from '../core/client-networks.ts';
import type { IpAddress } from '../core/ip.ts';
import type { Disposition } from './policy.ts';

/** Whether verdicts are acted upon, and for whom. */
export interface Enforcement {
  /** Act on nothing. */
  readonly observe: boolean;
  /** Share of client networks acted on, 0–100. */
  readonly percent: number;
  /**
   * Where a network stands on a scale from 0 to 100: the same after restarts and on every host, and evenly
   * spread. Handed in, since hashing needs Node.
   */
  readonly shareOf: (network: string) => number;
}

/**
 * The action for a disposition; `accept` wherever we only watch. A pool is treated alike: its whole /24 or
 * /64 is acted on or not, and raising the share only adds networks.
 */
export function enforce(
  disposition: Disposition,
  client: IpAddress | null,
  { observe, percent, shareOf }: Enforcement,
): Disposition {
  if (observe) return 'accept';
  if (percent >= 100 || disposition === 'accept') return disposition;
  return client !== null && shareOf(networkOf(client, 'network')) < percent ? disposition : 'accept';
}

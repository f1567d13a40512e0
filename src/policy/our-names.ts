/**
 * The names and addresses that nobody else may give: the operator's, and those that the MTA gives as its own.
 */
import { canonicalName } from '../core/domain.ts';
import type { SessionFacts } from '../core/checks/session.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';

export type Ourselves = Pick<SessionFacts, 'ourNames' | 'ourAddresses'>;

/** What the MTA says about a session. */
interface Macros {
  macro(name: string): string | undefined;
}

/** Every session of an MTA says the same, so the last result is kept. */
export function createOurselves(configured: () => Ourselves): (macros: Macros) => Ourselves {
  let of: { configured: Ourselves; name: string | undefined; address: string | undefined } | null = null;
  let made: Ourselves = { ourNames: [], ourAddresses: [] };
  return (macros) => {
    const current = configured();
    const name = macros.macro('j');
    const address = macros.macro('daemon_addr') ?? macros.macro('if_addr');
    if (of?.configured !== current || of.name !== name || of.address !== address) {
      of = { configured: current, name, address };
      made = withMta(current, name, address === undefined ? null : parseIp(bareAddress(address)));
    }
    return made;
  };
}

function withMta(
  { ourNames, ourAddresses }: Ourselves,
  name: string | undefined,
  address: IpAddress | null,
): Ourselves {
  return {
    ourNames: name === undefined ? ourNames : [...ourNames, canonicalName(name)],
    ourAddresses: address === null ? ourAddresses : [...ourAddresses, address],
  };
}

/** `{daemon_addr}` and `{if_addr}` come as `192.0.2.1`, `[192.0.2.1]`, `IPv6:…` or both. */
function bareAddress(text: string): string {
  return text.replace(/^\[(.*)\]$/, '$1').replace(/^IPv6:/i, '');
}

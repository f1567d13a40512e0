/**
 * The names and addresses that nobody else may give: the operator's, and those that the MTA gives as its own.
 */
import { canonicalName } from '../core/domain.ts';
import type { SessionFacts } from '../core/checks/session.ts';
import { type IpAddress, parseIp } from '../core/ip.ts';

type Ourselves = Pick<SessionFacts, 'ourNames' | 'ourAddresses'>;

/** What the MTA calls itself in a session; null where it does not say. */
export interface MtaSelf {
  /** Canonical. */
  readonly name: string | null;
  readonly address: IpAddress | null;
}

/** What the MTA says about a session. */
interface Macros {
  macro(name: string): string | undefined;
}

/** Reads how an MTA calls itself. Every session of one says the same, so the last result is kept. */
export function mtaSelfReader(): (macros: Macros) => MtaSelf {
  let of: { name: string | undefined; address: string | undefined } | null = null;
  let made: MtaSelf = { name: null, address: null };
  return (macros) => {
    const name = macros.macro('j');
    const address = macros.macro('daemon_addr') ?? macros.macro('if_addr');
    if (of?.name !== name || of?.address !== address) {
      of = { name, address };
      made = {
        name: name === undefined ? null : canonicalName(name),
        address: address === undefined ? null : parseIp(bareAddress(address)),
      };
    }
    return made;
  };
}

/** All names and addresses that are ours: those that the operator has set, and those of the MTA. */
export function ourselves({ ourNames, ourAddresses }: Ourselves, { name, address }: MtaSelf): Ourselves {
  return {
    ourNames: name === null ? ourNames : [...ourNames, name],
    ourAddresses: address === null ? ourAddresses : [...ourAddresses, address],
  };
}

/** `{daemon_addr}` and `{if_addr}` come as `192.0.2.1`, `[192.0.2.1]`, `IPv6:…` or both. */
function bareAddress(text: string): string {
  return text.replace(/^\[(.*)\]$/, '$1').replace(/^IPv6:/i, '');
}

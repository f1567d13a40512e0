/** Options that say where somebody listens: the sockets for the MTA, and the name servers to ask. */
import { readServerAddress, ServerAddressError } from '../dns/server-address.ts';
import { OptionError, UsageError } from '../errors.ts';
import { AddressError, parseSocketAddress, type SocketAddress } from '../milter/index.ts';

/** `--listen` with this word starts only where systemd hands sockets over. */
export const HANDED_ONLY = 'systemd';

/** The sockets of `--listen` but for those that systemd is to hand over. Throws OptionError for a text that is none. */
export function socketsOf({ listen }: { readonly listen: readonly string[] }): readonly SocketAddress[] {
  return listen.filter((text) => text !== HANDED_ONLY).map(socketOf);
}

function socketOf(text: string): SocketAddress {
  try {
    return parseSocketAddress(text);
  } catch (error) {
    throw error instanceof AddressError ? new OptionError('--listen', error.message, text) : error;
  }
}

/** A value of `--dns-server`, kept as it was written. Throws UsageError. */
export function serverText(text: string): string {
  try {
    readServerAddress(text);
    return text;
  } catch (error) {
    throw error instanceof ServerAddressError ? new UsageError(error.message) : error;
  }
}

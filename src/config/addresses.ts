/** Options that say where somebody listens: the sockets for the MTA, and the name servers to ask. */
import { readServerAddress, ServerAddressError } from '../dns/server-address.ts';
import { OptionError, UsageError } from '../errors.ts';
import { AddressError, parseSocketAddress, type SocketAddress } from '../milter/address.ts';

/** `--listen` with this word starts only where systemd hands sockets over. */
export const HANDED_ONLY = 'systemd';

/** A value of `--listen`, as it was written and as it was read. */
export interface ListenValue {
  readonly text: string;
  readonly address: SocketAddress;
}

/**
 * The values of `--listen`, without the word that leaves it to systemd. Throws OptionError for a text that
 * names no socket.
 */
export function listenValues({ listen }: { readonly listen: readonly string[] }): readonly ListenValue[] {
  return listen.filter((text) => text !== HANDED_ONLY).map((text) => ({ text, address: socketOf(text) }));
}

/** The sockets of `listenValues`. */
export function socketsOf(options: { readonly listen: readonly string[] }): readonly SocketAddress[] {
  return listenValues(options).map(({ address }) => address);
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

/** Where a milter listens, in the spellings of both MTAs. */
export type SocketAddress =
  | { readonly kind: 'inet'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  /** A listening socket that was handed over, as systemd does. */
  | { readonly kind: 'fd'; readonly fd: number };

/** A socket address that cannot be read; its message says why. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
  readonly code = 'milter-address';
}

/** The longest path a unix socket can have on Linux, less the final NUL. */
const MAX_PATH = 107;

/**
 * Reads `inet:HOST:PORT` (Postfix), `inet:PORT@HOST` (Sendmail), `inet6:…` likewise, `unix:/PATH`,
 * `local:/PATH`, a bare `/PATH`, or `fd:N`. An IPv6 address may be in brackets. Throws AddressError.
 */
export function parseSocketAddress(text: string): SocketAddress {
  const path = /^(?:(?:unix|local):)?(\/.*)$/s.exec(text)?.[1];
  if (path !== undefined) {
    if (Buffer.byteLength(path) > MAX_PATH) throw wrong(text, `the path is longer than ${MAX_PATH} bytes`);
    if (path.includes('\0')) throw wrong(text, 'the path holds a NUL');
    return { kind: 'unix', path };
  }
  const fd = /^fd:(\d{1,4})$/.exec(text)?.[1];
  if (fd !== undefined) return { kind: 'fd', fd: Number(fd) };
  const inet = /^inet6?:(?:(?<port>\d{1,5})@(?<host>[^@]+)|(?<host2>.+):(?<port2>\d{1,5}))$/.exec(
    text,
  )?.groups;
  if (inet === undefined) {
    throw wrong(text, 'write inet:HOST:PORT, inet:PORT@HOST, unix:/PATH or local:/PATH');
  }
  const port = Number(inet['port'] ?? inet['port2']);
  if (port > 65_535) throw wrong(text, 'no such port');
  const host = (inet['host'] ?? inet['host2'] ?? '').replace(/^\[(.*)\]$/, '$1');
  if (!/^[A-Za-z0-9._:%-]+$/.test(host)) throw wrong(text, 'no such host');
  return { kind: 'inet', host, port };
}

/** As Postfix spells it. */
export function formatSocketAddress(address: SocketAddress): string {
  switch (address.kind) {
    case 'inet':
      return `inet:${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
    case 'unix':
      return `unix:${address.path}`;
    case 'fd':
      return `fd:${address.fd}`;
  }
}

function wrong(text: string, why: string): AddressError {
  return new AddressError(`${JSON.stringify(text)} is no socket to listen on: ${why}`);
}

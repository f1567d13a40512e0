/** Why the store does not work, as the log, `/readyz` and the commands say it. */
import { describeError } from '../errors.ts';
import type { StoreAccess } from './dial.ts';

/** Characters; a server may say more than anybody wants to read. */
const MAX_REASON = 256;

/** Redis repeats what it was given with a command that it does not have: of AUTH, the password. */
const GIVEN = /, with args beginning with:.*$/s;

/**
 * An error as one line, without the password. A server's own words go to terminals too, so they are made
 * harmless here.
 */
export function reasonOf(error: unknown, { password }: Pick<StoreAccess, 'password'>): string {
  const said = describeError(error).replace(GIVEN, '');
  return (password === null ? said : said.replaceAll(password, '...'))
    .slice(0, MAX_REASON)
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

/** What was said, with a hint: a server that wants TLS, or has none, says nothing that tells us so. */
export function withHint({ tls, place }: StoreAccess, said: string, isOpen: boolean): string {
  if (tls) {
    const isSilent = !isOpen && /^(?:no answer within|connect ETIMEDOUT$)/.test(said);
    return isSilent ? `${said}; perhaps nobody is there, or it is without TLS (redis://)` : said;
  }
  if (!/^(?:Stream isn't writeable|Connection is closed)/.test(said)) return said;
  const closed = 'the server closed the connection at once';
  return place.kind === 'unix' ? closed : `${closed}; perhaps it wants TLS (rediss://)`;
}

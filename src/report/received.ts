/**
 * Finds in the header of a delivered message how it came to us from outside: the Received field that our own
 * host wrote when it took the message, with the client's address and its HELO.
 *
 * Anybody can write a field that looks like ours into a message. What tells it from ours is its place: each
 * host puts its field on top (RFC 5321 §4.4), so what a stranger wrote stands below the first field of ours
 * that tells of a stranger. The search goes down from the top, passes over nothing but hops inside, and ends
 * at the first field that is none, whatever it says. A hop inside is told by what the host that wrote it saw
 * itself: the address, or a name that it has found to lead back there; never by the HELO.
 *
 * What a hop inside hands over is taken as it is: a content filter passes on our own fields. So nothing can
 * be learned from the mail of a host behind a proxy that hides the addresses of all clients behind one of
 * ours: every field tells of a hop inside, and what stands below may be forged.
 */
import { canonicalName } from '../core/domain.ts';
import { type IpAddress, ipFromBytes, type IpPrefix, isPrivateAddress, prefixContains } from '../core/ip.ts';
import { keptText } from '../core/kept-text.ts';
import { headerFields } from './header-fields.ts';
import { type ReceivedField, readReceived } from './received-field.ts';

/** What tells our hosts from others. */
export interface OurHosts {
  /**
   * What they call themselves behind `by`. If none are given, these are ours: the host of the topmost
   * field, and each host from which one of ours says that it took the message over a hop inside.
   */
  readonly names: readonly string[];
  /** Their networks, besides those that cannot be reached from outside. */
  readonly networks: readonly IpPrefix[];
}

/** How a message came in. Times are Unix times in milliseconds. */
export interface Arrival {
  readonly time: number;
  readonly client: IpAddress;
  /** As in HELO, as far as the MTA wrote it as it was: Postfix puts `?` for what may not stand there. */
  readonly helo: string;
  /** Our host, canonical. */
  readonly by: string;
  /** With angle brackets, as in MAIL and RCPT. */
  readonly sender: string | null;
  readonly recipients: readonly string[];
}

/** Why nothing can be told of a message, in the words of a report. */
export const NOT_TAKEN = {
  'no-received': 'no Received field',
  inside: 'from our own hosts, or no client is named',
  authenticated: 'from a client that had logged in',
  certified: 'from a client with a TLS certificate that the MTA trusts',
  'another-host': 'taken from outside by a host that is not named as ours',
  fetched: 'fetched from a mailbox elsewhere',
  unclear: 'a Received field that cannot be read with certainty, or does not tell the HELO',
} as const;

export type NotTaken = keyof typeof NOT_TAKEN;

/** More hops than any MTA allows (Postfix 50, Exim 30, Sendmail 25). */
const MAX_HOPS = 64;

/**
 * Fields in which a delivery tells the envelope. They count where they stand above the field that was found.
 */
const RECIPIENT_FIELDS = ['x-original-to', 'envelope-to', 'delivered-to'];

/**
 * `header` has one character an octet. `isCut` says that it does not end here: then what is missing may be
 * what was looked for. Work grows with the header's length and no faster.
 */
export function arrivalOf(header: string, ours: OurHosts, isCut = false): Arrival | NotTaken {
  const names = new Set(ours.names.map(canonicalName));
  const learns = names.size === 0;
  const above = new Map<string, string>();
  let hops = 0;
  for (const { name, value } of headerFields(header)) {
    if (name === 'return-path' || RECIPIENT_FIELDS.includes(name)) {
      if (!above.has(name)) above.set(name, value);
    }
    if (name !== 'received') continue;
    const field = ++hops > MAX_HOPS ? null : readReceived(value);
    if (field === null) return 'unclear';
    if (field.way === 'fetched') return 'fetched';
    if (learns && hops === 1) names.add(field.by);
    // A web mailer on one of our hosts logs in too, and what it writes below is of its users.
    if (field.authenticated && names.has(field.by)) return 'authenticated';
    if (!isInside(field, names, ours)) return names.has(field.by) ? taken(field, above) : 'another-host';
    if (learns && names.has(field.by)) for (const each of namesOf(field)) names.add(each);
  }
  if (isCut) return 'unclear';
  return hops === 0 ? 'no-received' : 'inside';
}

function isInside({ from, way, by }: ReceivedField, names: ReadonlySet<string>, ours: OurHosts): boolean {
  if (way !== 'smtp' || from === null) return true;
  const { ip, name } = from;
  if (ip === null) return false;
  if (isPrivateAddress(ip) || ours.networks.some((network) => prefixContains(network, ip))) return true;
  return name !== null && names.has(by) && names.has(canonicalName(name));
}

/** What a hop inside calls the host that it came from. */
function namesOf({ from }: ReceivedField): string[] {
  return [from?.helo, from?.name].flatMap((each) => (typeof each === 'string' ? [canonicalName(each)] : []));
}

function taken(
  { from: peer, by, time, certified, recipient, sender }: ReceivedField,
  above: ReadonlyMap<string, string>,
): Arrival | NotTaken {
  if (certified) return 'certified';
  const { ip = null, helo = null } = peer ?? {};
  if (ip === null || helo === null || time === null) return 'unclear';
  const to = recipient ?? RECIPIENT_FIELDS.map((name) => pathIn(above.get(name))).find(isPath) ?? null;
  const from = pathIn(above.get('return-path')) ?? sender;
  return {
    time,
    // Its text may be a part of the header, as are the others.
    client: ipFromBytes(ip.bytes),
    helo: keptText(helo, MAX_KEPT),
    by: keptText(by, MAX_KEPT),
    sender: from === null ? null : keptText(from, MAX_KEPT),
    recipients: to === null ? [] : [keptText(to, MAX_KEPT)],
  };
}

/** Texts outlive the mailbox that they are cut out of. None is longer in a command (RFC 5321 §4.5.3.1.4). */
const MAX_KEPT = 512;

/** The longest path (RFC 5321 §4.5.3.1.3) is of 256 octets. */
const MAX_PATH = 320;

/** The mailbox that is a field's value, in angle brackets. */
function pathIn(value: string | undefined): string | null {
  const path = value?.slice(0, 2 * MAX_PATH).trim() ?? '';
  if (path === '' || path.length > MAX_PATH || /[\r\n]/.test(path)) return null;
  return path.startsWith('<') && path.endsWith('>') ? path : `<${path}>`;
}

function isPath(path: string | null): path is string {
  return path !== null;
}

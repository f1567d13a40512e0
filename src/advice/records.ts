/**
 * The DNS records that a sender should have for a HELO name: what the checks look for, ready to paste into a
 * zone.
 */
import { type IpAddress, reverseName } from '../core/ip.ts';

export interface PublishedRecord {
  readonly owner: string;
  readonly type: 'A' | 'AAAA' | 'PTR' | 'TXT' | 'SRV';
  /** As in a master file. */
  readonly rdata: string;
  /** What it is for. */
  readonly purpose: string;
  /** Good to have; a sender that is identified without it is no worse off. */
  readonly optional?: boolean;
}

/**
 * The records for a name and the addresses that its host sends from. The name is a host name without a final
 * dot.
 */
export function recordsFor(name: string, addresses: readonly IpAddress[]): PublishedRecord[] {
  const texts = addresses.map(({ text }) => text);
  const mechanisms = addresses.map(({ family, text }) => `ip${family}:${text}`);
  return [
    ...addresses.map(({ family, text }) => ({
      owner: name,
      type: family === 4 ? ('A' as const) : ('AAAA' as const),
      rdata: text,
      purpose: 'the name leads to the host',
    })),
    ...addresses.map((address) => ({
      owner: reverseName(address),
      type: 'PTR' as const,
      rdata: `${name}.`,
      purpose: 'the host leads to the name; set by the provider of the address',
    })),
    {
      owner: name,
      type: 'TXT',
      rdata: `"v=spf1 ${mechanisms.join(' ')} -all"`,
      purpose: 'SPF for the HELO name, if it has no record yet: of two neither counts',
    },
    {
      owner: `_client._smtp.${name}`,
      type: 'SRV',
      rdata: `1 2 0 ${name}.`,
      purpose: 'CSA; optional',
      optional: true,
    },
    {
      owner: `_auth.${name}`,
      type: 'TXT',
      rdata: `"helo=${texts.join(',')}"`,
      purpose: '_auth; experimental',
      optional: true,
    },
  ];
}

/** A text as in a master file: strings of at most 255 octets (RFC 1035 §3.3), quoted. */
export function quotedText(text: string): string {
  const strings = text.match(/.{1,255}/gs) ?? [''];
  return strings.map((each) => `"${each.replaceAll(/["\\]/g, '\\$&')}"`).join(' ');
}

export function formatRecord({ owner, type, rdata }: PublishedRecord): string {
  return `${owner}. IN ${type} ${rdata}`;
}

/**
 * The DNS records that a sender should have for a HELO name: what the checks look for, ready to paste into a
 * zone.
 */
import { canonicalName } from '../core/domain.ts';
import { type IpAddress, parseIp, reverseName, sameIp } from '../core/ip.ts';
import type { RecordData, RecordType, Resolver } from '../core/resolver.ts';

export interface PublishedRecord {
  readonly owner: string;
  readonly type: 'A' | 'AAAA' | 'PTR' | 'TXT' | 'SRV';
  /** As in a master file. */
  readonly rdata: string;
  /** What it is for. */
  readonly purpose: string;
  /** Good to have; nobody is worse off without it. */
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
      purpose: 'SPF for the HELO name',
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

export function formatRecord({ owner, type, rdata }: PublishedRecord): string {
  return `${owner}. IN ${type} ${rdata}`;
}

export type RecordState = 'ok' | 'missing' | 'different' | 'unknown';

/** Whether DNS has the record. `different`: there are others of its kind in its place. */
export async function stateOf(record: PublishedRecord, resolver: Resolver): Promise<RecordState> {
  const answer = await resolver.lookup(record.owner, record.type);
  if (answer.status === 'temperror') return 'unknown';
  if (answer.status !== 'found') return 'missing';
  const found = answer.records.map((each) => rdataOf(record.type, each));
  if (found.some((each) => sameRdata(record, each))) return 'ok';
  // A TXT record for something else is not of this kind.
  const word = /^"(?:v=spf1|helo=)/.exec(record.rdata)?.[0];
  return word === undefined || found.some((each) => each.startsWith(word)) ? 'different' : 'missing';
}

function rdataOf(type: RecordType, record: RecordData[RecordType]): string {
  if (type === 'SRV') {
    const { priority, weight, port, target } = record as RecordData['SRV'];
    return `${priority} ${weight} ${port} ${canonicalName(target)}.`;
  }
  if (type === 'PTR') return `${canonicalName(record as string)}.`;
  return type === 'TXT' ? `"${record as string}"` : (record as string);
}

function sameRdata({ type, rdata }: PublishedRecord, found: string): boolean {
  if (type !== 'A' && type !== 'AAAA') return rdata === found;
  const [wanted, given] = [parseIp(rdata), parseIp(found)];
  return wanted !== null && given !== null && sameIp(wanted, given);
}

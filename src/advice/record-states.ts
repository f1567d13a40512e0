/**
 * Whether DNS has what a sender should have: declarations are evaluated, not compared, as `v=spf1 a -all`
 * is as good as another.
 */
import { checkAuthRecord } from '../core/auth-record/index.ts';
import { checkCsa } from '../core/csa.ts';
import { canonicalName } from '../core/domain.ts';
import { type IpAddress, parseIp, sameIp } from '../core/ip.ts';
import type { RecordData, RecordType, Resolver } from '../core/resolver.ts';
import { checkHelo } from '../core/spf/index.ts';
import { selectSpfRecords } from '../core/spf/record.ts';
import type { PublishedRecord } from './records.ts';

export interface Found {
  /** `different`: there are others of its kind in its place, and they do not do. */
  readonly state: 'ok' | 'missing' | 'different' | 'unknown';
  /** What is there of its kind, as text; a stranger's. */
  readonly records: readonly string[];
}

type Said = 'ok' | 'none' | 'unknown' | 'no';

/** A record of `recordsFor`, with the name and the addresses that it is for. */
export async function stateOf(
  record: PublishedRecord,
  host: string,
  addresses: readonly IpAddress[],
  resolver: Resolver,
): Promise<Found> {
  const answer = await resolver.lookup(record.owner, record.type);
  const records = answer.status === 'found' ? ofKind(record, answer.records) : [];
  const verdicts = await Promise.all(addresses.map((ip) => verdictOn(record, host, ip, resolver)));
  const told = verdicts.filter((each) => each !== null);
  if (told.length > 0) return { state: stateFor(told, records), records };
  if (answer.status === 'temperror') return { state: 'unknown', records };
  if (records.some((each) => isSame(record, each))) return { state: 'ok', records };
  return { state: records.length === 0 ? 'missing' : 'different', records };
}

function stateFor(verdicts: readonly Said[], records: readonly string[]): Found['state'] {
  if (verdicts.every((each) => each === 'ok')) return 'ok';
  if (verdicts.includes('unknown')) return 'unknown';
  return records.length === 0 && !verdicts.includes('no') ? 'missing' : 'different';
}

/** What a declaration says of one address; null for records that declare nothing. */
async function verdictOn(
  { type, rdata }: PublishedRecord,
  host: string,
  ip: IpAddress,
  resolver: Resolver,
): Promise<Said | null> {
  if (type === 'SRV') {
    const { status } = await checkCsa(ip, host, resolver);
    return ({ ok: 'ok', fail: 'no', defer: 'unknown', unknown: 'none' } as const)[status];
  }
  if (type !== 'TXT') return null;
  if (rdata.startsWith('"v=')) {
    const { result, tooWide } = await checkHelo(ip, host, resolver, { explain: false });
    if (result === 'pass') return tooWide === null ? 'ok' : 'no';
    return result === 'temperror' ? 'unknown' : result === 'none' ? 'none' : 'no';
  }
  const { result, tooWide } = await checkAuthRecord(ip, host, resolver);
  if (result === 'pass') return tooWide === null ? 'ok' : 'no';
  return result === 'temperror' ? 'unknown' : result === 'none' ? 'none' : 'no';
}

/** A TXT record for something else is not of this kind. */
function ofKind({ type, rdata }: PublishedRecord, records: readonly RecordData[RecordType][]): string[] {
  const texts = records.map((each) => textOf(type, each));
  if (type !== 'TXT') return texts;
  return rdata.startsWith('"v=')
    ? selectSpfRecords(texts)
    : texts.filter((text) => /(?:^|\s)(?:helo|method)=/i.test(text));
}

function textOf(type: RecordType, record: RecordData[RecordType]): string {
  if (type === 'SRV') {
    const { priority, weight, port, target } = record as RecordData['SRV'];
    return `${priority} ${weight} ${port} ${canonicalName(target)}.`;
  }
  return type === 'PTR' ? `${canonicalName(record as string)}.` : (record as string);
}

function isSame({ type, rdata }: PublishedRecord, found: string): boolean {
  if (type !== 'A' && type !== 'AAAA') return rdata === found;
  const [wanted, given] = [parseIp(rdata), parseIp(found)];
  return wanted !== null && given !== null && sameIp(wanted, given);
}

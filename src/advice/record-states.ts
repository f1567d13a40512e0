/**
 * Whether DNS has what a sender should have: declarations are evaluated, not compared, as `v=spf1 a -all`
 * is as good as another.
 */
import { checkAuthRecord } from '../core/auth-record/index.ts';
import { checkCsa } from '../core/csa.ts';
import { canonicalName } from '../core/domain.ts';
import { type IpAddress, parseIp, sameIp } from '../core/ip.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import type { RecordData, RecordType, Resolver } from '../core/resolver.ts';
import { checkHelo } from '../core/spf/index.ts';
import { selectSpfRecords } from '../core/spf/record.ts';
import type { PublishedRecord } from './records.ts';

export interface Found {
  /** `different`: there are others of its kind in its place, and they do not do. */
  readonly state: 'ok' | 'missing' | 'different' | 'unknown';
  /** What is there of its kind, as text; a stranger's. */
  readonly records: readonly string[];
  /** The `_auth` record that does not do, which may be that of a parent; null where there is none. */
  readonly declared: Declared | null;
}

interface Declared {
  readonly domain: string;
  /** A stranger's. */
  readonly record: string;
}

interface Verdict {
  readonly said: 'ok' | 'none' | 'unknown' | 'no';
  readonly declared?: Declared | null;
}

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
  const declared = told.find(({ said }) => said === 'no')?.declared ?? null;
  const words = told.map(({ said }) => said);
  const state = words.length > 0 ? stateFor(words, records) : compared(record, answer.status, records);
  return { state, records, declared };
}

function compared(
  record: PublishedRecord,
  status: DnsAnswer['status'],
  records: readonly string[],
): Found['state'] {
  if (status === 'temperror') return 'unknown';
  if (records.some((each) => isSame(record, each))) return 'ok';
  return records.length === 0 ? 'missing' : 'different';
}

function stateFor(verdicts: readonly Verdict['said'][], records: readonly string[]): Found['state'] {
  if (verdicts.every((each) => each === 'ok')) return 'ok';
  if (verdicts.includes('unknown')) return 'unknown';
  return records.length === 0 && !verdicts.includes('no') ? 'missing' : 'different';
}

/** What a declaration says of one address; null for records that declare nothing. */
async function verdictOn(
  { type, rdata: wanted }: PublishedRecord,
  host: string,
  ip: IpAddress,
  resolver: Resolver,
): Promise<Verdict | null> {
  if (type === 'SRV') {
    const { status } = await checkCsa(ip, host, resolver);
    return { said: ({ ok: 'ok', fail: 'no', defer: 'unknown', unknown: 'none' } as const)[status] };
  }
  if (type !== 'TXT') return null;
  if (wanted.startsWith('"v=')) {
    const { result, tooWide } = await checkHelo(ip, host, resolver, { explain: false });
    return { said: saidBy(result, tooWide) };
  }
  const { result, tooWide, domain, record } = await checkAuthRecord(ip, host, resolver);
  const declared = domain === null || record === null ? null : { domain, record };
  return { said: saidBy(result, tooWide), declared };
}

function saidBy(result: string, tooWide: string | null): Verdict['said'] {
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

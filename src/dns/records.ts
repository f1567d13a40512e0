/** The data of the record types that checks ask for (RFC 1035 §3.3, RFC 3596, RFC 2782). */
import { ipFromBytes } from '../core/ip.ts';
import type { RecordData, RecordType } from '../core/resolver.ts';
import type { ResourceRecord } from './message.ts';
import { decodeName, MessageError, skipName } from './name.ts';

type Read<T> = (bytes: Buffer, record: ResourceRecord) => T;

const READERS: { readonly [T in RecordType]: Read<RecordData[T]> } = {
  A: (bytes, { start, end }) => {
    if (end - start !== 4) throw new MessageError('an A of another length');
    return `${bytes[start] ?? 0}.${bytes[start + 1] ?? 0}.${bytes[start + 2] ?? 0}.${bytes[start + 3] ?? 0}`;
  },
  AAAA: (bytes, { start, end }) => {
    if (end - start !== 16) throw new MessageError('an AAAA of another length');
    return ipFromBytes([...bytes.subarray(start, end)]).text;
  },
  CNAME: nameAt(0),
  MX: (bytes, record) => ({
    preference: numberAt(bytes, record, 0),
    exchange: nameAt(2)(bytes, record),
  }),
  NS: nameAt(0),
  PTR: nameAt(0),
  SOA: (bytes, record) => ({ mname: nameAt(0, false)(bytes, record) }),
  SRV: (bytes, record) => ({
    priority: numberAt(bytes, record, 0),
    weight: numberAt(bytes, record, 2),
    port: numberAt(bytes, record, 4),
    target: nameAt(6)(bytes, record),
  }),
  TXT: (bytes, { start, end }) => {
    let text = '';
    for (let at = start; at < end;) {
      const stop = at + 1 + (bytes[at] ?? 0);
      if (stop > end) throw new MessageError('a string runs past its record');
      text += bytes.toString('latin1', at + 1, stop);
      at = stop;
    }
    return text;
  },
};

/** The data of one record. Throws MessageError if they do not have the layout of its type. */
export function decodeRecord<T extends RecordType>(
  type: T,
  bytes: Buffer,
  record: ResourceRecord,
): RecordData[T] {
  return READERS[type](bytes, record);
}

/**
 * How long a "no" may be kept, in seconds: the TTL of its SOA or the SOA's last field, if less (RFC 2308 §5).
 */
export function negativeTtl(bytes: Buffer, { start, end, ttl }: ResourceRecord): number {
  const numbers = skipName(bytes, skipName(bytes, start));
  if (numbers + 20 !== end) throw new MessageError('an SOA of another length');
  const minimum = bytes.readUInt32BE(numbers + 16);
  return Math.min(ttl, minimum > 0x7fff_ffff ? 0 : minimum);
}

function nameAt(offset: number, last = true): Read<string> {
  return (bytes, { start, end }) => {
    const { name, end: stop } = decodeName(bytes, start + offset);
    if (last ? stop !== end : stop > end) throw new MessageError('a name does not end with its record');
    return name;
  };
}

function numberAt(bytes: Buffer, { start, end }: ResourceRecord, offset: number): number {
  if (start + offset + 2 > end) throw new MessageError('a record is too short');
  return bytes.readUInt16BE(start + offset);
}

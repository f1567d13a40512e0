/** How a record that a sender should have comes into its zone as it is: beside what may stay there. */
import type { Assessment } from '../core/assessment.ts';
import type { IpAddress } from '../core/ip.ts';
import { permitByAuthRecord, permitByCsa } from './declared-permits.ts';
import { NO_EDIT, type ZoneEdit } from './edit.ts';
import { placeOf, reversePlaceOf } from './place.ts';
import type { Found } from './record-states.ts';
import type { PublishedRecord } from './records.ts';
import { permitBySpf } from './spf-permit.ts';

export interface HostInZone {
  /** A host name without a final dot. */
  readonly host: string;
  readonly addresses: readonly IpAddress[];
  /** Of each of these addresses under this name. */
  readonly assessments: readonly Pick<Assessment, 'dns' | 'outcomes'>[];
}

/**
 * What to put, change and remove for a record of `recordsFor`, of which this was found. Nothing where what is
 * there will do, by itself or with the other records.
 */
export function editFor(
  record: PublishedRecord,
  { state, declared }: Pick<Found, 'state' | 'declared'>,
  { host, addresses, assessments }: HostInZone,
): ZoneEdit {
  const dns = assessments.flatMap((each) => each.dns);
  const { type } = record;
  if (type === 'PTR') return { ...NO_EDIT, put: [{ ...record, owner: reversePlaceOf(record.owner, dns) }] };
  const { owner, remove } = placeOf(record.owner, dns);
  const placed = { ...NO_EDIT, put: [{ ...record, owner }], remove };
  // What declares as much stays alone: of two SPF records neither counts (RFC 7208 §4.5).
  if (state === 'ok' && (type === 'TXT' || type === 'SRV')) return remove.length === 0 ? NO_EDIT : placed;
  if (state !== 'different') return placed;
  if (type === 'SRV') return permitByCsa(host, dns) ?? placed;
  if (type !== 'TXT') return placed;
  if (declared !== null) return permitByAuthRecord({ ...declared }, addresses, dns) ?? placed;
  const outcomes = assessments.flatMap((each) => each.outcomes);
  return record.owner === host ? (permitBySpf(host, addresses, dns, outcomes) ?? placed) : placed;
}

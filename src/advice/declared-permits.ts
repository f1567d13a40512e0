/** How CSA and the `_auth` record of a name come to permit a client. */
import type { Evidence } from '../core/check.ts';
import { canonicalName } from '../core/domain.ts';
import type { IpAddress } from '../core/ip.ts';
import type { DnsAnswer } from '../core/recording-resolver.ts';
import { NO_EDIT, type ZoneEdit } from './edit.ts';
import { answerTo, placeOf } from './place.ts';

/** Authorizing records of which a receiver looks up the target (see `core/csa.ts`). */
const MOST_TARGETS = 10;

/**
 * A record that authorizes the name's own addresses, without those that deny; the client has to be one of
 * these addresses. Null where it is not known what is there.
 */
export function permitByCsa(name: string, dns: readonly DnsAnswer[]): ZoneEdit | null {
  const asked = `_client._smtp.${name}`;
  const answer = answerTo(dns, asked, 'SRV');
  if (answer === undefined || answer.status === 'temperror') return null;
  const place = placeOf(asked, dns);
  const records = answer.status === 'found' && place.remove.length === 0 ? answer.records.map(readSrv) : [];
  const ours = records.filter(({ priority }) => priority === 1);
  const authorizing = ours.filter(({ weight }) => weight === 2);
  const isThere = authorizing.slice(0, MOST_TARGETS).some(({ target }) => target === name);
  const inTheWay = [
    ...ours.filter(({ weight }) => weight < 2),
    ...(isThere ? [] : authorizing.slice(MOST_TARGETS - 1)),
  ];
  return {
    ...NO_EDIT,
    put: isThere
      ? []
      : [{ owner: place.owner, type: 'SRV', rdata: `1 2 0 ${name}.`, purpose: 'CSA for the HELO name' }],
    remove: [
      ...place.remove,
      ...inTheWay.map(({ rdata }) => ({ owner: place.owner, type: 'SRV' as const, rdata })),
    ],
  };
}

function readSrv(record: string): {
  readonly priority: number;
  readonly weight: number;
  readonly target: string;
  readonly rdata: string;
} {
  const [priority, weight, port, target = ''] = record.split(' ');
  const name = canonicalName(target);
  return {
    priority: Number(priority),
    weight: Number(weight),
    target: name,
    rdata: `${String(priority)} ${String(weight)} ${String(port)} ${name}.`,
  };
}

/**
 * The clients go first into the list of addresses, where there is one: blocks are compared before anything
 * is looked up. `evidence` is that of the finding.
 */
export function permitByAuthRecord(
  { domain, record }: Evidence,
  ips: readonly IpAddress[],
  dns: readonly DnsAnswer[],
): ZoneEdit | null {
  if (domain === undefined || record === undefined) return null;
  const { owner, remove } = placeOf(`_auth.${domain}`, dns);
  // The record is somebody else's, and without it nothing is denied.
  if (remove.length > 0) return { ...NO_EDIT, remove };
  const list = /(?:^|\s)(helo=)/i.exec(record);
  if (list?.[1] === undefined) return NO_EDIT;
  const at = list.index + list[0].length;
  const isWhole = !record.endsWith('...');
  const text = ips.map((ip) => `${ip.text},`).join('');
  return {
    ...NO_EDIT,
    change: [
      {
        owner,
        type: 'TXT',
        from: record,
        to: isWhole ? `${record.slice(0, at)}${text}${record.slice(at)}` : null,
        insert: { text, after: list[1] },
      },
    ],
  };
}

/** The methods that the owner declares and that failed, where that is why the record says no. */
export function failedMethod({ matched = '' }: Evidence): 'spf' | 'csa' | null {
  switch (matched.toLowerCase()) {
    case 'method=spf':
      return 'spf';
    case 'method=csa':
    case 'method=csv':
      return 'csa';
    default:
      return null;
  }
}

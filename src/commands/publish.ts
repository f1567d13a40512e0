/**
 * `helo-milter publish NAME IP…`: the records a sender should have, and with `--verify` whether it has them.
 */
import { canonicalName } from '../core/domain.ts';
import { parseHelo, queryName } from '../core/helo.ts';
import { parseIp } from '../core/ip.ts';
import type { Resolver } from '../core/resolver.ts';
import { formatRecord, recordsFor, stateOf } from '../advice/records.ts';
import { UsageError } from '../errors.ts';
import { writtenName } from '../policy/written-name.ts';

export interface Published {
  readonly text: string;
  /** False if a record that is not optional was looked for and is not there as it should be. */
  readonly complete: boolean;
}

/** `verifyWith` is the resolver to compare with, or null to print only. Throws UsageError. */
export async function publish(
  name: string,
  ips: readonly string[],
  verifyWith: Resolver | null,
): Promise<Published> {
  const host = queryName(parseHelo(writtenName(name)));
  if (host === null || name.includes('_')) throw new UsageError(`"${name}" is not the full name of a host`);
  const addresses = ips.map((ip) => parseIp(ip) ?? fail(ip));
  const records = recordsFor(canonicalName(host), addresses);
  const states = await Promise.all(
    records.map((record) => (verifyWith === null ? Promise.resolve(null) : stateOf(record, verifyWith))),
  );
  const width = Math.max(...records.map((record) => formatRecord(record).length));
  const lines = records.map((record, i) => {
    const state = states[i] ?? null;
    const note = state === null ? record.purpose : `${state}: ${record.purpose}`;
    return `${formatRecord(record).padEnd(width)}  ; ${note}`;
  });
  return {
    text: `${lines.join('\n')}\n`,
    complete: records.every(({ optional = false }, i) => optional || (states[i] ?? 'ok') === 'ok'),
  };
}

function fail(ip: string): never {
  throw new UsageError(`"${ip}" is not an IP address`);
}

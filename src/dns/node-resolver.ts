/**
 * The core's Resolver over `node:dns`. What c-ares leaves open is settled here: a gate on names and on questions in
 * flight, shared fairly among those who ask, a deadline that holds (c-ares' own may take twice as long), failover on
 * SERVFAIL and REFUSED, and one answer for "no such record" in whatever form it comes.
 */
import { getServers, type promises as dns } from 'node:dns';
import { performance } from 'node:perf_hooks';
import type { Answer, RecordData, RecordType } from '../core/resolver.ts';
import { type RenewedResolver, renewedResolver } from './renewed.ts';
import { readServerAddress } from './server-address.ts';
import { shareQuestions, type SharedQuestions } from './shared-questions.ts';

export interface NodeResolverOptions {
  /** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; those of the system where there is none. */
  readonly servers?: readonly string[];
  /** Milliseconds one question may take, failover and queueing included; 3,000 unless given. */
  readonly timeoutMs?: number;
  /** Milliseconds on a steady scale; the clock of the process unless given. */
  readonly now?: () => number;
}

/**
 * Places for questions; see `fair-gate.ts`. With more than 200 that are answered at once the buffer of a UDP socket overflows
 * and throughput collapses (measured: at 500).
 */
export const PLACES = { places: 1_000, freshPlaces: 200, freshMs: 250, waitingPlaces: 5_000 };
const TIMEOUT_MS = 3000;
/** How long a server that gave no answer is asked last. */
const SICK_MS = 30_000;

/** A socket of its own, with a buffer that holds the answers to so many questions as may be fresh. */
interface Channel {
  readonly resolver: RenewedResolver;
  inFlight: number;
}

interface Server {
  readonly channels: readonly Channel[];
  sickUntil: number;
}

/** The servers that would be asked where none is named. */
export function systemServers(): string[] {
  return getServers();
}

/** Throws ServerAddressError for a server that cannot be. */
export function createNodeResolver({
  servers = [],
  timeoutMs = TIMEOUT_MS,
  now = () => performance.now(),
}: NodeResolverOptions = {}): SharedQuestions {
  const pool = (servers.length > 0 ? servers.map(readServerAddress) : getServers()).map((address): Server => {
    const channels = Array.from({ length: PLACES.places / PLACES.freshPlaces }, () => ({
      resolver: renewedResolver(address, Math.max(250, Math.floor(timeoutMs / 2))),
      inFlight: 0,
    }));
    return { channels, sickUntil: 0 };
  });

  async function askInTurn(name: string, type: RecordType, deadline: number): Promise<Answer<RecordType>> {
    const healthy = pool.filter(({ sickUntil }) => sickUntil <= now());
    const order = [...healthy, ...pool.filter((server) => !healthy.includes(server))];
    let answer: Answer<RecordType> = { status: 'temperror', detail: 'noserver' };
    for (const [i, server] of order.entries()) {
      const left = deadline - now();
      if (left <= 0) return { status: 'temperror', detail: 'timeout' };
      // Each server gets its share of the time, so that a dead one leaves some for the next.
      answer = await within(left / (order.length - i), ask(server, name, type));
      if (answer.status !== 'temperror' || !FAILOVER.has(answer.detail)) return answer;
      if (SILENT.has(answer.detail)) server.sickUntil = now() + SICK_MS;
    }
    return answer;
  }

  return shareQuestions({ ...PLACES, timeoutMs, now, send: askInTurn });
}

/** What the next server may do better. */
const FAILOVER: ReadonlySet<string> = new Set([
  'timeout',
  'servfail',
  'refused',
  'connrefused',
  'notimp',
  'formerr',
]);
const SILENT: ReadonlySet<string> = new Set(['timeout', 'connrefused']);

/** By the first channel that has room: while one is in use c-ares keeps its socket, and opens no other. */
async function ask({ channels }: Server, name: string, type: RecordType): Promise<Answer<RecordType>> {
  const channel =
    channels.find(({ inFlight }) => inFlight < PLACES.freshPlaces) ??
    channels.reduce((least, each) => (each.inFlight < least.inFlight ? each : least));
  channel.inFlight++;
  try {
    return await query(channel.resolver, name, type);
  } finally {
    channel.inFlight--;
  }
}

/** The loser of the race is let finish: one query of a c-ares channel cannot be cancelled. */
async function within(ms: number, answer: Promise<Answer<RecordType>>): Promise<Answer<RecordType>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer<RecordType>>((resolve) => {
    timer = setTimeout(() => {
      resolve({ status: 'temperror', detail: 'timeout' });
    }, ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function query(resolver: RenewedResolver, name: string, type: RecordType): Promise<Answer<RecordType>> {
  try {
    const { records, ttl } = await resolver.ask<Found<RecordType>>(
      `${type} ${name.toLowerCase()}`,
      (channel) => QUERIES[type](channel, name),
    );
    // c-ares answers a CNAME to a name without the type by an empty list.
    return records.length === 0 ? { status: 'nodata', ttl: null } : { status: 'found', records, ttl };
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'EUNKNOWN';
    // EBADNAME is what c-ares refuses to ask: such a name is in no zone.
    if (code === 'ENOTFOUND' || code === 'EBADNAME') return { status: 'nxdomain', ttl: null };
    if (code === 'ENODATA') return { status: 'nodata', ttl: null };
    return { status: 'temperror', detail: code.replace(/^E/, '').toLowerCase() };
  }
}

interface Found<T extends RecordType> {
  readonly records: RecordData[T][];
  readonly ttl: number | null;
}

/** Node tells the TTL of addresses only; names lose the final dot that c-ares never writes but a server's text may. */
const QUERIES: { readonly [T in RecordType]: (resolver: dns.Resolver, name: string) => Promise<Found<T>> } = {
  A: async (resolver, name) => addresses(await resolver.resolve4(name, { ttl: true })),
  AAAA: async (resolver, name) => addresses(await resolver.resolve6(name, { ttl: true })),
  CNAME: async (resolver, name) => untimed(await resolver.resolveCname(name)),
  MX: async (resolver, name) =>
    untimed(
      (await resolver.resolveMx(name)).map(({ priority, exchange }) => ({ preference: priority, exchange })),
    ),
  NS: async (resolver, name) => untimed(await resolver.resolveNs(name)),
  PTR: async (resolver, name) => untimed(await resolver.resolvePtr(name)),
  SOA: async (resolver, name) => untimed([{ mname: (await resolver.resolveSoa(name)).nsname }]),
  SRV: async (resolver, name) =>
    untimed(
      // Node 24 adds a field: take those of the RDATA only.
      (await resolver.resolveSrv(name)).map(({ priority, weight, port, name: target }) => ({
        priority,
        weight,
        port,
        target,
      })),
    ),
  TXT: async (resolver, name) =>
    untimed((await resolver.resolveTxt(name)).map((strings) => strings.join(''))),
};

function addresses(records: readonly { address: string; ttl: number }[]): {
  records: string[];
  ttl: number | null;
} {
  const ttl = records.length === 0 ? null : Math.min(...records.map((record) => record.ttl));
  return { records: records.map(({ address }) => address), ttl };
}

function untimed<R>(records: R[]): { records: R[]; ttl: null } {
  return { records, ttl: null };
}

/**
 * The same interface over `node:dns`, only for comparison: with a gate and single flight like our own
 * resolver's, but without failover or a deadline of its own, and it trusts whatever c-ares makes of an
 * answer.
 */
import { promises as dns } from 'node:dns';
import type { Answer, RecordData, RecordType } from '../src/core/resolver.ts';
import { PLACES } from '../src/dns/stub-resolver.ts';
import {
  shareQuestions,
  type SharedQuestions,
  type SharedQuestionsOptions,
} from '../src/dns/shared-questions.ts';

const TIMEOUT_MS = 3_000;

type Records<T extends RecordType> = readonly RecordData[T][];
type Queries = { readonly [T in RecordType]: (resolver: dns.Resolver, name: string) => Promise<Records<T>> };

const QUERIES: Queries = {
  A: (resolver, name) => resolver.resolve4(name),
  AAAA: (resolver, name) => resolver.resolve6(name),
  CNAME: (resolver, name) => resolver.resolveCname(name),
  MX: async (resolver, name) =>
    (await resolver.resolveMx(name)).map(({ priority, exchange }) => ({ preference: priority, exchange })),
  NS: (resolver, name) => resolver.resolveNs(name),
  PTR: (resolver, name) => resolver.resolvePtr(name),
  SOA: async (resolver, name) => [{ mname: (await resolver.resolveSoa(name)).nsname }],
  SRV: async (resolver, name) =>
    (await resolver.resolveSrv(name)).map(({ priority, weight, port, name: target }) => ({
      priority,
      weight,
      port,
      target,
    })),
  TXT: async (resolver, name) => (await resolver.resolveTxt(name)).map((strings) => strings.join('')),
};

async function ask(resolver: dns.Resolver, name: string, type: RecordType): Promise<Answer<RecordType>> {
  try {
    const records = await QUERIES[type](resolver, name);
    return records.length === 0 ? { status: 'nodata', ttl: null } : { status: 'found', records, ttl: null };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN';
    if (code === 'ENOTFOUND') return { status: 'nxdomain', ttl: null };
    if (code === 'ENODATA') return { status: 'nodata', ttl: null };
    return { status: 'temperror', detail: code };
  }
}

export function createNodeResolver(servers: readonly string[]): SharedQuestions {
  const now = (): number => performance.now();
  return shareQuestions({ ...PLACES, timeoutMs: TIMEOUT_MS, now, send: nodeTransport(servers) });
}

/** Sends each question at once. */
export function nodeTransport(servers: readonly string[]): SharedQuestionsOptions['send'] {
  const resolver = new dns.Resolver({ timeout: TIMEOUT_MS, tries: 1 });
  resolver.setServers(servers);
  return (name, type) => ({ answer: ask(resolver, name, type), cancel: () => undefined });
}

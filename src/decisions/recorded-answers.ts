/** Reads back what DNS said, from a record of the decision log. */
import type { DnsAnswer } from '../core/recording-resolver.ts';
import type { Members } from './members.ts';

const STATUSES = ['nodata', 'nxdomain', 'temperror', 'found'] as const;

/** By name and by type. Throws RecordError. */
export function readAnswers(dns: Members): DnsAnswer[] {
  return dns.names().flatMap((name) => {
    const types = dns.object(name);
    return types.names().map((type) => readAnswer(name, type, types.object(type)));
  });
}

function readAnswer(name: string, type: string, answer: Members): DnsAnswer {
  const status = STATUSES.find((each) => answer.has(each)) ?? 'found';
  const told = readTold(name, type, answer);
  if (status === 'temperror') return { ...told, status, records: [answer.text(status)], ttl: null };
  if (status !== 'found') return { ...told, status, records: [], ttl: answer.maybeNumber(status) };
  return { ...told, status, records: answer.texts('records') ?? [], ttl: answer.maybeNumber('ttl') };
}

/** Records of version 1 have a list of them. Throws RecordError. */
export function readOldAnswer(answer: Members): DnsAnswer {
  return {
    ...readTold(answer.text('name'), answer.text('type'), answer),
    status: answer.word('status', STATUSES),
    records: answer.texts('records') ?? [],
    ttl: answer.maybeNumber('ttl'),
  };
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Told = Writable<Pick<DnsAnswer, 'name' | 'type' | 'authenticated' | 'errors' | 'alias' | 'omitted'>>;

/** Most answers have nothing but a name and a type, and a log has ten answers a record. */
function readTold(name: string, type: string, answer: Members): Told {
  const told: Told = { name, type: type as DnsAnswer['type'] };
  const errors = answer.objects('errors');
  const alias = answer.maybe('alias');
  const omitted = answer.number('omitted', 0);
  if (answer.flag('authenticated')) told.authenticated = true;
  if (errors.length > 0)
    told.errors = errors.map((each) => ({ code: each.number('code'), text: each.text('text') }));
  if (alias !== null) told.alias = alias;
  if (omitted !== 0) told.omitted = omitted;
  return told;
}

/**
 * A process that asks DNS, or its cache, and does nothing else, for `resolvers.ts`, which starts it and tells
 * it what to ask:
 *
 *   asking.js own|node SERVER...
 */
import { assess } from '../src/core/assess.ts';
import type { Assessment } from '../src/core/assessment.ts';
import { checks } from '../src/core/checks/index.ts';
import { makeClient } from '../src/core/client.ts';
import { networksOf } from '../src/core/client-networks.ts';
import { registrableDomain } from '../src/core/domain.ts';
import type { RecordType } from '../src/core/resolver.ts';
import { Asker } from '../src/dns/asker.ts';
import { withDeadline } from '../src/dns/deadline.ts';
import { createStubResolver, transportOf } from '../src/dns/stub-resolver.ts';
import { AssessmentCache } from '../src/state/cache.ts';
import { AssessmentPacker } from '../src/state/packed-assessment.ts';
import { spread } from './contest.ts';
import { CLIENTS, type Done, hostOf, type Job, reverseName } from './job.ts';
import { createNodeResolver, nodeTransport } from './node-resolver.ts';

const DEADLINE_MS = 5_000;

const [kind, ...servers] = process.argv.slice(2);
const resolver = kind === 'node' ? createNodeResolver(servers) : createStubResolver({ servers });

const send = kind === 'node' ? nodeTransport(servers) : transportOf({ servers });
/** Those that a policy asks of by itself. */
const usual = checks.filter(({ onlyIfWeighed }) => onlyIfWeighed !== true);

async function question(i: number): Promise<void> {
  const { address, name } = hostOf(i >> 1);
  const { status } = await (i % 2 === 0
    ? resolver.lookup(name, 'A')
    : resolver.lookup(reverseName(address), 'PTR'));
  if (status !== 'found') throw new Error(`${name}: ${status}`);
}

/** The questions of `verdict`, and the status of each one's answer. */
function questionsOf(i: number): readonly (readonly [string, RecordType, string])[] {
  const { address, name } = hostOf(i);
  const domain = registrableDomain(name) ?? name;
  return [
    [name, 'A', 'found'],
    [name, 'AAAA', 'nodata'],
    [name, 'TXT', 'nodata'],
    [`_client._smtp.${name}`, 'SRV', 'nxdomain'],
    [`_client._smtp.${domain}`, 'SRV', 'nxdomain'],
    [`_auth.${name}`, 'TXT', 'nxdomain'],
    [`_auth.${domain}`, 'TXT', 'nxdomain'],
    [reverseName(address), 'PTR', 'found'],
  ];
}

/** Without an async function for each question: only the transport is to be measured. */
function transport(i: number): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  const questions = questionsOf(i);
  let open = questions.length;
  return new Promise((resolve, reject) => {
    for (const [name, type, wanted] of questions) {
      void send(name, type, deadline).answer.then(({ status }) => {
        if (status !== wanted) reject(new Error(`${name} ${type}: ${status}`));
        if (--open === 0) resolve();
      });
    }
  });
}

async function verdict(i: number): Promise<Assessment> {
  const { address, name } = hostOf(i);
  const client = makeClient(address.join('.'), name);
  const { resolver: bounded, done } = withDeadline(resolver, DEADLINE_MS, new Asker(networksOf(client.ip)));
  const assessment = await assess(client, {
    resolver: bounded,
    checks: usual,
    onCheckError: (check, error) => {
      throw new Error(`${check} failed`, { cause: error });
    },
  });
  done();
  const { correspondence, dns } = assessment;
  if (correspondence !== 'exact') throw new Error(`${name} is ${correspondence}`);
  if (dns.length !== questionsOf(i).length) throw new Error(`${name}: ${dns.length} questions`);
  return assessment;
}

const cache = new AssessmentCache<Assessment>({
  limits: () => ({ maxClients: 4 * CLIENTS, maxBytes: 64 * 1024 * 1024 }),
  maxNamesPerClient: 16,
  packing: new AssessmentPacker(),
  lifeMs: () => 3_600_000,
  now: () => performance.now(),
});

const inCache = Array.from({ length: CLIENTS }, (_, i) => {
  const { address, name } = hostOf(i);
  return { ip: makeClient(address.join('.'), name).ip, name };
});
let filling: Promise<void> | undefined;

async function fill(): Promise<void> {
  for (const [i, { ip, name }] of inCache.entries()) {
    if (ip === null) throw new Error(`${name} has no address`);
    const found = cache.lookup(ip, name, () => verdict(i));
    if (found.cache !== 'hit') await found.pending;
  }
}

/** Without waiting for anything in between: a hit is there at once. */
async function hits(i: number): Promise<void> {
  await (filling ??= fill());
  for (let at = 100 * i; at < 100 * (i + 1); at++) {
    const { ip, name } = inCache[at % CLIENTS] ?? {};
    if (ip === undefined || ip === null || name === undefined) throw new Error('there is no such client');
    const found = cache.lookup(ip, name, () => Promise.reject(new Error('no hit')));
    if (found.cache !== 'hit') throw new Error(`${name} is not cached`);
    if (found.packed.whole(ip).correspondence !== 'exact') throw new Error(`${name} is another`);
  }
}

async function work({ what, first, count, open }: Job): Promise<Done> {
  const one = { questions: question, transport, verdicts: verdict, hits }[what];
  const waits: number[] = [];
  let next = first;
  const line = async (): Promise<void> => {
    while (next < first + count) {
      const began = performance.now();
      await one(next++);
      waits.push(performance.now() - began);
    }
  };
  const began = performance.now();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: open }, line));
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - began) / 1000;
  const { median, most } = spread(waits);
  return { cpu: (user + system) / count, rate: count / seconds, p50: median, max: most };
}

process.on('message', (job: Job) => {
  void work(job).then((done) => process.send?.(done));
});
process.send?.('ready');

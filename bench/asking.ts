/**
 * A process that asks DNS and does nothing else, for `resolvers.ts`, which starts it and tells it what to
 * ask:
 *
 *   asking.js own|node SERVER...
 */
import { assess } from '../src/core/assess.ts';
import { checks } from '../src/core/checks/index.ts';
import { makeClient } from '../src/core/client.ts';
import { networksOf } from '../src/core/client-networks.ts';
import { Asker } from '../src/dns/asker.ts';
import { withDeadline } from '../src/dns/deadline.ts';
import { createStubResolver } from '../src/dns/stub-resolver.ts';
import { spread } from './contest.ts';
import { type Done, hostOf, type Job, reverseName } from './job.ts';
import { createNodeResolver } from './node-resolver.ts';

const DEADLINE_MS = 5_000;

const [kind, ...servers] = process.argv.slice(2);
const resolver = kind === 'node' ? createNodeResolver(servers) : createStubResolver({ servers });

async function question(i: number): Promise<void> {
  const { address, name } = hostOf(i >> 1);
  const { status } = await (i % 2 === 0
    ? resolver.lookup(name, 'A')
    : resolver.lookup(reverseName(address), 'PTR'));
  if (status !== 'found') throw new Error(`${name}: ${status}`);
}

async function verdict(i: number): Promise<void> {
  const { address, name } = hostOf(i);
  const client = makeClient(address.join('.'), name);
  const { resolver: bounded, done } = withDeadline(resolver, DEADLINE_MS, new Asker(networksOf(client.ip)));
  const { correspondence } = await assess(client, {
    resolver: bounded,
    checks,
    onCheckError: (check, error) => {
      throw new Error(`${check} failed`, { cause: error });
    },
  });
  done();
  if (correspondence !== 'exact') throw new Error(`${name} is ${correspondence}`);
}

async function work({ what, first, count, open }: Job): Promise<Done> {
  const one = what === 'questions' ? question : verdict;
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

/**
 * DNS: how long a client that has not been seen before waits, and what asking costs compared with `node:dns`.
 */
import { createSocket } from 'node:dgram';
import { startNsd } from '../test/mta/kit/nsd.ts';
import { freePort } from '../test/mta/kit/workdir.ts';
import { CLIENTS, hostOf, type Job, reverseName } from './job.ts';
import { type Contender, contest, figures, ratio, type Results, type Spread, spread } from './contest.ts';
import { load, type LoadOptions, type LoadResult } from './load.ts';
import {
  atMost,
  type Columns,
  figureAtMost,
  type Findings,
  type Measured,
  tableOf,
  together,
} from './report.ts';
import { resolversBench, startAsking } from './resolvers.ts';
import { addressOf, nameOf, product, type Server, startProcess } from './server.ts';
import { amount, type Node, program, type Setting } from './setting.ts';

/** A round trip to a name server on the same continent, at the speed of light in fibre. */
const AWAY_MS = 20;
/** Sessions a round, and look-ups to compare them with. */
const SESSIONS = 20;
const DEADLINE_MS = 1000;
/** New clients a second, as a busy host has them in an attack, and for how many seconds. */
const RUSH = 300;
const RUSH_S = 10;
const MOST_RUSHES = 3;

const ROUND_TRIP = 'one DNS round trip';

/** Milliseconds. */
interface Waited {
  readonly p50: number;
  readonly max: number;
}

/** Of enough clients that there is a slowest percent. */
interface Rushed extends Waited {
  readonly p99: number;
}

const COLUMNS: Columns<Waited> = { 'p50 ms': ({ p50 }) => p50, 'slowest ms': ({ max }) => max };
const RUSH_COLUMNS: Columns<Rushed> = { ...COLUMNS, 'p99 ms': ({ p99 }) => p99 };

/** Zones with the names, forward and reverse, of the first clients of `load.c` and of those of `job.ts`. */
function zones(clients: number): Record<string, string> {
  const hosts = [
    ...Array.from({ length: clients }, (_, i) => ({
      address: addressOf(i),
      name: nameOf(i),
    })),
    ...Array.from({ length: CLIENTS }, (_, i) => hostOf(i)),
  ];
  return {
    org: hosts.map(({ address, name }) => `${name}. IN A ${address.join('.')}`).join('\n'),
    '11.in-addr.arpa': hosts
      .map(({ address, name }) => `${reverseName(address)}. IN PTR ${name}.`)
      .join('\n'),
  };
}

/** Sends an A query for the name of the first client; returns the time until the answer came. */
async function roundTrip(port: number): Promise<number> {
  const labels = nameOf(0)
    .split('.')
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  // Id, recursion desired, one question; its type and class are both 1.
  const head = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const query = Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
  const socket = createSocket('udp4');
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    socket.once('message', () => {
      resolve();
    });
    socket.once('error', reject);
    socket.send(query, port, '127.0.0.1');
  });
  const took = performance.now() - began;
  socket.close();
  return took;
}

/** From HELO to the answer to RCPT, in milliseconds. */
function waited({ verdict }: LoadResult): Rushed {
  const ms = (micros: number | undefined): number => (micros ?? NaN) / 1000;
  return { p50: ms(verdict?.p50), p99: ms(verdict?.p99), max: ms(verdict?.max) };
}

/** One round trip after another, over a bare socket. */
function roundTrips(setting: Setting, dnsServer: string): Contender<Rushed> {
  const port = Number(dnsServer.split(':')[1]);
  return {
    name: ROUND_TRIP,
    run: async () => {
      const times: number[] = [];
      for (let i = 0; i < sessionsOf(setting); i++) times.push(await roundTrip(port));
      const { median, most } = spread(times);
      return { p50: median, p99: most, max: most };
    },
  };
}

const sessionsOf = (setting: Setting): number => Math.min(SESSIONS, amount(setting, SESSIONS));

/**
 * The same load on the program under each Node, beside bare round trips. Each client is new to it, and has a
 * name that exists.
 */
async function ofNewClients(
  setting: Setting,
  dnsServer: string,
  options: Pick<LoadOptions, 'sessions' | 'open' | 'rate'> & { readonly name: (node: Node) => string },
): Promise<Results<Rushed>> {
  const { name, ...kind } = options;
  const contenders: Contender<Rushed>[] = [roundTrips(setting, dnsServer)];
  const servers: Server[] = [];
  for (const node of setting.nodes) {
    const server = await product(setting, 'unix', node, { args: ['--dns-server', dnsServer] });
    servers.push(server);
    let first = 0;
    contenders.push({
      name: name(node),
      run: async () => {
        const result = await load(server, { kind: 'recipient', hits: 0, first, ...kind });
        first += options.sessions;
        return waited(result);
      },
    });
  }
  const results = await contest(setting, contenders);
  for (const server of servers) await server.stop();
  return results;
}

function cold(setting: Setting, dnsServer: string): Promise<Results<Waited>> {
  return ofNewClients(setting, dnsServer, { name: coldName, sessions: sessionsOf(setting), open: 1 });
}

function rush(setting: Setting, dnsServer: string): Promise<Results<Rushed>> {
  const few = { ...setting, pairs: Math.min(MOST_RUSHES, setting.pairs) };
  const sessions = amount(setting, RUSH * RUSH_S);
  return ofNewClients(few, dnsServer, { name: rushName, sessions, open: RUSH * RUSH_S, rate: RUSH });
}

const rushName = ({ major }: Node): string =>
  `from HELO to the answer to RCPT, ${RUSH} new clients a second, Node ${major}`;
const coldName = ({ major }: Node): string => `from HELO to the answer to RCPT, Node ${major}`;
const deadName = ({ major }: Node): string => `first verdict, first name server dead, Node ${major}`;

const aloneName = ({ major }: Node): string => `cold verdict without a milter, Node ${major}`;
const knownName = ({ major }: Node): string => `question, first name server known to be dead, Node ${major}`;

/**
 * How long an assessment waits, one at a time, and how long a question whose first server has been silent for
 * a while.
 */
async function alone(setting: Setting, dnsServer: string, dead: string): Promise<Results<Waited>> {
  const job: Job = { what: 'verdicts', first: 0, count: sessionsOf(setting), open: 1 };
  const contenders: Contender<Waited>[] = [roundTrips(setting, dnsServer)];
  const askings = [];
  for (const node of setting.nodes) {
    const verdicts = await startAsking(node, 'own', [dnsServer]);
    const questions = await startAsking(node, 'own', [dead, dnsServer]);
    // From here on it knows that the first server is silent, and the code of both has been compiled.
    await verdicts.run({ ...job, count: amount(setting, 500), open: 16 });
    await questions.run({ ...job, what: 'questions', count: amount(setting, 500), open: 16 });
    askings.push(verdicts, questions);
    contenders.push(
      { name: aloneName(node), run: () => verdicts.run(job) },
      { name: knownName(node), run: () => questions.run({ ...job, what: 'questions' }) },
    );
  }
  const results = await contest(setting, contenders);
  for (const asking of askings) asking.stop();
  return results;
}

/** The first verdict of a fresh process whose first name server says nothing. */
async function deadServer(setting: Setting, dnsServer: string, dead: string): Promise<Results<Waited>> {
  const args = ['--dns-server', dead, '--dns-server', dnsServer, '--deadline', `${DEADLINE_MS}ms`];
  return contest(
    setting,
    setting.nodes.map((node) => ({
      name: deadName(node),
      run: async () => {
        const server = await product(setting, 'unix', node, { args });
        const result = await load(server, { kind: 'recipient', sessions: 1, open: 1, hits: 0, first: 0 });
        await server.stop();
        return waited(result);
      },
    })),
  );
}

export async function dnsBench(setting: Setting): Promise<Findings> {
  const nsd = await startNsd(
    setting.workdir,
    zones(Math.max((setting.pairs + 1) * SESSIONS, (MOST_RUSHES + 1) * RUSH * RUSH_S)),
  );
  const port = await freePort();
  const [, upstream = ''] = nsd.server.split(':');
  const delay = startProcess(program('delay'), [String(port), upstream, String(AWAY_MS)]);
  const silent = createSocket('udp4');
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
  const dead = `127.0.0.1:${silent.address().port}`;
  const resolvers = await resolversBench(setting, nsd.server);
  const coldResults = await cold(setting, `127.0.0.1:${port}`);
  const rushResults = await rush(setting, `127.0.0.1:${port}`);
  const aloneResults = await alone(setting, `127.0.0.1:${port}`, dead);
  const deadResults = await deadServer(setting, nsd.server, dead);
  silent.close();
  await delay.stop();
  await nsd.stop();
  return together([
    resolvers,
    waits(setting, { cold: coldResults, rush: rushResults, alone: aloneResults, dead: deadResults }),
  ]);
}

interface Waits {
  readonly cold: Results<Waited>;
  readonly rush: Results<Rushed>;
  readonly alone: Results<Waited>;
  readonly dead: Results<Waited>;
}

/** How much longer than a bare round trip the slowest percent takes, in milliseconds, round by round. */
function overRoundTrip(results: Results<Rushed>, node: Node): Spread {
  const trips = figures(results, ROUND_TRIP, ({ p50 }) => p50);
  const p99 = figures(results, rushName(node), (each) => each.p99);
  return spread(p99.map((each, round) => each - (trips[round] ?? NaN)));
}

function waits({ nodes }: Setting, all: Waits): Findings {
  const trips = (results: Results<Waited>, most: number, name: (node: Node) => string): Measured[] =>
    nodes.map((node) =>
      atMost(
        most,
        ratio(results, name(node), ROUND_TRIP, ({ p50 }) => p50),
      ),
    );
  return {
    rows: [
      {
        what: `cold verdict of the exact host, DNS ${AWAY_MS} ms away`,
        against: ROUND_TRIP,
        target: '≤ 1.3×',
        measured: trips(all.cold, 1.3, coldName),
      },
      {
        what: `p99 of ${RUSH} cold verdicts a second, DNS ${AWAY_MS} ms away, longer by`,
        against: ROUND_TRIP,
        target: '≤ 2 ms',
        measured: nodes.map((node) => figureAtMost(2, overRoundTrip(all.rush, node), 'ms')),
      },
      {
        what: 'cold verdict of the exact host without a milter',
        // Everything is asked at once: the client's reverse name is the name that it gave.
        against: 'its longest chain of dependent questions, which is one',
        target: '≤ 1.05×',
        measured: trips(all.alone, 1.05, aloneName),
      },
      {
        what: 'question, first name server known to be dead',
        against: 'one round trip of the second',
        target: '≤ 1.2×',
        measured: trips(all.alone, 1.2, knownName),
      },
      {
        what: 'first verdict, first name server dead',
        against: `the deadline set (${DEADLINE_MS / 1000} s)`,
        target: '≤ 1.1×',
        measured: nodes.map((node) => {
          const own = all.dead.get(deadName(node)) ?? [];
          return atMost(1.1, spread(own.map(({ max }) => max / DEADLINE_MS)));
        }),
      },
    ],
    tables: [
      tableOf(`DNS ${AWAY_MS} ms away, one client at a time`, all.cold, COLUMNS),
      tableOf(`DNS ${AWAY_MS} ms away, ${RUSH} new clients a second`, all.rush, RUSH_COLUMNS),
      tableOf(`DNS ${AWAY_MS} ms away, without a milter, one at a time`, all.alone, COLUMNS),
      tableOf('The first of two name servers says nothing, one session', all.dead, COLUMNS),
    ],
  };
}

/** Cold verdicts: what a client waits for that nobody has seen yet, with a name server that is not next door. */
import { createSocket } from 'node:dgram';
import { startNsd } from '../test/mta/kit/nsd.ts';
import { freePort } from '../test/mta/kit/workdir.ts';
import { type Contender, contest, ratio, type Results, spread } from './contest.ts';
import { load, type LoadResult } from './load.ts';
import { atMost, type Columns, type Findings, tableOf } from './report.ts';
import { product, startProcess } from './server.ts';
import { amount, type Node, program, type Setting } from './setting.ts';

/** What light takes to a name server on the same continent, and back. */
const AWAY_MS = 20;
/** Sessions a round; as many look-ups to compare them with. */
const SESSIONS = 20;
const DEADLINE_MS = 1000;

const ROUND_TRIP = 'one DNS round trip';

/** Milliseconds. */
interface Waited {
  readonly p50: number;
  readonly max: number;
}

const COLUMNS: Columns<Waited> = { 'p50 ms': ({ p50 }) => p50, 'slowest ms': ({ max }) => max };

/** Zones in which client I of `load.c` has its name, forward and reverse. */
function zones(clients: number): Record<string, string> {
  const hosts = Array.from({ length: clients }, (_, i) => i);
  return {
    'example.org': hosts.map((i) => `mx${i} IN A 11.0.${i >> 8}.${i & 255}`).join('\n'),
    '11.in-addr.arpa': hosts.map((i) => `${i & 255}.${i >> 8}.0 IN PTR mx${i}.example.org.`).join('\n'),
  };
}

/** Passes an A query for mx0.example.org, and gives the time to the answer. */
async function roundTrip(port: number): Promise<number> {
  const labels = ['mx0', 'example', 'org'].map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`),
  );
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
function waited({ verdict }: LoadResult): Waited {
  return { p50: (verdict?.p50 ?? NaN) / 1000, max: (verdict?.max ?? NaN) / 1000 };
}

async function cold(setting: Setting, dnsServer: string): Promise<Results<Waited>> {
  const port = Number(dnsServer.split(':')[1]);
  const sessions = Math.min(SESSIONS, amount(setting, SESSIONS));
  const trips: Contender<Waited> = {
    name: ROUND_TRIP,
    run: async () => {
      const times: number[] = [];
      for (let i = 0; i < sessions; i++) times.push(await roundTrip(port));
      const { median, most } = spread(times);
      return { p50: median, max: most };
    },
  };
  const contenders = [trips];
  const servers = [];
  for (const node of setting.nodes) {
    const server = await product(setting, 'unix', node, { args: ['--dns-server', dnsServer] });
    servers.push(server);
    let first = 0;
    contenders.push({
      name: coldName(node),
      run: async () => {
        const result = await load(server, { kind: 'recipient', sessions, open: 1, hits: 0, first });
        first += sessions;
        return waited(result);
      },
    });
  }
  const results = await contest(setting, contenders);
  for (const server of servers) await server.stop();
  return results;
}

const coldName = ({ major }: Node): string => `from HELO to the answer to RCPT, Node ${major}`;
const deadName = ({ major }: Node): string => `first verdict, first name server dead, Node ${major}`;

/** The first verdict of a fresh process whose first name server says nothing. */
async function deadServer(setting: Setting, dnsServer: string): Promise<Results<Waited>> {
  const silent = createSocket('udp4');
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
  const dead = `127.0.0.1:${silent.address().port}`;
  const args = ['--dns-server', dead, '--dns-server', dnsServer, '--deadline', `${DEADLINE_MS}ms`];
  const results = await contest(
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
  silent.close();
  return results;
}

export async function dnsBench(setting: Setting): Promise<Findings> {
  const rounds = setting.pairs + 1;
  const nsd = await startNsd(setting.workdir, zones(rounds * SESSIONS));
  const port = await freePort();
  const [, upstream = ''] = nsd.server.split(':');
  const delay = startProcess(program('delay'), [String(port), upstream, String(AWAY_MS)]);
  const coldResults = await cold(setting, `127.0.0.1:${port}`);
  const deadResults = await deadServer(setting, nsd.server);
  await delay.stop();
  await nsd.stop();
  return {
    rows: [
      {
        what: `cold verdict of the exact host, DNS ${AWAY_MS} ms away`,
        against: ROUND_TRIP,
        target: '≤ 1.3×',
        measured: setting.nodes.map((node) =>
          atMost(
            1.3,
            ratio(coldResults, coldName(node), ROUND_TRIP, ({ p50 }) => p50),
          ),
        ),
      },
      {
        what: 'first verdict, first name server dead',
        against: `the deadline set (${DEADLINE_MS / 1000} s)`,
        target: '≤ 1.1×',
        measured: setting.nodes.map((node) => {
          const own = deadResults.get(deadName(node)) ?? [];
          return atMost(1.1, spread(own.map(({ max }) => max / DEADLINE_MS)));
        }),
      },
    ],
    tables: [
      tableOf(`DNS ${AWAY_MS} ms away, one client at a time`, coldResults, COLUMNS),
      tableOf('The first of two name servers says nothing, one session', deadResults, COLUMNS),
    ],
  };
}

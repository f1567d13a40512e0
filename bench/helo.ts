/** Sessions straight at the milter: what one costs, compared with libmilter and the floor. */
import { type Contender, contest, ratio, type Results } from './contest.ts';
import { cost, load, type LoadOptions, type LoadResult, warm } from './load.ts';
import { atLeast, atMost, type Columns, type Findings, type Row, tableOf, together } from './report.ts';
import {
  cleanZone,
  emptyCallbacks,
  emptyZone,
  floor,
  libmilter,
  product,
  type Server,
  type Transport,
} from './server.ts';
import { amount, type Setting } from './setting.ts';

const EMPTY = 'empty libmilter';
const FLOOR = 'floor';

/** Sessions a second of CPU. */
const yieldOf = (result: LoadResult): number => 1 / cost(result);

/** Warms up all servers, puts the same load on each in turns, then stops them. */
async function against(
  setting: Setting,
  servers: ReadonlyMap<string, Server>,
  options: LoadOptions,
): Promise<Results<LoadResult>> {
  for (const server of servers.values()) await warm(setting, server, options.kind);
  const contenders = [...servers].map(([name, server]): Contender<LoadResult> => ({
    name,
    run: () => load(server, options),
  }));
  const results = await contest(setting, contenders);
  for (const server of servers.values()) await server.stop();
  return results;
}

const COLUMNS: Columns<LoadResult> = {
  'sessions/s': ({ rate }) => rate,
  'CPU µs': cost,
  'HELO p50 µs': ({ helo }) => helo.p50,
  'HELO p99 µs': ({ helo }) => helo.p99,
  'session p99 ms': ({ session }) => session.p99 / 1000,
};

async function saturated(setting: Setting, transport: Transport): Promise<Findings> {
  const answersConnect = transport === 'tcp';
  const sessions = amount(setting, 4000);
  const { nodes } = setting;
  const helo = { last: 'helo', answersConnect } as const;
  const servers = new Map<string, Server>([
    [FLOOR, await floor(setting, transport, answersConnect)],
    [EMPTY, await libmilter(setting, transport, helo)],
  ]);
  const refuses = ['--apply-at', 'helo', '--dns-zone', emptyZone(setting)];
  for (const node of nodes) {
    servers.set(`empty callbacks, Node ${node.major}`, await emptyCallbacks(setting, transport, node, helo));
    servers.set(
      `program, HELO refused, Node ${node.major}`,
      await product(setting, transport, node, { args: refuses }),
    );
  }
  const heloResults = await against(setting, servers, { kind: 'helo', sessions });

  const senders = new Map<string, Server>([
    [EMPTY, await libmilter(setting, transport, { last: 'sender', answersConnect })],
  ]);
  const accepts = ['--no-auth-results', '--dns-zone', cleanZone(setting)];
  for (const node of nodes) {
    senders.set(`program, Node ${node.major}`, await product(setting, transport, node, { args: accepts }));
  }
  const senderResults = await against(setting, senders, { kind: 'sender', sessions });

  const empty = transport === 'unix' ? 1.7 : 1.4;
  const refused = transport === 'unix' ? 1.2 : 1.0;
  const accepted = transport === 'unix' ? { newest: 1.35, oldest: 1.0 } : { newest: 1.0, oldest: 0.75 };
  const refusedBy = (major: number): number => (major === 20 ? 0.75 : refused);
  const acceptedBy = (major: number): number => (major === 20 ? accepted.oldest : accepted.newest);
  const rows: Row[] = [
    {
      what: `HELO sessions per CPU-second, empty callbacks, ${transport}, saturated`,
      against: EMPTY,
      target: `≥ ${empty}×`,
      measured: nodes.map(({ major }) =>
        atLeast(empty, ratio(heloResults, `empty callbacks, Node ${major}`, EMPTY, yieldOf)),
      ),
    },
    {
      what: `the same, whole program: HELO refused from the cache, log line, ${transport}`,
      against: EMPTY,
      target: `≥ ${refused.toFixed(1)}× (Node 20: ≥ ${refusedBy(20)}×)`,
      measured: nodes.map(({ major }) =>
        atLeast(refusedBy(major), ratio(heloResults, `program, HELO refused, Node ${major}`, EMPTY, yieldOf)),
      ),
    },
    {
      what: `the same up to MAIL, whole program: accepted from the cache, log line, ${transport}`,
      against: `${EMPTY}, also up to MAIL`,
      target: `≥ ${accepted.newest.toFixed(2)}× (Node 20: ≥ ${accepted.oldest.toFixed(2)}×)`,
      measured: nodes.map(({ major }) =>
        atLeast(acceptedBy(major), ratio(senderResults, `program, Node ${major}`, EMPTY, yieldOf)),
      ),
    },
  ];
  if (transport === 'unix') {
    rows.push({
      what: 'HELO sessions per CPU-second, empty callbacks, unix, saturated',
      against: 'floor in C',
      target: '≥ 0.30×',
      measured: nodes.map(({ major }) =>
        atLeast(0.3, ratio(heloResults, `empty callbacks, Node ${major}`, FLOOR, yieldOf)),
      ),
    });
  }
  const what = transport === 'unix' ? 'unix, CONNECT unanswered' : 'tcp, all answered';
  return {
    rows,
    tables: [
      tableOf(`HELO sessions, ${what}, 16 at once`, heloResults, COLUMNS),
      tableOf(`Sessions up to MAIL, ${what}, 16 at once`, senderResults, COLUMNS),
    ],
  };
}

async function light(setting: Setting): Promise<Findings> {
  const { nodes } = setting;
  const servers = new Map<string, Server>([
    [EMPTY, await libmilter(setting, 'unix', { last: 'sender', answersConnect: false })],
  ]);
  const args = ['--no-auth-results', '--dns-zone', cleanZone(setting)];
  for (const node of nodes) {
    servers.set(`program, Node ${node.major}`, await product(setting, 'unix', node, { args }));
  }
  const options = { kind: 'sender', sessions: amount(setting, 2000), rate: 1000, open: 1000 } as const;
  const results = await against(setting, servers, options);
  return {
    rows: [
      {
        what: 'CPU at 1,000 sessions/s, whole program: accepted from the cache, log line, unix',
        against: EMPTY,
        target: '≤ 1.5×',
        measured: nodes.map(({ major }) =>
          atMost(1.5, ratio(results, `program, Node ${major}`, EMPTY, cost)),
        ),
      },
    ],
    tables: [tableOf('Sessions up to MAIL, unix, 1,000 a second', results, COLUMNS)],
  };
}

export async function heloBench(setting: Setting): Promise<Findings> {
  return together([await saturated(setting, 'unix'), await saturated(setting, 'tcp'), await light(setting)]);
}

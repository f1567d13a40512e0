/**
 * What a mail user feels: a real Postfix with no milter, with one that does nothing, and with ours; stalls of
 * both MTAs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Nsd, startNsd } from '../test/mta/kit/nsd.ts';
import { startPostfix } from '../test/mta/kit/postfix.ts';
import { startSendmail } from '../test/mta/kit/sendmail.ts';
import { type Contender, contest, figures, ratio, type Results, type Spread, spread } from './contest.ts';
import { warm } from './load.ts';
import {
  atLeast,
  atMost,
  type Columns,
  figureAtMost,
  type Findings,
  type Measured,
  type Row,
  tableOf,
} from './report.ts';
import { emptyCallbacks, libmilter, product, type Server, type Transport } from './server.ts';
import { amount, type Node, ROOT, type Setting } from './setting.ts';
import { clientZones, smtpLoad, type SmtpResult } from './smtp-load.ts';

const NONE = 'no milter';

/** A milter behind an MTA; each is one row of the table. */
interface Entry {
  readonly name: string;
  readonly server: Server | null;
  /** Negotiates what hardly any installation does: measured only for replies that wait. */
  readonly rare?: boolean;
  /** Does nothing with what the program asks for: shows behind Postfix what is not the program's own. */
  readonly twin?: boolean;
}

const entryName = (transport: Transport, tags: boolean, { major }: Node): string =>
  `helo-milter, ${transport}, ${tags ? 'Authentication-Results' : 'no header'}, Node ${major}`;
const twinName = ({ major }: Node): string => `empty callbacks up to RCPT, unix, Node ${major}`;
const libmilterName = (transport: Transport): string => `empty libmilter, ${transport}`;

/** The program in each of the ways in which it is used, asking this name server. */
async function ours(setting: Setting, nsd: Nsd): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const node of setting.nodes) {
    for (const transport of ['unix', 'tcp'] as const) {
      for (const tags of [false, true]) {
        const args = ['--dns-server', nsd.server, ...(tags ? [] : ['--no-auth-results'])];
        const server = await product(setting, transport, node, { args });
        entries.push({ name: entryName(transport, tags, node), server });
      }
    }
  }
  const [node] = setting.nodes;
  if (node === undefined) return entries;
  // The verdict at HELO wants other macros; nothing else changes what is negotiated.
  for (const transport of ['unix', 'tcp'] as const) {
    for (const tags of [false, true]) {
      const args = ['--dns-server', nsd.server, '--apply-at', 'helo', ...(tags ? [] : ['--no-auth-results'])];
      const server = await product(setting, transport, node, { args });
      const name = entryName(transport, tags, node).replace(', Node', ', at HELO, Node');
      entries.push({ name, server, rare: true });
    }
  }
  return entries;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const postfixCost = ({ cpu }: SmtpResult): number => cpu[0] ?? NaN;
const milterCost = ({ cpu }: SmtpResult): number => cpu[1] ?? 0;
const bothCost = (result: SmtpResult): number => postfixCost(result) + milterCost(result);
const rate = (result: SmtpResult): number => result.rate;

const COLUMNS: Columns<SmtpResult> = {
  'sessions/s': rate,
  'CPU of Postfix µs': postfixCost,
  'CPU of the milter µs': milterCost,
  'session p50 ms': ({ session }) => session.p50 / 1000,
  'session p99 ms': ({ session }) => session.p99 / 1000,
};
const MAIL_COLUMNS: Columns<SmtpResult> = {
  ...COLUMNS,
  'end of text p50 ms': ({ text }) => (text?.p50 ?? NaN) / 1000,
};
const LONE_COLUMNS: Columns<SmtpResult> = {
  'session p50 ms': ({ session }) => session.p50 / 1000,
  'greeting p50 ms': ({ greeting }) => greeting.p50 / 1000,
  'EHLO p50 ms': ({ ehlo }) => ehlo.p50 / 1000,
  'end of text p50 ms': ({ text }) => (text?.p50 ?? NaN) / 1000,
  'slowest reply ms': ({ reply }) => reply.max / 1000,
  'replies over 30 ms': ({ stalls }) => sum(Object.values(stalls)),
};

/** One client alone is soon seen to wait. */
const few = (setting: Setting): Setting => ({ ...setting, pairs: Math.min(3, setting.pairs) });

interface Behind {
  readonly mail: Results<SmtpResult>;
  readonly ehlo: Results<SmtpResult>;
  readonly lone: Results<SmtpResult>;
}

async function behindPostfix(setting: Setting, entries: readonly Entry[]): Promise<Behind> {
  const milters = entries.map(({ server }) => server?.socket ?? null);
  const postfix = await startPostfix(setting.workdir, {
    // Otherwise Postfix would slow its input down when deliveries lag, and that is what we would measure.
    mainCf: 'in_flow_delay = 0\nmilter_default_action = tempfail\n',
    milters,
  });
  const spool = join(postfix.etc, '..', 'spool');
  const master = Number(readFileSync(join(spool, 'pid', 'master.pid'), 'utf8'));
  const run = (kind: 'ehlo' | 'mail', usual: number, open: number): Contender<SmtpResult>[] =>
    entries
      .map(({ name, server, rare = false }, i) => ({
        name,
        rare,
        run: () => {
          const pids = server === null ? [master] : [master, server.pid];
          const sessions = amount(setting, usual);
          return smtpLoad({ port: postfix.ports[i] ?? 0, kind, sessions, open, pids, spool });
        },
      }))
      .filter(({ rare }) => open === 1 || !rare);
  try {
    return {
      mail: await contest(setting, run('mail', 600, 10)),
      ehlo: await contest(
        setting,
        // Without a message it does not matter what we would write into it.
        run('ehlo', 1500, 10).filter(({ name }) => !name.includes('Authentication-Results')),
      ),
      lone: await contest(few(setting), run('mail', 60, 1)),
    };
  } finally {
    await postfix.stop();
  }
}

/**
 * Sendmail makes a process for each connection, so that only what one client alone waits for tells us
 * anything.
 */
async function behindSendmail(
  setting: Setting,
  entries: readonly Entry[],
): Promise<Results<SmtpResult> | null> {
  if (!existsSync(join(ROOT, '.parts', 'sendmail'))) return null;
  const spelt = (socket: string): string =>
    socket.replace(/^unix:/, 'local:').replace(/^inet:(.*):(\d+)$/, 'inet:$2@$1');
  const sendmail = await startSendmail(setting.workdir, {
    milters: entries.map(({ server }) =>
      server === null ? null : `S=${spelt(server.socket)}, F=T, T=S:30s;R:30s`,
    ),
  });
  try {
    return await contest(
      few(setting),
      entries.map(({ name }, i) => ({
        name,
        run: () =>
          smtpLoad({
            port: sendmail.ports[i] ?? 0,
            kind: 'mail',
            sessions: amount(setting, 20),
            open: 1,
          }),
      })),
    );
  } finally {
    await sendmail.stop();
  }
}

/** How much later the reply to EHLO comes to a client that is alone, in microseconds, round by round. */
function laterThanNone(lone: Results<SmtpResult>, name: string): Spread {
  const p50 = (who: string): number[] => figures(lone, who, ({ ehlo }) => ehlo.p50);
  const none = p50(NONE);
  return spread(p50(name).map((each, round) => each - (none[round] ?? NaN)));
}

function rowsOf({ nodes }: Setting, { mail, ehlo, lone }: Behind): Row[] {
  const each = (measure: (node: Node) => Measured): Measured[] => nodes.map(measure);
  const unix = (tags: boolean) => (node: Node) => entryName('unix', tags, node);
  const rows: Row[] = [];
  for (const [tags, how, least] of [
    [false, 'no header wanted', 0.82],
    [true, 'Authentication-Results', 0.68],
  ] as const) {
    rows.push(
      {
        what: `messages/s through Postfix, cache hit, unix, ${how}`,
        against: NONE,
        target: `≥ ${least.toFixed(2)}×`,
        measured: each((node) => atLeast(least, ratio(mail, unix(tags)(node), NONE, rate))),
      },
      {
        what: `messages/s through Postfix, cache hit, unix, ${how}`,
        against: 'empty libmilter, all callbacks, unix',
        target: '≥ 1.5×',
        measured: each((node) => atLeast(1.5, ratio(mail, unix(tags)(node), libmilterName('unix'), rate))),
      },
    );
  }
  rows.push(
    {
      what: 'CPU of Postfix + milter a message, unix, no header wanted',
      against: NONE,
      target: '≤ 1.45×',
      measured: each((node) => atMost(1.45, ratio(mail, unix(false)(node), NONE, bothCost))),
    },
    {
      what: 'EHLO-only sessions/s through Postfix, unix',
      against: 'empty libmilter, all callbacks, unix',
      target: '≥ 1.1×',
      measured: each((node) => atLeast(1.1, ratio(ehlo, unix(false)(node), libmilterName('unix'), rate))),
    },
    {
      what: 'EHLO p50 of one client behind Postfix, cache hit, unix, later by',
      against: NONE,
      target: '≤ 60 µs',
      measured: each((node) => figureAtMost(60, laterThanNone(lone, unix(false)(node)), 'µs')),
    },
  );
  return rows;
}

/**
 * The number of bytes above which Linux may delay an acknowledgement (6.7 and later); set for this network
 * alone.
 */
const THRESHOLD = '/proc/sys/net/ipv4/tcp_pingpong_thresh';

/** The same with a kernel that acknowledges at once, as an operator can set it. */
async function behindSendmailAtOnce(
  setting: Setting,
  entries: readonly Entry[],
): Promise<Results<SmtpResult> | null> {
  if (!existsSync(THRESHOLD)) return null;
  const before = readFileSync(THRESHOLD, 'utf8');
  writeFileSync(THRESHOLD, '255');
  try {
    return await behindSendmail(setting, entries);
  } finally {
    writeFileSync(THRESHOLD, before);
  }
}

function stallRow(mta: string, { nodes }: Setting, lone: Results<SmtpResult> | null): Row {
  return {
    what: `replies over 30 ms, one client, ${mta}, unix and tcp, header or not`,
    against: '–',
    target: 'none',
    measured: nodes.map(({ major }) => {
      if (lone === null) return { text: 'not measured here', met: null };
      const own = [...lone]
        .filter(([name]) => name.startsWith('helo-milter') && name.endsWith(`Node ${major}`))
        .flatMap(([, results]) => results);
      const replies = sum(own.map((result) => result.replies));
      const stages = Object.keys(own[0]?.stalls ?? {})
        .map((stage) => [stage, sum(own.map(({ stalls }) => stalls[stage] ?? 0))] as const)
        .filter(([, stalls]) => stalls > 0);
      const stalled = sum(stages.map(([, stalls]) => stalls));
      const where = stages.map(([stage, stalls]) => `${stage} ${stalls}`).join(', ');
      return { text: `${stalled} of ${replies}${where === '' ? '' : ` (${where})`}`, met: stalled === 0 };
    }),
  };
}

export async function mtaBench(setting: Setting): Promise<Findings> {
  const nsd = await startNsd(setting.workdir, clientZones());
  const entries: Entry[] = [{ name: NONE, server: null }];
  for (const transport of ['unix', 'tcp'] as const) {
    const server = await libmilter(setting, transport, { last: 'mail', answersConnect: true });
    entries.push({ name: libmilterName(transport), server });
  }
  for (const node of setting.nodes) {
    const server = await emptyCallbacks(setting, 'unix', node, { last: 'recipient', answersConnect: false });
    entries.push({ name: twinName(node), server, twin: true });
  }
  entries.push(...(await ours(setting, nsd)));
  for (const { server, rare = false } of entries) {
    if (server !== null && !rare) await warm(setting, server, 'mail');
  }
  const behind = await behindPostfix(setting, entries);
  const others = entries.filter(({ twin = false }) => !twin);
  const sendmail = await behindSendmail(setting, others);
  const atOnce = await behindSendmailAtOnce(setting, others);
  for (const { server } of entries) await server?.stop();
  await nsd.stop();
  return {
    rows: [
      ...rowsOf(setting, behind),
      stallRow('Postfix', setting, behind.lone),
      stallRow('Sendmail', setting, sendmail),
      stallRow('Sendmail with tcp_pingpong_thresh=255', setting, atOnce),
    ],
    tables: [
      tableOf('Postfix: one message a session, 10 clients at once', behind.mail, MAIL_COLUMNS),
      tableOf('Postfix: EHLO and QUIT, 10 clients at once', behind.ehlo, COLUMNS),
      tableOf('Postfix: one message a session, one client', behind.lone, LONE_COLUMNS),
      ...(sendmail === null
        ? []
        : [tableOf('Sendmail: one message a session, one client', sendmail, LONE_COLUMNS)]),
    ],
  };
}

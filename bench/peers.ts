/**
 * What an administrator would otherwise put in this place, as Debian has it, behind the same Postfix and
 * with the same messages: each with a line that says what it does for its time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Filter,
  policydSpf,
  startOpendkim,
  startOpendmarc,
  startRspamd,
  withOurDns,
} from '../test/mta/kit/filters.ts';
import { startNsd } from '../test/mta/kit/nsd.ts';
import { startPostfix } from '../test/mta/kit/postfix.ts';
import { contest, ratio } from './contest.ts';
import { warm } from './load.ts';
import { asRatio, atLeast, type Findings, type Row, stated, type Table, tableOf } from './report.ts';
import { product } from './server.ts';
import { amount, type Node, type Setting } from './setting.ts';
import { clientZones, smtpLoad, type SmtpResult } from './smtp-load.ts';

/** One service of Postfix. */
interface Peer {
  readonly name: string;
  readonly does: string;
  /** As Postfix spells it; null where it is no milter. */
  readonly milter: string | null;
  /** Of the filter, unless Postfix starts it. */
  readonly pid: number | null;
  /** Parameters of the service. */
  readonly settings?: readonly string[];
  readonly stop?: () => Promise<void>;
  /** Of our messages a second to its; null if it is only stated. */
  readonly target?: number | null;
}

const NOTHING: Peer = { name: 'no filter', does: 'nothing', milter: null, pid: null };

const oursName = ({ major }: Node): string => `helo-milter, Node ${major}`;

async function ours(setting: Setting, nameServer: string): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const node of setting.nodes) {
    const args = ['--dns-server', nameServer, '--no-auth-results'];
    const server = await product(setting, 'unix', node, { args });
    await warm(setting, server, 'mail');
    peers.push({
      name: oursName(node),
      does: 'address, reverse name, SPF, CSA and `_auth` of the HELO name, from its cache; a log line; no header',
      milter: server.socket,
      pid: server.pid,
      stop: server.stop,
    });
  }
  return peers;
}

async function others({ workdir }: Setting): Promise<{ peers: Peer[]; masterCf: string }> {
  const policy = policydSpf(workdir, 'AR');
  const milter = (name: string, does: string, filter: Filter): Peer => ({
    ...{ name, does, milter: `unix:${filter.path ?? ''}`, pid: filter.pid, stop: () => filter.stop() },
    ...(name === 'opendmarc' ? {} : { target: 1.6 }),
  });
  const restrict = (...rules: readonly string[]): string =>
    `smtpd_recipient_restrictions=reject_unauth_destination,${rules.join(',')}`;
  const modules = ['spf { }', 'hfilter { helo_enabled = true; hostname_enabled = true; }'];
  return {
    masterCf: policy.masterCf,
    peers: [
      milter(
        'opendkim',
        'reads the message, looks for signatures (there are none); a header',
        await startOpendkim(workdir, { overUnix: true }),
      ),
      milter(
        'opendmarc',
        'SPF and the DMARC record of the author; a header',
        await startOpendmarc(workdir, { spf: true, overUnix: true }),
      ),
      milter(
        'rspamd (hfilter, SPF)',
        'HELO and reverse name by patterns and DNS, SPF; no header, no other module',
        await startRspamd(workdir, { modules, overUnix: true }),
      ),
      {
        name: 'policyd-spf',
        does: 'SPF of HELO and sender; a header; one process for each smtpd',
        milter: null,
        pid: null,
        settings: [restrict(...policy.restriction.split(' '))],
        target: 1.6,
      },
      {
        name: "Postfix's own restrictions",
        does: 'syntax of HELO, and whether it has an A, AAAA or MX record',
        milter: null,
        pid: null,
        settings: [
          restrict(
            'reject_invalid_helo_hostname',
            'reject_non_fqdn_helo_hostname',
            'reject_unknown_helo_hostname',
          ),
        ],
        target: null,
      },
    ],
  };
}

const rate = (result: SmtpResult): number => result.rate;
const cost = ({ cpu }: SmtpResult): number => cpu.reduce((sum, each) => sum + each, 0);

function rowsOf(
  setting: Setting,
  peers: readonly Peer[],
  results: Awaited<ReturnType<typeof behind>>,
): Row[] {
  const measured = (over: Peer, figure: typeof rate) =>
    setting.nodes.map((node) => ratio(results, oursName(node), over.name, figure));
  return peers.flatMap((peer): Row[] => {
    if (peer.target === undefined && peer.name.startsWith('helo-milter')) return [];
    const least = peer.target ?? null;
    return [
      {
        what: 'messages/s through Postfix, cache hit, unix, no header wanted',
        against: peer.name,
        target: least === null ? 'stated' : `≥ ${least.toFixed(1)}×`,
        measured: measured(peer, rate).map((each) =>
          least === null ? stated(asRatio(each)) : atLeast(least, each),
        ),
      },
      {
        what: 'CPU a message, of Postfix and filter',
        against: peer.name,
        target: 'stated',
        measured: measured(peer, cost).map((each) => stated(asRatio(each))),
      },
    ];
  });
}

/** All of them have a resolver next door, as on a mail host. */
async function behind(setting: Setting, peers: readonly Peer[], masterCf: string) {
  const { workdir } = setting;
  const postfix = await startPostfix(workdir, {
    // Otherwise Postfix would slow its input down when deliveries lag, and that is what we would measure.
    mainCf: 'in_flow_delay = 0\nmilter_default_action = tempfail\n',
    milters: peers.map(({ milter }) => milter),
    overrides: peers.map(({ settings = [] }) => settings),
    masterCf: [masterCf],
    wrapper: withOurDns(workdir),
  });
  const master = Number(readFileSync(join(postfix.spool, 'pid', 'master.pid'), 'utf8'));
  try {
    return await contest(
      setting,
      peers.map(({ name, pid }, i) => ({
        name,
        run: () =>
          smtpLoad({
            port: postfix.ports[i] ?? 0,
            kind: 'mail',
            sessions: amount(setting, 400),
            open: 10,
            pids: pid === null ? [master] : [master, pid],
            spool: postfix.spool,
          }),
      })),
    );
  } finally {
    await postfix.stop();
  }
}

export async function peersBench(setting: Setting): Promise<Findings> {
  const zones = clientZones();
  const records = ['@ IN TXT "v=spf1 ip4:198.51.100.0/24 -all"', '_dmarc IN TXT "v=DMARC1; p=none"'];
  const nsd = await startNsd(
    setting.workdir,
    { ...zones, 'sender.org': [zones['sender.org'], ...records].join('\n') },
    { port: 53 },
  );
  const rest = await others(setting);
  const peers = [NOTHING, ...(await ours(setting, nsd.server)), ...rest.peers];
  try {
    const results = await behind(setting, peers, rest.masterCf);
    const does: Table = {
      title: 'What each does for its time',
      head: ['', 'for each message'],
      lines: peers.map((peer) => [peer.name, peer.does]),
    };
    return {
      rows: rowsOf(setting, peers, results),
      tables: [
        tableOf('Postfix with other filters: one message a session, 10 clients at once', results, {
          'messages/s': rate,
          'CPU of both µs': cost,
          'session p50 ms': ({ session }) => session.p50 / 1000,
          'session p99 ms': ({ session }) => session.p99 / 1000,
        }),
        does,
      ],
    };
  } finally {
    for (const { stop } of peers) await stop?.();
    await nsd.stop();
  }
}

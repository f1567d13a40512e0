/** `helo-milter`: runs until it is told to stop. */
import type { ConfigSource } from '../config/source.ts';
import type { Host } from '../system/host.ts';
import { LineBuffer } from '../log/line-buffer.ts';
import type { EventFields } from '../log/events.ts';
import { createLog, type Log } from '../log/log.ts';
import { endOfLifeWarning } from '../system/node-support.ts';
import { shortage } from '../milter/descriptors.ts';
import { MAX_CONNECTIONS } from '../milter/server-options.ts';
import { milterItem } from '../doctor/milter-item.ts';
import { formatDuration, formatSize } from '../config/values.ts';
import type { Config } from '../config/config.ts';
import { type Service, startService } from '../service/service.ts';
import { supervise } from '../service/supervision.ts';
import type { Terminal } from './terminal.ts';

/** Once all else has ended, the reader of the log and systemd have this long to take what is left. */
const LAST_LINES_MS = 5000;
/** The same after a second signal. */
const HURRIED_MS = 500;

export async function serve(source: ConfigSource, version: string, terminal: Terminal): Promise<void> {
  const config = await source.read();
  const lines = new LineBuffer({
    put: (bytes, done) => {
      terminal.writeLog(bytes, done);
    },
    onRecovery: (lost) => {
      log.tell('log-lost', { lines: lost });
    },
  });
  const log = createLog(
    (line) => {
      lines.write(line);
    },
    { format: config.logFormat, level: config.logLevel, journal: terminal.journal, time: config.logTime },
  );
  terminal.onExit(() => lines.take());
  const { host } = terminal;
  const systemd = supervise(host, log);
  const service = await startService(config, log, {
    source,
    standing: { host, handed: systemd.handed },
    lostLines: () => lines.lostInAll,
  });
  // An unforeseen fault must not end the sessions of others.
  terminal.onFault((event, error) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.tell('internal', { at: event, detail });
  });
  terminal.onReload(() => {
    void systemd.reloading(() => service.reload());
  });
  terminal.onReopen(() => {
    void service.reopen();
  });
  if (log.format === 'kv') lines.write(banner(config, source.file, service, version));
  else log.tell('started', started(config, service, version));
  warn(log, terminal.host);
  lines.flush();
  systemd.started(service);
  const reason = await terminal.untilStopped();
  log.tell('stopping', { reason, connections: service.connections });
  systemd.stopping(service.connections, service.graceMs);
  // A second signal means: do not wait.
  const hurried = terminal.untilStopped();
  void hurried.then(() => service.stop(0));
  await service.stop();
  log.flush();
  log.tell('stopped', {});
  const done = Promise.all([lines.drained(), systemd.told()]);
  if (await inTime(done, hurried)) return;
  const lost = lines.waiting + lines.lostInAll;
  lines.take();
  if (lost > 0) terminal.writeError(`helo-milter: nobody is reading the log; ${lost} lines of it are lost\n`);
  terminal.abandon();
}

/** Whether the last lines were written before our patience ran out. */
async function inTime(done: Promise<unknown>, hurried: Promise<unknown>): Promise<boolean> {
  const timers: NodeJS.Timeout[] = [];
  const tooLate = new Promise<false>((resolve) => {
    timers.push(setTimeout(resolve, LAST_LINES_MS, false));
    void hurried.then(() => timers.push(setTimeout(resolve, HURRIED_MS, false)));
  });
  const left = await Promise.race([done.then(() => true), tooLate]);
  for (const timer of timers) clearTimeout(timer);
  return left;
}

/** The banner for readers of JSON. */
function started(config: Config, { sockets, http }: Service, version: string): EventFields<'started'> {
  return {
    version,
    sockets: sockets.join(' '),
    policy: config.policy,
    observe: config.observe ? 'yes' : 'no',
    http,
  };
}

/** What an operator may want to change in the surroundings; said once, at the start. */
function warn(log: Log, { node, systemName, identity, openFiles }: Host): void {
  const endOfLife = endOfLifeWarning(node, systemName(), Date.now());
  if (endOfLife !== null) log.tell('node', { detail: endOfLife });
  const few = shortage(openFiles(), MAX_CONNECTIONS);
  if (few !== null) log.tell('descriptors', { detail: few });
  if (identity.current().euid === 0) {
    log.tell('root', { detail: 'nothing here needs root; --user drops its rights' });
  }
}

/** What it will do, where it serves metrics and page if it does, and the commands that attach Postfix. */
function banner(config: Config, file: string | null, { sockets, http }: Service, version: string): string {
  const { policy, rejectAt, tempfailAt, applyAt, observe, enforcePercent, shadowPolicy } = config;
  const { dnsZone, dnsServer, dnsTimeout, deadline, cacheSize, cacheMemory, cacheMax } = config;
  const acts = observe
    ? 'observes only: nothing is refused'
    : enforcePercent < 100
      ? `acts on ${enforcePercent} % of the client networks`
      : 'acts on every verdict';
  const asks = dnsZone ?? (dnsServer.length === 0 ? 'the resolvers of the system' : dnsServer.join(', '));
  const keeps =
    cacheSize === 0
      ? 'keeps no assessments'
      : `keeps assessments of ${cacheSize} addresses in ${formatSize(cacheMemory)}, each for at most ${formatDuration(cacheMax)}`;
  const open = config.httpPublic ? ', open to anyone who can reach it' : '';
  return [
    `helo-milter ${version} listens on ${sockets.join(', ')}`,
    `policy ${policy}: reject at ${rejectAt}, tempfail at ${tempfailAt}, verdict at ${applyAt}`,
    `${acts}${shadowPolicy === null ? '' : `; logs what ${shadowPolicy} would have done`}; ${file === null ? 'no configuration file' : `configuration ${file}`}`,
    `asks ${asks}, ${formatDuration(dnsTimeout)} a question, ${formatDuration(deadline)} in all; ${keeps}`,
    ...(http === null ? [] : [`metrics and health at http://${http}/metrics, /healthz and /readyz${open}`]),
    ...(http === null || !config.httpPage ? [] : [`the page at http://${http}/`]),
    'Postfix hands its sessions over once you have typed these three commands, in this order; it keeps the milters that it has:',
    ...attachCommands(sockets[0] ?? 'SOCKET', config),
    'If the second prints a helo_milter, that names another socket and stays as it is. Where another helo-milter listens there,',
    'give this one a listener of its own (docs/farm.md); if nobody does, "postconf -X helo_milter", and type the three again.',
    '',
  ].join('\n');
}

/**
 * Each is whole in its line, and may be typed again. The list comes first: postconf warns of a parameter that
 * is set and in no list. A helo_milter that names another socket may belong to another process: it is shown,
 * and not written over.
 */
function attachCommands(socket: string, config: Config): string[] {
  const item = milterItem(socket, config, config.observe ? 'accept' : 'tempfail');
  const named = `(^|[{ ])${socket.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}([,} ]|$)`;
  return [
    `  postconf -h smtpd_milters | grep -qF '$helo_milter' || postconf -e "smtpd_milters = \\$helo_milter $(postconf -h smtpd_milters)"`,
    `  postconf -h helo_milter 2>/dev/null | grep . | grep -vE '${named}' || postconf -e 'helo_milter = ${item}' 'smtpd_helo_required = yes'`,
    '  postfix reload',
  ];
}

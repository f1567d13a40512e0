/** `helo-milter`: runs until it is told to stop. */
import { LineBuffer } from '../line-buffer.ts';
import { createLog, type Field } from '../log.ts';
import type { Config } from '../options.ts';
import { startService } from '../service.ts';
import type { Terminal } from './terminal.ts';

export async function serve(config: Config, version: string, terminal: Terminal): Promise<void> {
  const lines = new LineBuffer({
    put: (bytes, done) => {
      terminal.writeLog(bytes, done);
    },
    onRecovery: (lost) => {
      log.warning('log-lost', [['lines', lost]]);
    },
  });
  const log = createLog(
    (line) => {
      lines.write(line);
    },
    { format: config.logFormat, level: config.logLevel, journal: terminal.journal, time: config.logTime },
  );
  terminal.onExit(() => lines.take());
  const service = await startService(config, log);
  // A fault nobody foresaw must not take the sessions of others along.
  terminal.onFault((event, error) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('internal', [
      ['at', event],
      ['detail', detail],
    ]);
  });
  terminal.onReload(() => {
    void service.reload();
  });
  if (log.format === 'kv') lines.write(banner(config, service.sockets, version));
  else log.notice('started', started(config, service.sockets, version));
  lines.flush();
  const reason = await terminal.untilStopped();
  log.notice('stopping', [
    ['reason', reason],
    ['connections', service.connections],
  ]);
  await service.stop();
  log.flush();
  log.notice('stopped', []);
  await lines.drained();
}

/** The banner for readers of JSON. */
function started(config: Config, sockets: readonly string[], version: string): Field[] {
  return [
    ['version', version],
    ['sockets', sockets.join(' ')],
    ['policy', config.policy],
    ['observe', config.observe ? 'yes' : 'no'],
  ];
}

/** What it will do, and what to tell the MTA. */
function banner(config: Config, sockets: readonly string[], version: string): string {
  const { rejectAt, tempfailAt, applyAt, observe, enforcePercent } = config;
  const acts = observe
    ? 'observes only: nothing is refused'
    : enforcePercent < 100
      ? `acts on ${enforcePercent} % of the client networks`
      : 'acts on every verdict';
  return [
    `helo-milter ${version} listens on ${sockets.join(', ')}`,
    `policy ${config.policy}: reject at ${rejectAt}, tempfail at ${tempfailAt}, verdict at ${applyAt}; ${acts}`,
    'To attach Postfix, put this into main.cf and run "postfix reload":',
    `  smtpd_milters = ${sockets.join(' ')}`,
    '  milter_default_action = tempfail',
    '',
  ].join('\n');
}

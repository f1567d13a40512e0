/** `helo-milter`: runs until it is told to stop. */
import { createLog } from '../log.ts';
import type { Config } from '../options.ts';
import { startService } from '../service.ts';
import type { Terminal } from './terminal.ts';

export async function serve(config: Config, version: string, terminal: Terminal): Promise<void> {
  const log = createLog((line) => {
    terminal.write(line);
  });
  const service = await startService(config, log);
  // A fault nobody foresaw must not take the sessions of others along.
  terminal.onFault((event, error) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('internal', [
      ['event', event],
      ['detail', detail],
    ]);
  });
  terminal.onReload(() => {
    void service.reload();
  });
  terminal.write(banner(config, service.sockets, version));
  const reason = await terminal.untilStopped();
  log.info('stopping', [
    ['reason', reason],
    ['connections', service.connections],
  ]);
  await service.stop();
  log.info('stopped', []);
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

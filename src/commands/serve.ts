/** `helo-milter`: runs until it is told to stop. */
import { createLog, type Log } from '../log.ts';
import type { Config } from '../options.ts';
import { startService } from '../service.ts';

export async function serve(config: Config, version: string): Promise<void> {
  const log = createLog((line) => {
    process.stdout.write(line);
  });
  // Whoever read our log may be gone; the mail goes on.
  process.stdout.on('error', () => undefined);
  const service = await startService(config, log);
  guard(log);
  process.stdout.write(banner(config, service.sockets, version));
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        log.info('stopping', [
          ['signal', signal],
          ['connections', service.connections],
        ]);
        resolve();
      });
    }
  });
  await service.stop();
  log.info('stopped', []);
}

/** A fault nobody foresaw must not take the sessions of others along. */
function guard(log: Log): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error('internal', [
        ['event', event],
        ['detail', detail],
      ]);
    });
  }
}

/** What it will do, and what to tell the MTA. */
export function banner(config: Config, sockets: readonly string[], version: string): string {
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

/** How an MTA should speak to us: our item in Postfix's list of milters, and how long to wait for us. */
import { formatDuration } from '../config/values.ts';
import type { RunningOptions } from './facts.ts';

/** What an MTA should wait for the answer to a command, in milliseconds: our deadline and a fair margin. */
export function patienceMs({ deadline }: Pick<RunningOptions, 'deadline'>): number {
  return Math.max(15_000, Math.ceil((deadline + 5000) / 1000) * 1000);
}

/** Our item in a list of milters of Postfix, with the limits we want. */
export function milterItem(
  socket: string,
  options: Pick<RunningOptions, 'deadline'>,
  action: 'accept' | 'tempfail' | 'shutdown',
): string {
  const patience = formatDuration(patienceMs(options));
  return `{ ${socket}, connect_timeout=5s, command_timeout=${patience}, content_timeout=30s, default_action=${action} }`;
}

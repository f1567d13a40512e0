/** A reload: the configuration and its files are read again, and used as a whole or not at all. */
import { changes } from '../config/changes.ts';
import type { ConfigSource } from '../config/source.ts';
import { describeError, UsageError } from '../errors.ts';
import type { AddressMask } from '../report/address-mask.ts';
import type { OnExpired } from '../policy/access.ts';
import type { Rules } from '../policy/rules.ts';
import type { Log } from '../log/log.ts';
import { MAX_VALUE } from '../log/value.ts';
import type { Assembly, Workshop } from './assembly.ts';
import { prepare, sameAssessments } from './live.ts';

/** Where the configuration is read again, and how a mistake in it is located. */
export type Source = Pick<ConfigSource, 'read' | 'locate'>;

export interface Reloadable extends Workshop, Pick<Assembly, 'server' | 'assessor' | 'agreed'> {
  readonly source: Source;
  readonly onExpired: OnExpired;
  /** Null if nothing is hidden. */
  readonly mask: AddressMask | null;
}

/**
 * Reads everything again. A mistake is logged, and everything stays as it was. Never rejects; runs one at a
 * time.
 */
export function reloader(service: Reloadable): () => Promise<void> {
  const { live, log, metrics, source } = service;
  return oneAtATime(async () => {
    try {
      const next = changes(live.config, await source.read());
      const prepared = await prepare(next.config, service.onExpired, service.mask);
      // All that can be wrong has been found by now.
      adopt(service, prepared);
      metrics?.reloaded(true);
      const { changed, waiting } = next;
      log.tell('reloaded', { changed: changed.length === 0 ? null : changed.join(',') });
      if (waiting.length > 0) {
        const effect = 'they stay as they are until the program is started again';
        log.tell('reload-incomplete', { options: waiting.join(','), effect });
      }
      log.setLevel(next.config.logLevel);
    } catch (error) {
      metrics?.reloaded(false);
      log.tell('reload-failed', {
        detail: sentences(source.locate(error)),
        effect: 'what was read before stays',
      });
    }
  });
}

function adopt(
  { live, log, metrics, server, assessor, agreed }: Reloadable,
  next: Parameters<Reloadable['live']['replace']>[0],
): void {
  const before = live.replace(next);
  server.change(agreed());
  metrics?.know(live.registry.findings.keys());
  if (!sameAssessments(before, next)) assessor.forget();
  // The operator who asks for a reload is told the outcome, at any log level.
  log.setLevel('info');
  logHits(log, before.rules);
}

/** How often each line of the access list has matched. */
export function logHits(log: Log, { access }: Rules): void {
  for (const [line, hits] of access.hits) log.tell('access', { line, hits });
}

/**
 * The mistakes that an error carries, as many as fit into a log value, and how many more there are. A log
 * value is cut at its end, where the number would otherwise be lost.
 */
function sentences(error: unknown): string {
  if (!(error instanceof UsageError)) return describeError(error);
  const [first = '', ...others] = [error, ...error.others].map(({ message }) => message);
  let told = first;
  let left = others.length;
  for (const each of others) {
    if (told.length + 2 + each.length > MAX_VALUE - moreThan(left).length) break;
    told += `; ${each}`;
    left--;
  }
  return left === 0 ? told : `${told.slice(0, MAX_VALUE - moreThan(left).length)}${moreThan(left)}`;
}

function moreThan(left: number): string {
  return `; and ${left} more, see --check-config`;
}

/** Runs one at a time. If asked while running, it runs once more afterwards, however often it was asked. */
export function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const start = async (): Promise<void> => {
    try {
      await run();
    } finally {
      running = next;
      next = null;
    }
  };
  return () => {
    if (running === null) return (running = start());
    return (next ??= running.then(start, start));
  };
}

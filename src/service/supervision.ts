/** Keeps systemd informed about a service: that it is running, what it does, and that it still answers. */
import { describeError } from '../errors.ts';
import type { Host } from '../system/host.ts';
import type { Log } from '../log/log.ts';
import type { Service } from './service.ts';
import { type HandedFd, handedFds } from '../system/systemd/handed-sockets.ts';
import { Notifier, NOTIFY_FD, senderOf } from '../system/systemd/notifier.ts';
import { startWatchdog, watchdogInterval } from '../system/systemd/watchdog.ts';

export interface Supervision {
  /** Sockets that systemd has opened for us. */
  readonly handed: readonly HandedFd[];
  /** The service runs; from now on it gives signs of life, if systemd wants them. */
  started(service: Service): void;
  /** Calls `reload`, and tells systemd when it begins and when it is over. */
  reloading(reload: () => Promise<void>): Promise<void>;
  /** The service is about to end, within this many milliseconds. */
  stopping(connections: number, withinMs: number): void;
  /** Resolves when systemd has been told everything. */
  told(): Promise<void>;
}

/** How long everything other than the sessions may take to end. */
const MARGIN_MS = 10_000;

export function supervise(host: Host, log: Log): Supervision {
  const fds = handedFds(host);
  const notifyFd = fds.find(({ name }) => name === NOTIFY_FD)?.fd ?? null;
  const notifier = new Notifier({
    send: senderOf(host, notifyFd),
    monotonic: host.monotonic,
    onError: (error) => {
      log.tell('systemd', { detail: describeError(error) });
    },
  });
  let stopWatchdog = (): void => undefined;
  let status = '';
  return {
    handed: fds.filter(({ name }) => name !== NOTIFY_FD),
    started: (service) => {
      status = `listens on ${service.sockets.join(', ')}`;
      notifier.ready(status);
      const everyMs = watchdogInterval(host);
      if (everyMs === null) return;
      let ill = false;
      let sessions = 0;
      stopWatchdog = startWatchdog({
        everyMs,
        ask: () => {
          // Counted before the probe, which is a connection itself.
          sessions = service.connections;
          return service.ailment();
        },
        tell: (wrong) => {
          if (wrong === null) notifier.alive(`${status}; ${sessions} sessions`);
          else notifier.status(`no answer on ${wrong}`);
          if (wrong !== null && !ill) log.tell('watchdog', { detail: wrong });
          ill = wrong !== null;
        },
      });
    },
    reloading: async (reload) => {
      notifier.reloading();
      await reload();
      notifier.ready(status);
    },
    stopping: (connections, withinMs) => {
      stopWatchdog();
      notifier.stopping(`waits for ${connections} sessions`, withinMs + MARGIN_MS);
    },
    told: () => notifier.sent(),
  };
}

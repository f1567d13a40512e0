/** What went wrong between the MTA and us is logged and counted. */
import { describeError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../monitoring/metrics.ts';
import { type MilterServerOptions, TurnedAwayError } from '../milter/index.ts';

/** `metrics` is null if nobody looks at them. */
export function sessionErrors(log: Log, metrics: Metrics | null): MilterServerOptions['onError'] {
  return (error, source) => {
    if (error instanceof TurnedAwayError) {
      metrics?.turnedAway.count(error.reason);
      // If the connection itself is at fault, its peer was not a proper MTA; otherwise any MTA may be
      // affected. There are few different texts, so the log counts repeats, however fast they come.
      const own = error.reason === 'buffers' || error.reason === 'unread';
      log.tell(own ? 'peer-turned-away' : 'all-turned-away', { reason: error.reason, detail: error.message });
      return;
    }
    metrics?.errors.count(source === 'protocol' ? 'protocol' : 'callback');
    // A peer that breaks the protocol is not our fault; a callback that fails is.
    log.tell(source === 'protocol' ? 'protocol-broken' : 'callback-failed', {
      at: source,
      detail: describeError(error),
    });
  };
}

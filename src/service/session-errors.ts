/** What went wrong between the MTA and us: said in the log and counted. */
import { describeError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../monitoring/metrics.ts';
import { type MilterServerOptions, TurnedAwayError } from '../milter/index.ts';

/** `metrics` is null where nobody looks at them. */
export function sessionErrors(log: Log, metrics: Metrics | null): MilterServerOptions['onError'] {
  return (error, source) => {
    if (error instanceof TurnedAwayError) {
      metrics?.turnedAway.count(error.reason);
      // Where it is its own fault, its peer was no good MTA; otherwise any MTA may be among them. The texts are few, so that
      // the log counts what repeats, however fast it comes.
      const own = error.reason === 'buffers' || error.reason === 'unread';
      log.tell(own ? 'peer-turned-away' : 'all-turned-away', { reason: error.reason, detail: error.message });
      return;
    }
    metrics?.errors.count(source === 'protocol' ? 'protocol' : 'callback');
    // A peer that breaks the protocol is its own affair; a callback that fails is ours.
    const event = source === 'protocol' ? 'protocol-broken' : 'callback-failed';
    log.tell(event, { at: source, detail: describeError(error) });
  };
}

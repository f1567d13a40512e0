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
      turnedAway(log, error);
      return;
    }
    metrics?.errors.count(source === 'protocol' ? 'protocol' : 'callback');
    // A peer that breaks the protocol is its own affair; a callback that fails is ours.
    const say = source === 'protocol' ? log.warning : log.error;
    say('session', [
      ['at', source],
      ['detail', describeError(error)],
    ]);
  };
}

/** The texts are few, so that the log counts what repeats, however fast it comes. */
function turnedAway(log: Log, { reason, message }: TurnedAwayError): void {
  if (reason === 'buffers' || reason === 'unread') {
    // Its peer was no good MTA.
    log.warning('turned-away', [
      ['reason', reason],
      ['detail', message],
    ]);
  } else {
    // Any MTA may be among them.
    log.error('turned-away', [
      ['reason', reason],
      ['detail', message],
    ]);
  }
}

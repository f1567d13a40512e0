/** What depends on earlier mail, for a replay: the service's own tables, on the clock of the records. */
import { isWelcome } from '../decisions/welcome.ts';
import { budgetKey } from '../state/budget-key.ts';
import { NetworkLimit } from '../state/network-limit.ts';
import { RampTable } from '../state/ramp-table.ts';
import { type ClientWidth, Regulars, type RegularsLimit } from '../state/regulars.ts';
import { TempfailBudget, type TempfailLimit } from '../state/tempfail-budget.ts';
import type { ReplayPast } from './replay-past.ts';

/** The options of the same names. */
export interface PastOptions {
  readonly tempfailLimit: TempfailLimit;
  readonly regulars: RegularsLimit | null;
  readonly regularsNetwork: ClientWidth;
}

/** Knows nothing of what came before the first record. */
export function pastOf({ tempfailLimit, regulars, regularsNetwork }: PastOptions): ReplayPast {
  let time = 0;
  const now = (): number => time;
  const at = (moment: number): void => {
    time = Math.max(time, moment);
  };
  const given = new TempfailBudget(() => tempfailLimit, now);
  const watched = new TempfailBudget(() => tempfailLimit, now);
  const ramps = new RampTable(now);
  const streams = new NetworkLimit(now);
  const known = (): Regulars =>
    new Regulars(
      () => regulars,
      () => regularsNetwork,
      now,
    );
  // By what was seen to be accepted, and by what may have been too.
  const [sure, open] = [known(), known()];
  return {
    spend: (judged, isGiven, moment) => {
      at(moment);
      return (isGiven ? given : watched).spend(budgetKey(judged.assessment));
    },
    isWithinRamp: ({ assessment, action }, finding, ramp, moment) => {
      at(moment);
      return ramps.isWithin({ sender: budgetKey(assessment), finding, ramp, watched: action === 'accept' });
    },
    isWithinStream: (ip, stream, limit, moment) => {
      at(moment);
      return streams.take(ip, stream, limit);
    },
    isRegular: (ip, helo, moment) => {
      at(moment);
      if (sure.has(ip, helo)) return true;
      return open.has(ip, helo) ? 'perhaps' : false;
    },
    learn: (ip, helo, decision, moment) => {
      at(moment);
      // Where it was refused then, or not seen to its end, nobody knows how it would have ended.
      const end = decision.end === 'aborted' ? 'aborted' : 'accepted';
      if (isWelcome(decision)) sure.learn(ip, helo);
      if (isWelcome({ ...decision, end })) open.learn(ip, helo);
    },
    followsRegulars: regulars !== null,
  };
}

/** Where the order of the messages is not that of their times, earlier mail says nothing. */
export function pastUnordered(config: PastOptions): ReplayPast {
  return {
    ...pastOf({ ...config, regulars: null }),
    isWithinRamp: () => false,
    isWithinStream: () => true,
  };
}

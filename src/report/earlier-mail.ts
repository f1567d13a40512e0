/** What depends on earlier mail, for a replay: the service's own tables, on the clock of the records. */
import { NetworkLimit } from '../state/network-limit.ts';
import { RampTable } from '../state/ramp-table.ts';
import {
  type ClientWidth,
  Regulars,
  type RegularsLimit,
  regularName,
  regularSender,
} from '../state/regulars.ts';
import { TempfailBudget, type TempfailLimit } from '../state/tempfail-budget.ts';
import type { Named, ReplayPast } from './replay-past.ts';
import { UnderWay } from './under-way.ts';

/** The options of the same names. */
export interface PastOptions {
  readonly tempfailLimit: TempfailLimit;
  readonly regulars: RegularsLimit | null;
  readonly regularsNetwork: ClientWidth;
}

/** A past that can begin anew. */
export interface RepeatablePast extends ReplayPast {
  /** Nothing is known, as before the first record. */
  readonly forget: () => void;
}

/** Knows nothing of what came before the first record. */
export function pastOf({ tempfailLimit, regulars, regularsNetwork }: PastOptions): RepeatablePast {
  let time = 0;
  const now = (): number => time;
  const tables: { forget: () => void }[] = [];
  /** The tables are large: each is made for the first question that needs it. */
  const lazy = <T extends { forget: () => void }>(make: () => T): (() => T) => {
    let made: T | null = null;
    return () => {
      if (made === null) tables.push((made = make()));
      return made;
    };
  };
  const budget = (): TempfailBudget => new TempfailBudget(() => tempfailLimit, now);
  const [given, watched] = [lazy(budget), lazy(budget)];
  const ramps = lazy(() => new RampTable(now));
  const streams = lazy(() => new NetworkLimit(now));
  const known = (): Regulars =>
    new Regulars(
      () => regulars,
      () => regularsNetwork,
      now,
    );
  // By what was seen to be accepted, and by what may have been too.
  const [sure, open] = [known(), known()];
  const nameIn = ({ ip, helo, regular }: Named): string | null =>
    regular === undefined ? regularName(ip, helo, regularsNetwork) : (regular?.name ?? null);
  const claims = new UnderWay<boolean | 'perhaps'>();
  return {
    goTo: (moment) => (time = Math.max(time, moment)),
    spend: (sender, isGiven) => (isGiven ? given() : watched()).spend(sender),
    isWithinRamp: (each) => ramps().isWithin(each),
    isWithinStream: (ip, stream, limit) => streams().take(ip, stream, limit),
    isRegular: (who) => {
      const before = claims.get(who.reference, time);
      const name = before === null ? nameIn(who) : null;
      const now = name !== null && (sure.hasName(name) || (open.hasName(name) ? 'perhaps' : false));
      const regular = before ?? now;
      claims.set(who.reference, regular, time);
      return regular;
    },
    learn: (who, { surely }) => {
      const sender = 'regular' in who ? who.regular : regularSender(who.ip, who.helo, regularsNetwork);
      if (regulars === null || sender === null) return;
      if (surely) sure.learnOf(sender);
      open.learnOf(sender);
    },
    followsRegulars: regulars !== null,
    forget: () => {
      time = 0;
      for (const each of [...tables, sure, open]) each.forget();
      claims.clear();
    },
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

/** Hosts of a farm as far as counting goes: their tables, over a store that they share or none. */
import type { BudgetKey } from '../../src/state/budget-key.ts';
import { networksOf } from '../../src/core/client-networks.ts';
import { parseIp } from '../../src/core/ip.ts';
import { type CountLimit, NetworkLimit } from '../../src/state/network-limit.ts';
import { RampTable } from '../../src/state/ramp-table.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import { SharedCounts, type ToCount } from '../../src/store/shared-counts.ts';
import type { SharedStore } from '../../src/store/shared-store.ts';

export interface FarmHost {
  /** Each: whether the message is within its limit. */
  readonly tempfail: (sender: BudgetKey) => Promise<boolean>;
  readonly ramp: (sender: BudgetKey) => Promise<boolean>;
  readonly stream: (address: string) => Promise<boolean>;
}

export interface FarmLimits {
  readonly tempfail: CountLimit;
  readonly ramp: CountLimit;
  readonly stream: CountLimit;
}

const NOTHING: ToCount = { budget: null, ramps: [], stream: null };
const ALL = { budgets: true, ramps: true, streams: true };

export function sender(address: string, name: string, organisation: string | null = null): BudgetKey {
  return { name, organisation, ...networksOf(parseIp(address)) };
}

/** Of the rows of a budget: some senders need no more, and many hosts take less time to make. */
const PART = 1 / 64;

/** `store` is null for a host without a farm; `now` gives milliseconds. */
export function farmHost(store: SharedStore | null, limits: FarmLimits, now: () => number): FarmHost {
  const budget = new TempfailBudget(() => limits.tempfail, now, PART);
  const rehearsedBudget = new TempfailBudget(() => limits.tempfail, now, PART);
  const ramps = new RampTable(now);
  const streams = new NetworkLimit(now);
  const counts =
    store === null ? null : new SharedCounts({ store, shared: ALL, budget, rehearsedBudget, ramps, streams });
  const ask = (what: Partial<ToCount>): ReturnType<SharedCounts['ask']> =>
    counts?.ask({ ...NOTHING, ...what }) ?? null;
  return {
    tempfail: async (key) => {
      const told = await ask({ budget: { sender: key, rehearsed: false } });
      const spent = told?.spent ?? null;
      return spent === null ? budget.spend(key) : !spent;
    },
    ramp: async (key) => {
      const step = { sender: key, finding: 'helo-not-fqdn', ramp: limits.ramp, watched: false };
      const told = await ask({ ramps: [step] });
      return told?.withinRamps.get('helo-not-fqdn') ?? ramps.isWithin(step);
    },
    stream: async (address) => {
      const ip = parseIp(address);
      if (ip === null) throw new Error(`${address} is no address`);
      const told = await ask({ stream: { ip, name: 'failed', limit: limits.stream, ifSpent: false } });
      return told?.withinStream ?? streams.take(ip, 'failed', limits.stream);
    },
  };
}

/** A message of a sender that comes to one of the hosts. */
export interface FarmMessage {
  readonly host: number;
  readonly sender: number;
  readonly counted: keyof FarmHost;
  /** Milliseconds since the message before. */
  readonly after: number;
}

/** Some that share networks, names and organisations, and some whose reverse name is not always found. */
const SENDERS: readonly (readonly [address: string, key: BudgetKey])[] = [
  ['198.51.100.7', sender('198.51.100.7', 'sender.org')],
  ['198.51.100.8', sender('198.51.100.8', 'sender.org', 'sender.org')],
  ['198.51.100.9', sender('198.51.100.9', 'other.org')],
  ['203.0.113.9', sender('203.0.113.9', 'sender.org', 'sender.org')],
  ['2001:db8::1', sender('2001:db8::1', '-')],
];

export const SENDER_COUNT = SENDERS.length;

/** Whether each message is within its limit, where it comes to its host. */
export async function answers(
  messages: readonly FarmMessage[],
  hostOf: (host: number) => FarmHost,
  pass: (ms: number) => void = () => undefined,
): Promise<boolean[]> {
  const told: boolean[] = [];
  for (const { host, sender: which, counted, after } of messages) {
    pass(after);
    const [address, key] = SENDERS[which] ?? ['', sender('192.0.2.1', '-')];
    const to = hostOf(host);
    told.push(await (counted === 'stream' ? to.stream(address) : to[counted](key)));
  }
  return told;
}

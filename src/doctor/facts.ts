/**
 * Everything that the checks may look at. The code that reads files, sockets and DNS fills it; null means not
 * looked at.
 */
import type { Config } from '../config/config.ts';
import type { Mta } from './mta.ts';
import type { Probe } from './probe.ts';
import type { ServerFacts } from './resolver.ts';
import type { SocketFile } from './socket-file.ts';
import type { StateFile } from './state-file.ts';

/** The options that concern the MTA and the resolver. */
export type RunningOptions = Pick<
  Config,
  | 'listen'
  | 'applyAt'
  | 'deadline'
  | 'ourName'
  | 'ourAddress'
  | 'trust'
  | 'exemptDaemon'
  | 'dnsTimeout'
  | 'dnsZone'
  | 'noAuthResults'
  | 'user'
  | 'store'
  | 'observe'
>;

export interface Facts {
  readonly options: RunningOptions;
  /** The configuration file that they come from, apart from flags and environment. */
  readonly optionsFile?: string | null;
  readonly mta: Mta | null;
  /** Why there is none although there should be. */
  readonly mtaFault?: string | undefined;
  /** The unix sockets of `--listen`, as files. */
  readonly socketFiles: readonly SocketFile[];
  /** That of `--regulars-file`; null if there is none. */
  readonly regularsFile?: StateFile | null;
  /** Why the store of the farm does not work; null if it does, or there is none. */
  readonly storeAilment?: string | null;
  readonly probes: readonly Probe[];
  /** One per name server, in the order in which they are asked. */
  readonly servers: readonly ServerFacts[] | null;
  /**
   * What was found at the usual place on this host, if none of those servers is there; null if it was not
   * asked.
   */
  readonly local?: ServerFacts | null;
}

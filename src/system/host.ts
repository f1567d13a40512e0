import type { NodeBuild } from './node-support.ts';

/** What the service needs from its process and the system. The real one is in main.ts. */
export interface Host {
  readonly pid: number;
  readonly node: NodeBuild;
  /**
   * What os-release(5) calls the system, such as `Debian GNU/Linux 13 (trixie)`; empty if it says nothing.
   */
  readonly systemName: () => string;
  /** How many files the process may open; Infinity if the system does not say. */
  readonly openFiles: () => number;
  /** The file that was started. */
  readonly script: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** CLOCK_MONOTONIC, in nanoseconds. */
  readonly monotonic: () => bigint;
  /** Whether a process with this id exists, whoever owns it. */
  readonly isAlive: (pid: number) => boolean;
  readonly identity: ProcessIdentity;
}

/**
 * Which user the process runs as, and how it becomes another. All but the first throw if it is not permitted.
 */
export interface ProcessIdentity {
  /** Ids of user and group, real and effective, and of all further groups. */
  current(): Ids;
  setGroups(groups: readonly number[]): void;
  /** The groups of this user in the system's list, and this one. */
  initGroups(user: string, gid: number): void;
  setGid(gid: number): void;
  setUid(uid: number): void;
}

export interface Ids {
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  readonly groups: readonly number[];
}

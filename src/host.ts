/** What the service needs of the process it is and of the system below it. The real one is in cli.ts. */
export interface Host {
  readonly pid: number;
  /** Such as `v24.1.0`. */
  readonly nodeVersion: string;
  /** The file that was started. */
  readonly script: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** CLOCK_MONOTONIC, in nanoseconds. */
  readonly monotonic: () => bigint;
  /** Whether there is a process with this id, whoever owns it. */
  readonly isAlive: (pid: number) => boolean;
  readonly identity: ProcessIdentity;
}

/** Who the process is, and how it becomes somebody else. All but the first throw where it is not permitted. */
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

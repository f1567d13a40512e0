/**
 * Tells systemd the state of the service (sd_notify(3)). Node cannot send a datagram to a unix socket, so
 * each message is sent by systemd-notify(1), a process of a few milliseconds for which the unit needs
 * NotifyAccess=all. If systemd has opened its socket for us (`OpenFile=/run/systemd/notify:notify`, from
 * version 253 on), we write to that instead.
 */
import { execFile } from 'node:child_process';
import { write } from 'node:fs';
import { promisify } from 'node:util';
import type { Host } from '../host.ts';

/** Sends one message of `NAME=value` assignments. */
export type Send = (assignments: readonly string[]) => Promise<void>;

/** The name under which `OpenFile=` must hand the socket over. */
export const NOTIFY_FD = 'notify';

/** systemd-notify waits until its message has been taken, for at most 5 s. */
const TIMEOUT_MS = 10_000;

/**
 * How to reach systemd; null if it does not want to hear from us. `fd` is the open socket, if there is one.
 */
export function senderOf({ environment }: Pick<Host, 'environment'>, fd: number | null): Send | null {
  const socket = environment['NOTIFY_SOCKET'];
  if (fd !== null) {
    return async (assignments) => {
      await promisify(write)(fd, assignments.join('\n'));
    };
  }
  if (socket === undefined || socket === '') return null;
  const env = { PATH: environment['PATH'] ?? '/usr/bin:/bin', NOTIFY_SOCKET: socket };
  return async (assignments) => {
    await promisify(execFile)('systemd-notify', [...assignments], { env, timeout: TIMEOUT_MS });
  };
}

export interface NotifierOptions {
  readonly send: Send | null;
  /** CLOCK_MONOTONIC, in nanoseconds. */
  readonly monotonic: () => bigint;
  /** Called when a message could not be sent; once, until one goes through again. */
  readonly onError: (error: unknown) => void;
}

/** Sends the messages one after the other. None of the methods waits or throws. */
export class Notifier {
  readonly #options: NotifierOptions;
  #last: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** The service is ready, for the first time or after a reload. */
  ready(status: string): void {
    this.#tell('READY=1', `STATUS=${status}`);
  }

  /** The service is reading its files again; `ready` must follow. */
  reloading(): void {
    // By this time systemd recognizes the reload that it asked for.
    this.#tell(
      'RELOADING=1',
      `MONOTONIC_USEC=${this.#options.monotonic() / 1000n}`,
      'STATUS=reads its files again',
    );
  }

  /**
   * The service is stopping and may take this long; otherwise systemd would kill it after `TimeoutStopSec=`.
   */
  stopping(status: string, forMs: number): void {
    this.#tell('STOPPING=1', `EXTEND_TIMEOUT_USEC=${Math.ceil(forMs * 1000)}`, `STATUS=${status}`);
  }

  /** All is well; must be sent more often than every `WatchdogSec=`. */
  alive(status: string): void {
    this.#tell('WATCHDOG=1', `STATUS=${status}`);
  }

  /** Something is wrong. */
  status(status: string): void {
    this.#tell(`STATUS=${status}`);
  }

  /** Resolves when all has been sent. */
  sent(): Promise<void> {
    return this.#last;
  }

  #tell(...assignments: string[]): void {
    const { send, onError } = this.#options;
    if (send === null) return;
    // A line feed would begin another assignment.
    const lines = assignments.map((each) => each.replaceAll(/[\r\n]+/g, ' '));
    this.#last = this.#last
      .then(() => send(lines))
      .then(
        () => {
          this.#failing = false;
        },
        (error: unknown) => {
          if (!this.#failing) onError(error);
          this.#failing = true;
        },
      );
  }
}

import type { Host } from '../system/host.ts';
import type { Screen } from './paint.ts';

/** What a command may use of its surroundings, so that no command touches the process itself. */
export interface Terminal {
  readonly host: Host;
  write(text: string): void;
  writeError(text: string): void;
  /** Writes lines of the log, in order with `write`. `done` is called once they are written, or cannot be. */
  writeLog(bytes: Buffer, done: (error: Error | null) => void): void;
  /** The log goes to the journal of systemd. */
  readonly journal: boolean;
  /** `rest` returns the lines that are not being written yet, in case the program has to exit at once. */
  onExit(rest: () => Buffer): void;
  /** Exits although there is output left that can never be written. */
  abandon(): void;
  /** Absent if nobody is looking. */
  readonly screen?: Screen;
  /**
   * Configuration file of the service on this host, whether it exists or not; absent where there can be none.
   */
  readonly standardConfig?: string;
  /** Standard input. */
  readonly input?: AsyncIterable<Buffer | string>;
  /**
   * Resolves to the reason when the operator wants the program to stop; a second call waits for the second
   * request.
   */
  untilStopped(): Promise<string>;
  /** Called when the operator wants files read again. */
  onReload(listener: () => void): void;
  /** Called when log files have been moved away. */
  onReopen(listener: () => void): void;
  /** Called for unforeseen faults; with a listener they do not end the program. */
  onFault(listener: (event: string, error: unknown) => void): void;
}

import type { Host } from '../system/host.ts';
import type { Screen } from './paint.ts';

/** What a command may ask of its surroundings, so that none of them touches the process itself. */
export interface Terminal {
  readonly host: Host;
  write(text: string): void;
  writeError(text: string): void;
  /** Writes lines of the log, in order with `write`. `done` is called once they have left, or cannot. */
  writeLog(bytes: Buffer, done: (error: Error | null) => void): void;
  /** The log goes to the journal of systemd. */
  readonly journal: boolean;
  /** Asked for lines that nobody has begun to write, should the program have to end at once. */
  onExit(rest: () => Buffer): void;
  /** Ends the program though output has not left, and never will. */
  abandon(): void;
  /** Absent where nobody looks. */
  readonly screen?: Screen;
  /** Configuration file of the service on this host, be it there or not; absent where there can be none. */
  readonly standardConfig?: string;
  /** Standard input. */
  readonly input?: AsyncIterable<Buffer | string>;
  /** Resolves to the reason when the operator wants the program to stop; asked again, when it is wanted once more. */
  untilStopped(): Promise<string>;
  /** Hears that the operator wants files read again. */
  onReload(listener: () => void): void;
  /** Hears that log files have been moved away. */
  onReopen(listener: () => void): void;
  /** Hears of faults that nobody foresaw; with a listener they do not end the program. */
  onFault(listener: (event: string, error: unknown) => void): void;
}

/** What a command may ask of its surroundings, so that none of them touches the process itself. */
export interface Terminal {
  write(text: string): void;
  writeError(text: string): void;
  /** Resolves to the reason when the operator wants the program to stop. */
  untilStopped(): Promise<string>;
  /** Hears that the operator wants files read again. */
  onReload(listener: () => void): void;
  /** Hears of faults that nobody foresaw; with a listener they do not end the program. */
  onFault(listener: (event: string, error: unknown) => void): void;
}

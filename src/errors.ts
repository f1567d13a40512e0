/** What the operator got wrong: one sentence, printed on standard error; the program ends with exit code 64 (EX_USAGE). */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly code = 'usage';
  /** What else is wrong, where several faults were found at once. */
  readonly others: readonly UsageError[];

  constructor(message: string, others: readonly UsageError[] = []) {
    super(message);
    this.others = others;
  }
}

/** A fault in the value of one option. Whoever knows where the value was given can say so: `locate` in settings.ts. */
export class OptionError extends UsageError {
  override readonly name = 'OptionError';
  /** As on the command line: `--reject-at`. */
  readonly flag: string;
  readonly problem: string;
  /** The value at fault, or its part before `=`, where there are several; empty for the option as a whole. */
  readonly value: string;

  constructor(flag: string, problem: string, value = '', others: readonly UsageError[] = []) {
    super(`${flag}: ${problem}`, others);
    this.flag = flag;
    this.problem = problem;
    this.value = value;
  }
}

/** A fault in what a file says, which the message begins with. At the start it ends with exit code 78 (EX_CONFIG). */
export class FileError extends UsageError {
  override readonly name = 'FileError';
}

/** An error in one line for a log: those of the system have their code in the message already, ours beside it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

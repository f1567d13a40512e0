/**
 * A mistake of the operator: one sentence, printed on standard error; the program exits with 64 (EX_USAGE).
 */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly code = 'usage';
  /** What else is wrong, if several mistakes were found at once. */
  readonly others: readonly UsageError[];

  constructor(message: string, others: readonly UsageError[] = []) {
    super(message);
    this.others = others;
  }

  /** The same mistake, together with these others. */
  beside(others: readonly UsageError[]): UsageError {
    return new UsageError(this.message, others);
  }
}

/**
 * A mistake in the value of one option. `locate` in config/given.ts adds the place where the value was given.
 */
export class OptionError extends UsageError {
  override readonly name = 'OptionError';
  /** As on the command line: `--reject-at`. */
  readonly flag: string;
  readonly problem: string;
  /** If there are several values, the wrong one, or its part before `=`; empty for the option as a whole. */
  readonly value: string;

  constructor(flag: string, problem: string, value = '', others: readonly UsageError[] = []) {
    super(`${flag}: ${problem}`, others);
    this.flag = flag;
    this.problem = problem;
    this.value = value;
  }

  override beside(others: readonly UsageError[]): OptionError {
    return new OptionError(this.flag, this.problem, this.value, others);
  }
}

/**
 * A mistake in the contents of a file, whose name begins the message. At the start the program exits with 78
 * (EX_CONFIG).
 */
export class FileError extends UsageError {
  override readonly name = 'FileError';

  override beside(others: readonly UsageError[]): FileError {
    return new FileError(this.message, others);
  }
}

/**
 * Mistakes collected while the work goes on, so that an operator hears of all of them at once, not one per
 * run.
 */
export class Faults {
  readonly #found = new Map<string, UsageError>();
  readonly #told: (fault: UsageError) => UsageError;

  /** `told` is applied to each fault that is added, and gives the one to report. */
  constructor(told: (fault: UsageError) => UsageError = (fault) => fault) {
    this.#told = told;
  }

  /** In the order in which they were found, without duplicates. */
  get all(): readonly UsageError[] {
    return [...this.#found.values()];
  }

  /** Adds a fault and those that it carries. Throws anything that is not a UsageError. */
  add(error: unknown): void {
    if (!(error instanceof UsageError)) throw error;
    const fault = this.#told(error);
    for (const each of [fault, ...fault.others]) {
      if (!this.#found.has(each.message)) this.#found.set(each.message, each.beside([]));
    }
  }

  /** The result of the work; null if it throws a UsageError, which is kept. */
  try<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      this.add(error);
      return null;
    }
  }

  /** As `try`, for asynchronous work. */
  async attempt<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.add(error);
      return null;
    }
  }

  /** Throws the first one, which then carries the others, if there is any. */
  throwAny(): void {
    const [first, ...others] = this.all;
    if (first !== undefined) throw first.beside(others);
  }
}

/** The result of the work if it met no fault; else throws the first one, which carries the others. */
export function soundly<T>(work: (faults: Faults) => T): T {
  const faults = new Faults();
  const made = work(faults);
  faults.throwAny();
  return made;
}

/** What the file system says of a file, as a person would: `/a/b: no such file or directory`. */
export function fileFault(file: string, error: unknown): string {
  return `${file}: ${describeError(error).replace(/^E[A-Z]+: (.*?)(?:, \w+(?: '.*')?)?$/s, '$1')}`;
}

/** An error as one line for a log, with its code: system errors already have it in the message. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Of a program that was run, `code` is its exit code, or null where a signal ended it.
  const { code, signal } = error as {
    readonly code?: string | number | null;
    readonly signal?: string | null;
  };
  const more = code ?? signal ?? null;
  const message = error.message.trimEnd();
  return more === null || message.includes(String(more)) ? message : `${message} (${more})`;
}

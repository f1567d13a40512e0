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

  /** The same fault, told together with these others. */
  beside(others: readonly UsageError[]): UsageError {
    return new UsageError(this.message, others);
  }
}

/** A fault in the value of one option. Whoever knows where the value was given can say so: `locate` in config/given.ts. */
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

  override beside(others: readonly UsageError[]): OptionError {
    return new OptionError(this.flag, this.problem, this.value, others);
  }
}

/** A fault in what a file says, which the message begins with. At the start it ends with exit code 78 (EX_CONFIG). */
export class FileError extends UsageError {
  override readonly name = 'FileError';

  override beside(others: readonly UsageError[]): FileError {
    return new FileError(this.message, others);
  }
}

/** Faults gathered while the work goes on, so that an operator is told of all of them at once and not of one a run. */
export class Faults {
  readonly #found = new Map<string, UsageError>();
  readonly #told: (fault: UsageError) => UsageError;

  /** `told` makes of a fault, where it is added, what is to be said of it. */
  constructor(told: (fault: UsageError) => UsageError = (fault) => fault) {
    this.#told = told;
  }

  /** In the order in which they were found; none twice. */
  get all(): readonly UsageError[] {
    return [...this.#found.values()];
  }

  /** Takes a fault with those beside it. Throws what is no UsageError. */
  add(error: unknown): void {
    if (!(error instanceof UsageError)) throw error;
    const fault = this.#told(error);
    for (const each of [fault, ...fault.others]) {
      if (!this.#found.has(each.message)) this.#found.set(each.message, each.beside([]));
    }
  }

  /** What the work gives; null where it throws a UsageError, which is kept. */
  try<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      this.add(error);
      return null;
    }
  }

  /** As `try`, for work that takes its time. */
  async attempt<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.add(error);
      return null;
    }
  }

  /** Throws the first with the others beside it, if there are any. */
  throwAny(): void {
    const [first, ...others] = this.all;
    if (first !== undefined) throw first.beside(others);
  }
}

/** What the work gives, if it met no fault; else throws the first with the others beside it. */
export function soundly<T>(work: (faults: Faults) => T): T {
  const faults = new Faults();
  const made = work(faults);
  faults.throwAny();
  return made;
}

/** An error in one line for a log: those of the system have their code in the message already, ours beside it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

/** What the operator got wrong: one sentence, printed on standard error; the program ends with exit code 64 (EX_USAGE). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

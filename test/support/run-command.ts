/** A command line of the program, as an operator types it, run to its end. */
import { runCommandLine } from '../../src/commands/command-line.ts';
import type { Terminal } from '../../src/commands/terminal.ts';
import { fakeTerminal } from './terminal.ts';

export interface Told {
  readonly code: number;
  /** What it printed. */
  readonly out: string;
  /** What it said on standard error. */
  readonly err: string;
}

/** `wanted` is what the terminal has beside what is printed on it. */
export async function runCommand(
  args: readonly string[],
  {
    environment = {},
    wanted = {},
  }: { environment?: Readonly<Record<string, string>>; wanted?: Partial<Terminal> } = {},
): Promise<Told> {
  const told = { out: '', err: '' };
  const terminal = fakeTerminal({
    ...wanted,
    write: (text) => (told.out += text),
    writeError: (text) => (told.err += text),
  });
  return { code: await runCommandLine(args, '1.2.3', terminal, environment), ...told };
}

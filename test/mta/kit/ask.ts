/** Asks another project's tool, and shows what it said in the output of the tests. */
import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { feed } from '../../support/quietly.ts';

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

/** The end of its output is enough to see which tool it was. */
const MAX_LINES = 6;

/** Rejects if the tool fails. */
export async function ask(
  command: string,
  args: readonly string[],
  { input, env }: { readonly input?: string | undefined; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Said> {
  const asking = promisify(execFile)(command, args, { env: { ...process.env, ...env } });
  if (input !== undefined) feed(asking.child.stdin, input);
  const said = await asking;
  const lines = `${said.stdout}${said.stderr}`.trimEnd().split('\n');
  const shown = lines.length > MAX_LINES ? ['...', ...lines.slice(-MAX_LINES)] : lines;
  const words = [command, ...args.map((arg) => (arg.startsWith('/') ? basename(arg) : arg))];
  process.stdout.write(`\n$ ${words.join(' ')}\n${shown.join('\n')}\n`);
  return said;
}

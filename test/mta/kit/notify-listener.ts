/**
 * The other end of NOTIFY_SOCKET: Node has no datagrams over unix sockets, so this is a script in another
 * language.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('notify-listener.py', import.meta.url));

export interface NotifyListener {
  /** The value of NOTIFY_SOCKET. */
  readonly path: string;
  /** The messages so far, without barriers: the assignments of each. */
  readonly messages: readonly (readonly string[])[];
  /** Also ends the program, if there is one. */
  stop(): void;
}

/** `program` is started with the socket open, instead of being told its name. */
export async function listenForNotices(
  workdir: string,
  program: readonly string[] = [],
): Promise<NotifyListener> {
  const path = join(workdir, `notify-${Date.now()}`);
  const child = spawn('python3', [SCRIPT, path, ...program], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const messages: string[][] = [];
  let pending = '';
  let started = -1;
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      pending += chunk.toString();
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        // A program shares our output.
        if (!line.startsWith('[')) continue;
        const message = JSON.parse(line) as string[];
        if (message[0] === 'listening') {
          started = Number(message[1]);
          resolve();
        } else if (message[0] !== 'BARRIER=1') messages.push(message);
      }
    });
  });
  return {
    path,
    messages,
    stop: () => {
      child.kill('SIGKILL');
      if (started > 0) process.kill(started, 'SIGKILL');
    },
  };
}

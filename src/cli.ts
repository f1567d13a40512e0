#!/usr/bin/env -S node --max-semi-space-size=1
/**
 * The entry: the only file that touches `process`.
 *
 * Sessions leave little behind that lives on: a small young generation saves memory and a tenth of the CPU, see bench/.
 */
import { readFileSync } from 'node:fs';
import { runCommandLine } from './command-line.ts';
import type { Terminal } from './commands/terminal.ts';

const terminal: Terminal = {
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  untilStopped: () =>
    new Promise((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    }),
  onReload: (listener) => {
    process.on('SIGHUP', listener);
  },
  onFault: (listener) => {
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (error: unknown) => {
        listener(event, error);
      });
    }
  },
};

// Whoever read our output may be gone; the mail goes on.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
process.exitCode = await runCommandLine(process.argv.slice(2), version, terminal);

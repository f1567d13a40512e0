/**
 * A terminal for tests: it says nothing, hears nothing and stops at once, except for what the test replaces.
 */
import type { Terminal } from '../../src/commands/terminal.ts';
import { makeHost } from './host.ts';

export function fakeTerminal(wanted: Partial<Terminal> = {}): Terminal {
  const write = wanted.write ?? ((): void => undefined);
  return {
    host: makeHost(),
    write,
    writeError: () => undefined,
    writeLog: (bytes, done) => {
      write(bytes.toString());
      done(null);
    },
    journal: false,
    onExit: () => undefined,
    abandon: () => undefined,
    untilStopped: () => Promise.resolve('the test'),
    onReload: () => undefined,
    onReopen: () => undefined,
    onFault: () => undefined,
    ...wanted,
  };
}

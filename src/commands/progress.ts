/** One line on standard error that says what is going on, if that is a terminal; it is erased at the end. */
import type { Terminal } from './terminal.ts';

export interface Progress {
  show(text: string): void;
  done(): void;
}

/** Back to the start of the line, and erase it (ECMA-48 §8.3.41). */
const ERASE = '\r\x1b[K';

export function makeProgress(terminal: Terminal): Progress {
  const columns = terminal.screen?.columns ?? null;
  if (columns === null) return { show: () => undefined, done: () => undefined };
  return {
    // The last column stays free: a full line would wrap and could not be erased.
    show: (text) => {
      terminal.writeError(`${ERASE}${text.slice(0, Math.max(0, columns - 1))}`);
    },
    done: () => {
      terminal.writeError(ERASE);
    },
  };
}

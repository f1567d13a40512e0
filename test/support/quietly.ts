/** Sockets and pipes to somebody who may be gone before all is written, which is no fault of the test. */
import type { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';

/** The same, with nobody troubled by EPIPE or ECONNRESET: what came of it is seen elsewhere. */
export function quietly<T extends EventEmitter>(stream: T): T {
  stream.on('error', () => undefined);
  return stream;
}

/** Gives a program its whole input, as much of it as the program reads. */
export function feed(stdin: Writable | null, input: string): void {
  if (stdin !== null) quietly(stdin).end(input);
}

/** The arguments of a session's callbacks, without a connection. */
import type { ConnectInfo, Envelope, MilterContext } from '../../src/milter/index.ts';
import { Message } from '../../src/milter/message.ts';

/** An MTA that has sent these macros and allows the actions `granted`. */
export function context(
  macros: Readonly<Record<string, string>> = {},
  granted: readonly string[] = ['addHeaders', 'changeHeaders'],
): MilterContext {
  return { version: 6, macro: (name) => macros[name], granted: (action) => granted.includes(action) };
}

export function client(address: string): ConnectInfo {
  return { hostname: `[${address}]`, family: 'inet', address, port: 25 };
}

export function envelope(address: string): Envelope {
  return { raw: `<${address}>`, address, args: [] };
}

/** A message whose header may be changed; `changes` records what was done to it. */
export class RecordedMessage extends Message {
  readonly changes: string[] = [];

  constructor() {
    super(0x1ff, () => undefined);
  }

  override insertHeader(index: number, name: string, value: string): void {
    super.insertHeader(index, name, value);
    this.changes.push(`insert ${index} ${name}: ${value}`);
  }

  override changeHeader(index: number, name: string, value: string | null): void {
    super.changeHeader(index, name, value);
    this.changes.push(`${value === null ? 'remove' : 'change'} ${index} ${name}`);
  }
}

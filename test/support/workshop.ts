/** The parts of a service that listens nowhere, by the options of its flags. */
import { type Config, readConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/log/log.ts';
import type { Workshop } from '../../src/service/assembly.ts';
import { Live, prepare, type InForce } from '../../src/service/live.ts';

/** By the keys of the option table; `''` turns a switch on. */
export type Given = Readonly<Record<string, string | readonly string[]>>;

/** By default no real name server is asked. */
export function configOf(given: Given = {}): Config {
  return readConfig(new Map(Object.entries(given).map(([key, value]) => [key, [value].flat()])));
}

export function prepared(given: Given = {}): Promise<InForce> {
  return prepare(configOf(given), () => undefined);
}

/** `lines` gets the log. */
export async function workshop(given: Given = {}): Promise<Workshop & { readonly lines: string[] }> {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line.trimEnd()));
  return { live: new Live(await prepared(given)), log, metrics: null, store: null, now: () => 0, lines };
}

/** Every option of the table is read by something. `service-reload.test.ts` shows what each changes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPair } from '../../src/commands/check.ts';
import { serve } from '../../src/commands/serve.ts';
import { ConfigSource } from '../../src/config/source.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import { ROWS } from '../../src/config/options.ts';
import { deliver, MilterClient } from '../../src/milter/index.ts';
import { fakeTerminal } from '../support/terminal.ts';

/** The keys that are read. Taking all of them at once proves nothing, so it is not allowed. */
function recording(config: Config, read: Set<string>): Config {
  return new Proxy(config, {
    get: (target, key) => {
      // Whatever is awaited is asked for `then`, to see whether it is a promise.
      if (key !== 'then') read.add(String(key));
      return Reflect.get(target, key) as unknown;
    },
    ownKeys: () => {
      throw new Error('the Config was taken as a whole');
    },
  });
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'read-'));
  writeFileSync(join(directory, 'zone'), 'mail.sender.org. A 198.51.100.7\n');
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Sessions of the host itself, of a stranger, and of a client that is tempfailed. */
async function sessions(port: number): Promise<void> {
  for (const [ip, helo] of [
    ['198.51.100.7', 'mail.sender.org'],
    ['203.0.113.5', 'mail.sender.org'],
    ['203.0.113.5', 'gone.sender.org'],
  ] as const) {
    const client = await MilterClient.open(`inet:127.0.0.1:${port}`);
    await client.connect(ip);
    await client.helo(helo);
    await deliver(client, { sender: 's@sender.org', recipients: ['u@dest.test'] });
    client.close();
  }
}

async function served(texts: ReadonlyMap<string, readonly string[]>, read: Set<string>): Promise<void> {
  const source = new ConfigSource(texts);
  const config = await source.read();
  source.read = () => Promise.resolve(recording(config, read));
  let out = '';
  let asked = 0;
  const terminal = fakeTerminal({
    write: (text) => (out += text),
    untilStopped: async () => {
      if (asked++ > 0) return new Promise(() => undefined);
      await sessions(Number(/listens on inet:127\.0\.0\.1:(\d+)/.exec(out)?.[1]));
      return 'the test';
    },
  });
  await serve(source, '1', terminal);
}

describe('every option', () => {
  const read = new Set<string>();
  beforeAll(async () => {
    const zone: [string, string[]] = ['dnsZone', [join(directory, 'zone')]];
    const zero = '127.0.0.1:0';
    await served(
      new Map([zone, ['listen', [`inet:${zero}`]], ['http', [zero]], ['regulars', ['1/1']]]),
      read,
    );
    await checkPair(
      {
        ip: '198.51.100.7',
        helo: 'mail.sender.org',
        recipient: null,
        config: recording(readConfig(new Map([zone])), read),
      },
      { json: false, colour: false },
    );
  });

  it.each(ROWS.map(([key]) => key))('%s is read', (key) => {
    expect(
      [...read],
      `nothing reads the option "${key}": let something read it, or take its row out of src/config/options.ts`,
    ).toContain(key);
  });

  it('is what is read: nothing asks for one that the table does not have', () => {
    const known = new Set<string>(ROWS.map(([key]) => key));
    expect([...read].filter((key) => !known.has(key))).toEqual([]);
  });

  it('taken all at once would not count', () => {
    expect(() => ({ ...recording(readConfig(new Map()), new Set()) })).toThrow(/as a whole/);
  });
});

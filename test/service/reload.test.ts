/** A reload succeeds as a whole or not at all, and tells its outcome in one line. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { Faults, UsageError } from '../../src/errors.ts';
import { assemble } from '../../src/service/assembly.ts';
import { oneAtATime, reloader } from '../../src/service/reload.ts';
import { configOf, type Given, workshop } from '../support/workshop.ts';

const SERVER = { dnsServer: '192.0.2.1' };

/** The log after a reload that reads this, and what is in force then. */
async function reloaded(read: () => Config): Promise<{ lines: string[]; config: Config }> {
  const shop = await workshop(SERVER);
  const parts = assemble(shop, () => undefined);
  const source = { read: () => Promise.resolve().then(read), locate: (error: unknown) => error };
  await reloader({ ...shop, ...parts, source, onExpired: () => undefined, mask: null })();
  return { lines: shop.lines, config: shop.live.config };
}

describe('reloader', () => {
  it.each<[Given, string[], Partial<Config>]>([
    [{}, ['reloaded'], {}],
    [{ policy: 'strict', rejectAt: '12' }, ['reloaded changed=policy,reject-at'], { rejectAt: 12 }],
    [
      { logFormat: 'json', logLevel: 'error' },
      [
        'reloaded changed=log-level',
        'warning reload options=log-format effect="they stay as they are until the program is started again"',
      ],
      { logFormat: 'kv', logLevel: 'error' },
    ],
  ])('%j', async (given, lines, config) => {
    const after = await reloaded(() => configOf({ ...SERVER, ...given }));
    expect(after.lines).toEqual(lines);
    expect(after.config).toMatchObject(config);
  });

  it.each([
    ['one', ['a:1: bad'], 'a:1: bad'],
    ['two', ['a:1: bad', 'a:2: bad'], 'a:1: bad; a:2: bad'],
    [
      'thousands',
      Array.from({ length: 3000 }, (_, i) => `a:${i}: x`),
      `${Array.from({ length: 25 }, (_, i) => `a:${i}: x`).join('; ')}; and 2975 more, see --check-config`,
    ],
    [
      'more long ones than a line takes',
      Array.from({ length: 9 }, (_, i) => `${'x'.repeat(99)}${i}`),
      `${'x'.repeat(99)}0; ${'x'.repeat(99)}1; and 7 more, see --check-config`,
    ],
    ['a very long first one', ['x'.repeat(500), 'y'], `${'x'.repeat(224)}; and 1 more, see --check-config`],
  ])('%s: says what is wrong in one line, and changes nothing', async (_, mistakes, detail) => {
    const after = await reloaded(() => {
      const faults = new Faults();
      for (const mistake of mistakes) faults.add(new UsageError(mistake));
      faults.throwAny();
      return configOf({ policy: 'strict' });
    });
    expect(after.lines).toEqual([`error reload detail="${detail}" effect="what was read before stays"`]);
    expect(after.config).toMatchObject({ policy: 'rfc5321' });
  });
});

describe('oneAtATime', () => {
  it('runs once more for all who ask meanwhile', async () => {
    let running = 0;
    let runs = 0;
    const run = oneAtATime(async () => {
      expect(++running).toBe(1);
      runs++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    });
    await Promise.all([run(), run(), run(), run()]);
    expect(runs).toBe(2);
    await run();
    expect(runs).toBe(3);
  });

  it('goes on after a failure', async () => {
    let runs = 0;
    const run = oneAtATime(() => (++runs === 1 ? Promise.reject(new Error('boom')) : Promise.resolve()));
    const [first, second] = await Promise.allSettled([run(), run()]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
    expect(runs).toBe(2);
  });
});

/** The store of a farm on a real Redis: what hosts share over it, and what becomes of mail when it is ill. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { assess } from '../../src/core/assess.ts';
import { networksOf } from '../../src/core/client-networks.ts';
import { checks } from '../../src/core/checks/index.ts';
import { SHARED } from '../../src/config/store-address.ts';
import { makeClient } from '../../src/core/client.ts';
import { MilterClient } from '../../src/milter/index.ts';
import { Regulars } from '../../src/state/regulars.ts';
import { keyMaker } from '../../src/store/key.ts';
import { probeStore, RedisStore, type RedisStoreOptions } from '../../src/store/redis-store.ts';
import { SharedKnowledge } from '../../src/store/shared-knowledge.ts';
import { blocksOf } from '../support/documented.ts';
import { answers, farmHost, type FarmMessage, SENDER_COUNT } from '../support/farm.ts';
import { ZONE } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';
import { type Between, passOn } from './kit/between.ts';
import { askMilter, mailMilter } from './kit/milter-client.ts';
import { greets } from './kit/mta.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { OURS, type Program, startProgram } from './kit/program.ts';
import { type Redis, startRedis } from './kit/redis.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { freePort, freePorts, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER, STRANGER } from './scenarios.ts';

const run = promisify(execFile);
const PASSWORD = 'not-a-real-one';
const PAGE = readFileSync(new URL('../../docs/farm.md', import.meta.url), 'utf8');
/** The rights that the page gives the user, word for word. */
const ACL = /^user helo on .*$/m.exec(PAGE)?.[0] ?? '';
const PATIENCE = { timeout: 30_000, interval: 50 };

/** A host of the farm, and where it tells how it is. */
interface Host {
  readonly program: Program;
  readonly ready: () => Promise<string>;
  /** How many questions it has asked of the store. */
  readonly asked: () => Promise<number>;
}

describeWith(['postfix', 'nsd', 'redis-server', 'openssl', 'own network'], 'the store of a farm', () => {
  let workdir: string;
  let nsd: Nsd;
  let port: number;
  let redis: Redis;
  /** A way to it on which answers can be late. */
  let between: Between;
  let passwordFile: string;
  const open: (() => unknown)[] = [];
  /** Two hosts for all tests that leave them sound. */
  let pair: Promise<readonly [Host, Host]> | undefined;
  const lines = [ACL.replace('PASSWORD', PASSWORD)];

  beforeAll(async () => {
    workdir = makeWorkdir();
    // What /readyz asks for is there too.
    nsd = await startNsd(workdir, { ...ZONES, arpa: '' });
    port = await freePort();
    redis = await startRedis(workdir, port, lines);
    between = await passOn(port);
    passwordFile = join(workdir, 'password');
    writeFileSync(passwordFile, `${PASSWORD}\n`);
  });
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
    await redis.say('flushall');
  });
  afterAll(async () => {
    for (const { program } of (await pair) ?? []) await program.stop();
    between.stop();
    await redis.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  /** A connection of a host, once it is there. Patient, since the machine may be busy. */
  async function connected(options: Partial<RedisStoreOptions['access']> = {}): Promise<RedisStore> {
    const store = new RedisStore({
      access: {
        place: { kind: 'tcp', host: '127.0.0.1', port },
        tls: false,
        ca: null,
        user: 'helo',
        password: PASSWORD,
        database: 0,
        ...options,
      },
      prefix: 'helo-milter',
      timeoutMs: 10_000,
      now: () => performance.now(),
      onChange: () => undefined,
    });
    store.start();
    open.push(() => {
      store.close();
    });
    await vi.waitFor(() => {
      expect(store.ailment).toBeNull();
    }, PATIENCE);
    return store;
  }

  const url = (): string => `redis://helo@127.0.0.1:${port}`;

  async function lastingHost(...args: string[]): Promise<Host> {
    const http = `127.0.0.1:${await freePort()}`;
    const program = await startProgram([
      ...['--dns-server', nsd.server, '--tempfail-limit', '2/0s', '--store-timeout', '300ms'],
      ...['--http', http, '--store', url(), '--store-password-file', passwordFile],
      ...args,
    ]);
    const ready = async (): Promise<string> => (await fetch(`http://${http}/readyz`)).text();
    const asked = async (): Promise<number> => {
      const metrics = await (await fetch(`http://${http}/metrics`)).text();
      const calls = [...metrics.matchAll(/^helo_milter_store_calls_total\{.*\} (\d+)$/gm)];
      return calls.reduce((sum, [, count]) => sum + Number(count), 0);
    };
    return { program, ready, asked };
  }

  async function host(...args: string[]): Promise<Host> {
    const made = await lastingHost(...args);
    open.push(() => made.program.stop());
    return made;
  }

  /** The two that last. Each test has a sender of its own with them, since they remember those before. */
  async function lastingPair(): Promise<readonly [Host, Host]> {
    pair ??= Promise.all([lastingHost(), lastingHost()]);
    const both = await pair;
    await Promise.all(both.map(works));
    return both;
  }

  const works = ({ ready }: Host): Promise<unknown> =>
    vi.waitFor(async () => {
      expect(await ready()).toBe('ok\n');
    }, PATIENCE);
  const isAlone = ({ ready }: Host): Promise<unknown> =>
    vi.waitFor(async () => {
      expect(await ready()).toMatch(/^degraded: without the store/);
    }, PATIENCE);
  /** One that is tempfailed twice, and then let in. */
  const ask = async ({ program }: Host, helo = 'gone.strange.org'): Promise<string> =>
    (await askMilter(program.socket, helo, SENDER)).slice(0, 3);

  it('the budgets of n hosts equal those of one host', async () => {
    const hosts = [await connected(), await connected({ database: 0 }), await connected()];
    const message: fc.Arbitrary<FarmMessage> = fc.record({
      host: fc.nat(hosts.length - 1),
      sender: fc.nat(SENDER_COUNT - 1),
      counted: fc.constantFrom('tempfail', 'tempfail', 'ramp', 'stream'),
      after: fc.constant(0),
    });
    // The clock is the server's, so ages that do not depend on it: nothing is old enough, or everything.
    const age = fc.constantFrom(0, 86_400_000);
    await fc.assert(
      fc.asyncProperty(age, fc.array(message, { minLength: 30, maxLength: 40 }), async (ageMs, messages) => {
        await redis.say('flushall');
        const limits = {
          tempfail: { count: 2, ageMs },
          ramp: { count: 2, ageMs },
          stream: { count: 3, ageMs: 86_400_000 },
        };
        const farm = hosts.map((store) => farmHost(store, limits, () => 1e9));
        const one = farmHost(null, limits, () => 1e9);
        const together = await answers(messages, (which) => farm[which] ?? one);
        expect(together).toEqual(await answers(messages, () => one));
      }),
      // Another try of what failed would go on for minutes, and empty the store under the tests that follow.
      { numRuns: 5, endOnFailure: true },
    );
    expect(hosts.map(({ invalid }) => invalid)).toEqual([0, 0, 0]);
    expect(hosts.map(({ calls }) => calls.get('error'))).toEqual([0, 0, 0]);
  });

  it('asked at the same time, n hosts give no more tempfails than one', async () => {
    const hosts = await Promise.all([connected(), connected(), connected()]);
    const limit = { count: 5, ageMs: 0 };
    const farm = hosts.map((store) =>
      farmHost(store, { tempfail: limit, ramp: limit, stream: limit }, () => 1e9),
    );
    const message: FarmMessage = { host: 0, sender: 0, counted: 'tempfail', after: 0 };
    const told = await Promise.all(
      Array.from({ length: 60 }, (_, i) => answers([message], () => farm[i % farm.length] ?? expect.fail())),
    );
    expect(told.flat().filter((within) => within)).toHaveLength(5);
  });

  it('counts by the clock of the server', async () => {
    const [a, b] = [await connected(), await connected()];
    const limit = { count: 1, ageMs: 1000 };
    const limits = { tempfail: limit, ramp: limit, stream: limit };
    // The clocks of the hosts are years apart, and stand still.
    const [mx1, mx2] = [farmHost(a, limits, () => 0), farmHost(b, limits, () => 1e11)];
    const message = { sender: 0, after: 0, host: 0 } as const;
    for (const counted of ['tempfail', 'stream'] as const)
      await answers([{ ...message, counted }], () => mx1);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(await answers([{ ...message, counted: 'tempfail' }], () => mx2)).toEqual([false]);
    expect(await answers([{ ...message, counted: 'stream' }], () => mx2)).toEqual([true]);
  });

  const NOW = 20_000 * 86_400_000;
  function knowledge(store: RedisStore, version = '1'): { shared: SharedKnowledge; regulars: Regulars } {
    const regulars = new Regulars(
      () => ({ messages: 2, days: 1 }),
      () => ({ 4: 32, 6: 64 }),
      () => Date.now(),
    );
    const shared = new SharedKnowledge({
      store,
      churn: () => ({ windowMs: 600_000, maxNames: 4 }),
      regulars,
      assessing: () => ({ checks, version }),
    });
    return { shared, regulars };
  }
  const IP = parseIp('198.51.100.7') ?? expect.fail();
  const madeOf = (helo: string): ReturnType<typeof assess> =>
    assess(makeClient(IP.text, helo), {
      resolver: zoneResolver(ZONE),
      checks,
      onCheckError: () => undefined,
    });

  it('a client is known to one host as it is to the other', async () => {
    const [a, b] = [await connected(), await connected()];
    const [mx1, mx2] = [knowledge(a), knowledge(b)];
    for (const name of ['a.sender.org', 'b.sender.org', 'b.sender.org'])
      await mx1.shared.meet(IP, name, false);
    expect(await mx2.shared.meet(IP, 'c.sender.org', false)).toMatchObject({ names: 3, isNewName: true });
    mx2.shared.forgetName(IP, 'c.sender.org');
    // Nobody waits for what is only told.
    await vi.waitFor(async () => {
      const known = await mx1.shared.meet(IP, 'a.sender.org', false);
      expect(known).toMatchObject({ names: 2, isNewName: false });
    }, PATIENCE);
    for (const name of 'defghi') await mx1.shared.meet(IP, `${name}.sender.org`, false);
    expect(await mx2.shared.meet(IP, 'a.sender.org', false)).toMatchObject({ names: 4 });
    for (const mx of [mx1, mx2]) {
      mx.regulars.learn(IP, 'mail.sender.org');
      mx.shared.learn(IP, 'mail.sender.org');
    }
    expect(mx1.regulars.has(IP, 'mail.sender.org')).toBe(false);
    await vi.waitFor(async () => {
      await mx1.shared.meet(IP, 'mail.sender.org', false);
      expect(mx1.regulars.has(IP, 'mail.sender.org')).toBe(true);
    }, PATIENCE);
    const made = await madeOf('mail.sender.org');
    mx1.shared.keep(made, 60_000);
    await vi.waitFor(async () => {
      const found = await mx2.shared.meet(IP, 'mail.sender.org', true);
      expect(found?.assessment?.value).toEqual(made);
      expect(found?.assessment?.lifeMs).toBeLessThanOrEqual(60_000);
    }, PATIENCE);
    expect(await mx2.shared.meet(IP, 'other.sender.org', true)).toMatchObject({ assessment: null });
    expect([a.invalid, b.invalid, mx2.shared.invalid]).toEqual([0, 0, 0]);
  });

  it('two versions side by side share what both understand, and ignore the rest', async () => {
    const [a, b] = [await connected(), await connected()];
    const [old, fresh] = [knowledge(a, '1'), knowledge(b, '2')];
    const made = await madeOf('mail.sender.org');
    for (const name of ['a.sender.org', 'mail.sender.org']) await old.shared.meet(IP, name, false);
    old.regulars.learn(IP, 'mail.sender.org');
    old.shared.learn(IP, 'mail.sender.org');
    old.regulars.learn(IP, 'mail.sender.org');
    old.shared.learn(IP, 'mail.sender.org');
    old.shared.keep(made, 60_000);
    const assessments = async (): Promise<number> =>
      (await redis.say('keys', 'helo-milter:1:a:*')).split('\n').filter((name) => name !== '').length;
    await vi.waitFor(async () => {
      expect(await assessments()).toBe(1);
    }, PATIENCE);
    await vi.waitFor(async () => {
      expect(await fresh.shared.meet(IP, 'mail.sender.org', true)).toMatchObject({
        ...{ names: 2, assessment: null },
      });
      expect(fresh.regulars.has(IP, 'mail.sender.org')).toBe(true);
    }, PATIENCE);
    fresh.shared.keep(made, 60_000);
    await vi.waitFor(async () => {
      expect(await assessments()).toBe(2);
    }, PATIENCE);
    const found = await old.shared.meet(IP, 'mail.sender.org', true);
    expect(found?.assessment?.value).toEqual(made);

    // A layout to come may have anything under its names.
    const ours = (await redis.say('keys', 'helo-milter:1:*')).split('\n').filter((name) => name !== '');
    const theirs = ours.map((name) => name.replace(':1:', ':2:'));
    expect(theirs.length).toBeGreaterThan(3);
    for (const name of theirs) await redis.say('rpush', name, 'something', 'else');
    await redis.say('del', ...ours);
    expect(await fresh.shared.meet(IP, 'b.sender.org', true)).toMatchObject({ names: 1, assessment: null });
    for (const name of theirs) expect(await redis.say('lrange', name, '0', '-1')).toBe('something\nelse');
    expect([a.invalid, b.invalid, old.shared.invalid, fresh.shared.invalid]).toEqual([0, 0, 0, 0]);
    expect([a, b].map(({ calls }) => calls.get('error'))).toEqual([0, 0]);
  });

  it('a block has its share of new records, also where its end was lost', async () => {
    const store = await connected();
    const { shared } = knowledge(store);
    const share = keyMaker('helo-milter')('C', networksOf(IP).block);
    const names = async (address: string, name: string): Promise<number | undefined> =>
      (await shared.meet(parseIp(address), name, false))?.names;
    await redis.say('set', share, '4095');
    expect([await names(IP.text, 'a.org'), await names(IP.text, 'b.org')]).toEqual([1, 2]);
    expect(Number(await redis.say('ttl', share))).toBeGreaterThan(0);
    expect([await names('198.51.100.8', 'a.org'), await names('198.51.100.8', 'b.org')]).toEqual([1, 1]);
    // Another block has its own, and what is kept goes on.
    expect([await names('203.0.113.1', 'a.org'), await names('203.0.113.1', 'b.org')]).toEqual([1, 2]);
    expect(await names(IP.text, 'c.org')).toBe(3);
  });

  it('what was kept while the clock of the server was ahead does not stay until then', async () => {
    const store = await connected();
    const limit = { count: 3, ageMs: 2000 };
    const mx1 = farmHost(store, { tempfail: limit, ramp: limit, stream: limit }, () => performance.now());
    const message: FarmMessage = { host: 0, after: 0, sender: 0, counted: 'stream' };
    const year = String(366 * 86_400);
    await answers([message], () => mx1);
    const nameOf = async (letter: string): Promise<string> =>
      (await redis.say('keys', `helo-milter:1:${letter}:*`)).trim();
    const [stream, share] = [await nameOf('s'), await nameOf('q')];
    await redis.say('set', stream, `3 ${Math.floor(Date.now() / 1000) + Number(year)}`, 'ex', year);
    expect(await answers([message], () => mx1)).toEqual([false]);
    await vi.waitFor(async () => {
      expect(await answers([message], () => mx1)).toEqual([true]);
    }, PATIENCE);
    for (const made of ['5000', '-5000']) {
      await redis.say('del', stream);
      await redis.say('set', share, made, 'ex', year);
      await answers([message], () =>
        farmHost(store, { tempfail: limit, ramp: limit, stream: limit }, () => 0),
      );
      expect(await redis.say('get', share)).toMatch(/^1\s*$/);
      expect(await nameOf('s')).toBe(stream);
    }
    expect(Number(await redis.say('ttl', share))).toBeGreaterThan(0);
  });

  it('of a regular it writes what it reads', async () => {
    const store = await connected();
    const { shared, regulars } = knowledge(store);
    const today = Math.floor(Date.now() / 86_400_000);
    const told = { messages: 1e9, days: 1e9, firstDay: 0, lastDay: today };
    regulars.merge(IP, 'mail.sender.org', told);
    regulars.learn(IP, 'mail.sender.org');
    shared.learn(IP, 'mail.sender.org');
    await vi.waitFor(async () => {
      expect(await redis.say('keys', 'helo-milter:1:k:*')).toContain('helo-milter');
    }, PATIENCE);
    await shared.meet(IP, 'mail.sender.org', false);
    expect(store.invalid).toBe(0);
  });

  it('a value lives as long as docs/farm.md says', async () => {
    const store = await connected();
    const limit = { count: 1, ageMs: 900_000 };
    const limits = { tempfail: { count: 1, ageMs: 0 }, ramp: limit, stream: limit };
    const mx1 = farmHost(store, limits, () => 1e9);
    const message = { host: 0, after: 0 } as const;
    await answers(
      [
        { ...message, sender: 2, counted: 'tempfail' },
        { ...message, sender: 4, counted: 'tempfail' },
        { ...message, sender: 4, counted: 'tempfail' },
        { ...message, sender: 0, counted: 'ramp' },
        { ...message, sender: 0, counted: 'stream' },
      ],
      () => mx1,
    );
    const { shared, regulars } = knowledge(store);
    await shared.meet(IP, 'mail.sender.org', false);
    regulars.learn(IP, 'mail.sender.org');
    shared.learn(IP, 'mail.sender.org');
    shared.keep(await madeOf('mail.sender.org'), 900_000);

    /** The days in the row of the page that begins so. */
    const days = (what: string): number =>
      Number(
        PAGE.split('\n')
          .find((row) => row.includes(`| ${what}`))
          ?.match(/\| (\d+) days after/)?.[1],
      ) * 86_400_000;
    // By the letter of the table in the name of a value.
    const lives: Readonly<Record<string, number>> = {
      t: days('tempfails of a sender'),
      T: days('budgets that are used up'),
      r: days('tries on a'),
      k: days('how often, and on how many days'),
      // As the stream's limit, the window of names and the life of the assessment say.
      s: 900_000,
      c: 600_000,
      a: 900_000,
      // What blocks have had of their shares: of counts in a day, of names in the window, of assessments.
      q: 86_400_000,
      C: 600_000,
      Q: 900_000,
    };
    const names = async (): Promise<string[]> => (await redis.say('keys', '*')).split('\n');
    const letterOf = (name: string): string => name.split(':')[2] ?? '';
    // Nobody waits for what is only told.
    await vi.waitFor(async () => {
      expect(new Set((await names()).map(letterOf))).toEqual(new Set(Object.keys(lives)));
    }, PATIENCE);
    for (const name of await names()) {
      const life = lives[letterOf(name)] ?? NaN;
      const left = Number(await redis.say('pttl', name));
      expect(left, name).toBeLessThanOrEqual(life);
      expect(left, name).toBeGreaterThan(life - 120_000);
    }
  });

  it.each([
    ['garbage', ['set', 'KEY', '{]']],
    ['too long a value', ['set', 'KEY', '9'.repeat(100_000)]],
    ['too large a number', ['set', 'KEY', '99999999 1']],
    ['another type', ['sadd', 'KEY', 'x']],
  ])('ignores and counts %s of a neighbour', async (_, words) => {
    const store = await connected();
    const limit = { count: 1, ageMs: 86_400_000 };
    const mx1 = farmHost(store, { tempfail: limit, ramp: limit, stream: limit }, () => NOW);
    const { shared, regulars } = knowledge(store);
    const message = { sender: 0, host: 0, after: 0 } as const;
    const all = (['tempfail', 'ramp', 'stream'] as const).map((counted) => ({ ...message, counted }));
    const touch = async (): Promise<unknown[]> => [
      await answers(all, () => farmHost(store, { tempfail: limit, ramp: limit, stream: limit }, () => NOW)),
      await shared.meet(IP, 'mail.sender.org', true),
    ];
    await answers(all, () => mx1);
    regulars.learn(IP, 'mail.sender.org');
    shared.learn(IP, 'mail.sender.org');
    await shared.meet(IP, 'mail.sender.org', true);
    const keys = (await redis.say('keys', 'helo-milter:*')).split('\n').sort();
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) {
      await redis.say('del', key);
      await redis.say(...words.map((word) => (word === 'KEY' ? key : word)));
    }
    expect(await touch()).toEqual([[true, true, true], { names: 1, isNewName: true, assessment: null }]);
    expect(store.invalid).toBeGreaterThan(4);
    expect(store.ailment).toBeNull();
  });

  it('a sender tempfailed at one listener of Postfix passes at the other, as docs/farm.md has them', async () => {
    const [one, other] = await lastingPair();
    const port = await freePort();
    const lines = (word: string): string =>
      blocksOf('docs/farm.md').find(({ language, text }) => language === 'ini' && text.includes(word))
        ?.text ?? expect.fail();
    const second = lines('helo_milter_b =').replace('inet:127.0.0.1:8893', other.program.socket);
    const postfix: Postfix = await startPostfix(workdir, {
      mainCf: `${shippedMainCf(one.program.socket)}${second}inet_interfaces = all\n`,
      milters: [],
      masterCf: [
        lines('192.0.2.26:smtp inet')
          .replace(/^smtp +inet n - y/m, `${port} inet n - n`)
          .replace('192.0.2.26:smtp inet n - y', `192.0.2.26:${port} inet n - n`),
      ],
    });
    open.push(() => postfix.stop());
    await greets(port);
    const helo = 'gone.two-listeners.org';
    const code = async (address: string): Promise<number> => {
      const client = await SmtpClient.connect(port, SENDER, '', address);
      await client.say(`EHLO ${helo}`);
      await client.say('MAIL FROM:<sender@sender.org>');
      const reply = await client.say('RCPT TO:<user@dest.test>');
      await client.say('QUIT');
      return reply.code;
    };
    expect([await code('192.0.2.25'), await code('192.0.2.26'), await code('127.0.0.1')]).toEqual([
      450, 450, 250,
    ]);
    const decisions = async ({ program }: Host): Promise<string[]> =>
      (await program.decisions()).filter((line) => line.includes(helo));
    expect((await decisions(one)).map((line) => / exempt=(\S+)/.exec(line)?.[1])).toEqual([
      undefined,
      'tempfail-limit',
    ]);
    expect(await decisions(other)).toHaveLength(1);
  });

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    [
      'stopped, and started empty',
      () => redis.stop(),
      async () => {
        redis = await startRedis(workdir, port, lines);
      },
    ],
    [
      'hanging',
      async () => {
        redis.signal('SIGSTOP');
        await Promise.resolve();
      },
      async () => {
        redis.signal('SIGCONT');
        await Promise.resolve();
      },
    ],
    [
      'slow',
      async () => {
        between.delayMs = 400;
        await Promise.resolve();
      },
      async () => {
        // It did answer, too late for those who had asked.
        await vi.waitFor(() => {
          expect(between.late).toBeGreaterThan(0);
        }, PATIENCE);
        between.delayMs = 0;
      },
    ],
    [
      'full',
      async () => {
        await redis.say('config', 'set', 'maxmemory-policy', 'noeviction');
        await redis.say('config', 'set', 'maxmemory', '1');
      },
      () => redis.say('config', 'set', 'maxmemory', '0'),
    ],
  ])('mail goes on while the store is %s', async (state, breakIt, mend) => {
    // One of its own, since after many outages it waits longer before it tries again.
    const near = state === 'slow' ? between.port : port;
    const [[, mx2], mx1] = await Promise.all([
      lastingPair(),
      host('--store', `redis://helo@127.0.0.1:${near}`),
    ]);
    await works(mx1);
    const helo = `gone.${state.replaceAll(/\W/g, '')}.org`;
    await breakIt();
    await vi.waitFor(async () => {
      expect(await ask(mx1, 'mail.sender.org')).toBe('acc');
      expect(await mx1.ready()).toMatch(/^degraded/);
    }, PATIENCE);
    // What it knows itself goes on to count.
    const told = [await ask(mx1, helo), await ask(mx1, helo), await ask(mx1, helo)];
    expect(told).toEqual(['450', '450', 'acc']);
    await mend();
    await Promise.all([works(mx1), works(mx2)]);
    const words = (await mx1.program.output()).match(/store-(?:outage|recovered)(?= store=)/g);
    expect(words).toEqual(['store-outage', 'store-recovered']);
    expect(await mx1.program.output()).toMatch(/store-recovered store=\S+ detail=\S.* seconds=\d+$/m);
    // The farm learns what was decided meanwhile.
    await ask(mx1, helo);
    expect(await ask(mx2, helo)).toBe('acc');
  });

  it('has in the store what --store-share names, and nothing else', async () => {
    // The letters of their values in the store, and a client that makes one.
    const tables: Readonly<
      Record<(typeof SHARED)[number], readonly [letter: string, helo: string, ip: string]>
    > = {
      budgets: ['t', 'gone.strange.org', SENDER],
      ramps: ['r', 'Jupiter', SENDER],
      streams: ['s', 'other.sender.org', STRANGER],
      churn: ['c', 'mail.sender.org', SENDER],
      regulars: ['k', 'mail.sender.org', SENDER],
      assessments: ['a', 'mail.sender.org', SENDER],
    };
    // Each word is given to some of the hosts and not to others, and no two words to the same.
    const given = [1, 2, 4].map((bit) => SHARED.filter((_, i) => ((i + 1) & bit) !== 0));
    const hosts = await Promise.all(
      given.map((words) =>
        host(
          ...['--store-share', words.join(), '--ramp', 'helo-not-fqdn=3/24h', '--regulars', '3/2'],
          ...['--stream-limit', 'unverified=20/1h', '--stream-limit', 'failed=20/1h'],
          // So that it sees the end of what it lets in.
          ...['--authserv-id', 'mx.dest.test'],
        ),
      ),
    );
    const held = async (): Promise<string[]> => {
      const letters = (await redis.say('keys', '*')).split('\n').map((name) => name.split(':')[2] ?? '');
      // Others are what blocks have had of their shares.
      return [...new Set(letters)].filter((letter) => /^[a-or-z]$/.test(letter)).sort();
    };
    for (const [i, mx] of hosts.entries()) {
      await redis.say('flushall');
      await works(mx);
      const all = async (): Promise<void> => {
        for (const [, helo, ip] of Object.values(tables)) await mailMilter(mx.program.socket, helo, ip);
      };
      await all();
      const wanted = (given[i] ?? []).map((word) => tables[word][0]).sort();
      // Nobody waits for what is only told; nor is there more of it after another round.
      await vi.waitFor(async () => {
        expect(await held(), given[i]?.join()).toEqual(wanted);
      }, PATIENCE);
      await all();
      expect(await held(), given[i]?.join()).toEqual(wanted);
    }
  });

  it('asks as often as docs/farm.md says', async () => {
    /** The number in the row of the page that begins so. */
    const stated = (what: string): number =>
      Number(
        PAGE.split('\n')
          .find((row) => row.startsWith(`| ${what}`))
          ?.match(/\| (\d)(?: more)? +\|$/)?.[1],
      );
    const [plain, knowing] = await Promise.all([
      host(),
      // So that it sees the end of what it lets in.
      host('--regulars', '3/2', '--authserv-id', 'mx.dest.test'),
    ]);
    await Promise.all([works(plain), works(knowing)]);
    const ehlo = async (socket: string): Promise<void> => {
      const client = await MilterClient.open(socket, { protocol: 0, timeoutMs: 30_000 });
      await client.connect(SENDER);
      await client.helo('mail.sender.org');
      client.quit();
    };
    const mail =
      (helo: string) =>
      (socket: string): Promise<void> =>
        mailMilter(socket, helo, SENDER);
    const isNew = stated('and its client');
    const rows: readonly [mx: Host, act: (socket: string) => Promise<void>, wanted: number][] = [
      [plain, mail('mail.sender.org'), stated('a message that is accepted') + isNew],
      [plain, mail('mail.sender.org'), stated('a message that is accepted')],
      [plain, ehlo, stated('EHLO and no more')],
      [plain, mail('gone.often.org'), stated('one that is tempfailed')],
      [plain, mail('Jupiter'), stated('one refused')],
      [knowing, mail('mail.sender.org'), stated('a message that is accepted') + stated('accepted, with')],
    ];
    for (const [i, [mx, act, wanted]] of rows.entries()) {
      const before = await mx.asked();
      await act(mx.program.socket);
      await vi.waitFor(async () => {
        expect((await mx.asked()) - before, `row ${i}`).toBe(wanted);
      }, 5000);
    }
  });

  it('a flushed store fills again', async () => {
    const [mx1, mx2] = await lastingPair();
    const helo = 'gone.flushed.org';
    expect([await ask(mx1, helo), await ask(mx2, helo)]).toEqual(['450', '450']);
    await redis.say('flushall');
    await redis.say('script', 'flush');
    expect([await ask(mx2, helo), await ask(mx1, helo)]).toEqual(['acc', 'acc']);
  });

  it('is not stopped by a wrong password, and does not tell it', async () => {
    const file = join(workdir, 'wrong');
    writeFileSync(file, 'quite-wrong\n');
    const [mx1, { stdout }] = await Promise.all([
      host('--store-password-file', file),
      run(OURS.node, [OURS.cli, '--check-config', '--store', url(), '--store-password-file', file]),
    ]);
    await isAlone(mx1);
    expect(await ask(mx1)).toBe('450');
    const output = await mx1.program.output();
    expect(output).toContain('WRONGPASS');
    expect(output).not.toContain('quite-wrong');
    expect(stdout).toMatch(
      /warning: --store: it does not work, and until it does each host is alone.*WRONGPASS/,
    );
  });

  it('says of a user which right is missing', async () => {
    const [, rights = ''] = /^user helo (.*)$/.exec(lines[0] ?? '') ?? [];
    const all = rights.split(' ');
    const trial = (user: string): Promise<string | null> => {
      const place = { kind: 'tcp', host: '127.0.0.1', port } as const;
      const access = { place, tls: false, ca: null, user, password: PASSWORD, database: 1 };
      return probeStore(access, 'helo-milter');
    };
    expect(await trial('helo')).toBeNull();
    const commands = all.filter((word) => word.startsWith('+'));
    expect(commands.length).toBeGreaterThan(15);
    for (const missing of commands) {
      const others = all.filter((word) => word !== missing);
      await redis.say('acl', 'setuser', 'lame', 'reset', ...others);
      const name = missing.slice(1);
      expect(await trial('lame'), name).toMatch(new RegExp(name, 'i'));
    }
    await redis.say('acl', 'setuser', 'lame', 'reset', ...all, 'resetkeys', '~other:*');
    expect(await trial('lame')).toMatch(/can't access|keys/);
    await redis.say('acl', 'deluser', 'lame');
  });

  it('takes no user without a password, since that would be the default one', async () => {
    const words = ['--check-config', '--store', url()];
    await expect(run(OURS.node, [OURS.cli, ...words])).rejects.toThrow(
      /--store: the user helo logs in with a password: name it by store-password-file/,
    );
  });

  it('over TLS with an authority of its own, and not with an expired certificate', async () => {
    const certificate = await certificates(workdir);
    const [good, expired] = [await certificate.until('2199'), await certificate.until('2001')];
    const serve = async (file: string): Promise<number> => {
      const [plain = 0, tls = 0] = await freePorts(2);
      const more = [
        `tls-port ${tls}`,
        `tls-cert-file ${file}`,
        `tls-key-file ${certificate.key}`,
        'tls-auth-clients no',
      ];
      const server = await startRedis(workdir, plain, [...more, ...lines]);
      open.push(() => server.stop());
      return tls;
    };
    const [ofGood, ofExpired] = await Promise.all([serve(good), serve(expired)]);
    const [trusting, strange, old] = await Promise.all([
      host('--store', `rediss://helo@127.0.0.1:${ofGood}`, '--store-ca', good),
      host('--store', `rediss://helo@127.0.0.1:${ofGood}`),
      host('--store', `rediss://helo@127.0.0.1:${ofExpired}`, '--store-ca', expired),
    ]);
    await works(trusting);
    await isAlone(strange);
    expect(await strange.ready()).toMatch(/self-signed/);
    await isAlone(old);
    expect(await old.ready()).toMatch(/expired/);
    expect(await ask(old)).toBe('450');
  });

  it('over a unix socket, and by a Sentinel', async () => {
    const [other = 0, watch = 0] = await freePorts(2);
    const path = join(workdir, 'r.sock');
    const server = await startRedis(workdir, other, [`unixsocket ${path}`, ...lines, 'user default off']);
    open.push(() => server.stop());
    const sentinel = await startRedis(
      workdir,
      watch,
      [`sentinel monitor main 127.0.0.1 ${other} 1`],
      ['--sentinel'],
    );
    open.push(() => sentinel.stop());
    await works(await host('--store', `unix://helo@${path}?db=0`));
    const sentinels = [{ host: '127.0.0.1', port: watch }];
    await connected({ place: { kind: 'sentinel', sentinels, name: 'main' } });
  });

  it('goes on with the replica that a Sentinel has made the server', async () => {
    const [first = 0, second = 0, watch = 0] = await freePorts(3);
    const server = await startRedis(workdir, first, [...lines, 'repl-diskless-sync-delay 0']);
    const replica = await startRedis(workdir, second, [...lines, `replicaof 127.0.0.1 ${first}`]);
    const watching = [
      `sentinel monitor main 127.0.0.1 ${first} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ];
    const sentinel = await startRedis(workdir, watch, watching, ['--sentinel']);
    open.push(
      () => server.stop(),
      () => replica.stop(),
      () => sentinel.stop(),
    );
    const store = ['--store', `redis+sentinel://helo@127.0.0.1:${watch}/main`];
    const mx1 = await host(...store);
    await works(mx1);
    await vi.waitFor(async () => {
      expect(await sentinel.say('sentinel', 'replicas', 'main')).toContain(String(second));
    }, PATIENCE);
    expect(await ask(mx1)).toBe('450');
    await vi.waitFor(async () => {
      const sizes = [await server.say('dbsize'), await replica.say('dbsize')];
      expect(sizes[1]).toBe(sizes[0]);
      expect(Number(sizes[0])).toBeGreaterThan(0);
    }, PATIENCE);
    await server.stop();
    await vi.waitFor(async () => {
      expect(await sentinel.say('sentinel', 'get-master-addr-by-name', 'main')).toContain(String(second));
    }, PATIENCE);
    // Whoever asked meanwhile was alone for that time at most; what was counted before is there.
    await works(mx1);
    const mx2 = await host(...store);
    await works(mx2);
    expect([await ask(mx2), await ask(mx2)]).toEqual(['450', 'acc']);
  });

  it('without --store the library is not even loaded', async () => {
    const service = new URL('../../dist/index.js', import.meta.url).href;
    const script = `
      const { startService, readConfig, createLog } = await import(${JSON.stringify(service)});
      const given = new Map([['listen', ['inet:127.0.0.1:0']], ...JSON.parse(process.argv[1])]);
      const started = await startService(readConfig(given), createLog(() => undefined));
      const { default: module } = await import('node:module');
      console.log(Object.keys(module._cache).some((file) => file.includes('ioredis')));
      await started.stop(0);
    `;
    const loaded = async (options: readonly [string, string[]][]): Promise<string> => {
      const words = ['--input-type=module', '-e', script, JSON.stringify(options)];
      return (await run(OURS.node, words)).stdout.trim();
    };
    const both = [loaded([]), loaded([['store', ['redis://127.0.0.1:1']]])];
    expect(await Promise.all(both)).toEqual(['false', 'true']);
  });
});

/** Makes certificates for 127.0.0.1 that end with a year. By `-days`, OpenSSL 3.5 makes none that is over. */
async function certificates(
  workdir: string,
): Promise<{ readonly key: string; readonly until: (year: string) => Promise<string> }> {
  const named = (end: string): string => join(workdir, `store.${end}`);
  const [key, request, config] = [named('key'), named('csr'), named('cnf')];
  writeFileSync(named('index'), '');
  writeFileSync(named('serial'), '01\n');
  writeFileSync(
    config,
    `[ca]\ndefault_ca = own\n[own]\ndatabase = ${named('index')}\nserial = ${named('serial')}\nnew_certs_dir = ${workdir}\n` +
      'default_md = sha256\npolicy = any\nx509_extensions = names\nunique_subject = no\n' +
      '[any]\ncommonName = supplied\n[names]\nsubjectAltName = IP:127.0.0.1\n',
  );
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=store'];
  await run('openssl', ['req', ...kind, '-keyout', key, '-out', request]);
  const until = async (year: string): Promise<string> => {
    const file = join(workdir, `store${year}.pem`);
    const life = ['-startdate', '20000101000000Z', '-enddate', `${year}0101000000Z`];
    const own = ['-config', config, '-selfsign', '-keyfile', key, '-batch', '-notext'];
    await run('openssl', ['ca', ...own, ...life, '-in', request, '-out', file]);
    return file;
  };
  return { key, until };
}

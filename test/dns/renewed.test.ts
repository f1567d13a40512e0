import { describe, expect, it } from 'vitest';
import { RenewedResolver, renewedResolver } from '../../src/dns/renewed.ts';
import { startDnsStub } from '../support/dns-stub.ts';

/** Writes down what it is asked, and whether it was told to forget. */
class Channel {
  readonly asked: string[] = [];
  forgotten = false;

  setServers(): void {
    this.forgotten = true;
  }
}

function renewed(): { resolver: RenewedResolver<Channel>; channels: Channel[] } {
  const channels: Channel[] = [];
  const resolver = new RenewedResolver(() => {
    const channel = new Channel();
    channels.push(channel);
    return channel;
  });
  return { resolver, channels };
}

function ask(resolver: RenewedResolver<Channel>, key: string, answer = Promise.resolve()): Promise<void> {
  return resolver.ask(key, (channel) => {
    channel.asked.push(key);
    return answer;
  });
}

describe('RenewedResolver', () => {
  it('asks different questions by one channel', async () => {
    const { resolver, channels } = renewed();
    for (const key of ['A x.org', 'AAAA x.org', 'A y.org']) await ask(resolver, key);
    expect(channels).toEqual([{ asked: ['A x.org', 'AAAA x.org', 'A y.org'], forgotten: false }]);
  });

  it('never puts a question to a channel that has been asked it', async () => {
    const { resolver, channels } = renewed();
    // A walk over eleven questions in an order that repeats at all distances.
    for (let i = 0; i < 2000; i++) await ask(resolver, `A h${(i * i) % 11}.org`);
    for (const { asked } of channels) expect(new Set(asked).size).toBe(asked.length);
    expect(channels.flatMap(({ asked }) => asked)).toHaveLength(2000);
  });

  it('gives a channel up after a hundred questions', async () => {
    const { resolver, channels } = renewed();
    for (let i = 0; i < 250; i++) await ask(resolver, `A h${i}.org`);
    expect(channels.map(({ asked }) => asked.length)).toEqual([100, 100, 50]);
    expect(channels.map(({ forgotten }) => forgotten)).toEqual([true, true, false]);
  });

  it.each([
    ['answer', (settle: { resolve: () => void; reject: () => void }) => settle.resolve],
    ['failure', (settle: { resolve: () => void; reject: () => void }) => settle.reject],
  ])('lets questions under way end before a channel forgets: %s', async (_, way) => {
    const { resolver, channels } = renewed();
    let settle = { resolve: (): void => undefined, reject: (): void => undefined };
    const answer = new Promise<void>((resolve, reject) => {
      settle = {
        resolve,
        reject: () => {
          reject(new Error('no answer'));
        },
      };
    });
    const open = ask(resolver, 'A x.org', answer).catch(() => 'failed');
    await ask(resolver, 'A x.org');
    expect(channels.map(({ forgotten }) => forgotten)).toEqual([false, false]);
    way(settle)();
    await open;
    expect(channels.map(({ forgotten }) => forgotten)).toEqual([true, false]);
  });

  it('lets the real ones end as well, and forgets without a fault', async () => {
    const stub = await startDnsStub({ '*': [{ name: 'x.org', type: 'A', ttl: 60, data: '192.0.2.1' }] });
    const resolver = renewedResolver(stub.server, 2000);
    for (let round = 0; round < 10; round++) {
      // Some are asked twice in a round, all in each.
      const names = Array.from({ length: 40 }, (_, i) => `h${i % 30}.org`);
      const answers = names.map((name) => resolver.ask(name, (channel) => channel.resolve4(name)));
      expect(await Promise.all(answers)).toEqual(names.map(() => ['192.0.2.1']));
    }
    expect(stub.questions).toHaveLength(400);
    await stub.close();
  });
});

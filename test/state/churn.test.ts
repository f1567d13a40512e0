import { describe, expect, it } from 'vitest';
import { ChurnCounter, type ChurnLimits } from '../../src/state/churn.ts';
import { type IpAddress, parseIp } from '../../src/core/ip.ts';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
}

function counter(limits: Partial<ChurnLimits> = {}): { churn: ChurnCounter; clock: { now: number } } {
  const clock = { now: 0 };
  return {
    clock,
    churn: new ChurnCounter({
      limits: () => ({ windowMs: 1000, maxNames: 5, maxClients: 10, ...limits }),
      now: () => clock.now,
    }),
  };
}

describe('ChurnCounter', () => {
  it('counts different names of one address', () => {
    const { churn } = counter();
    expect(['a', 'b', 'a', 'c'].map((name) => churn.note(ip('192.0.2.1'), name))).toEqual([1, 2, 2, 3]);
    expect(churn.note(ip('192.0.2.2'), 'a')).toBe(1);
  });

  it('takes a /64 for one client', () => {
    const { churn } = counter();
    churn.note(ip('2001:db8::1'), 'a');
    expect(churn.note(ip('2001:db8::2'), 'b')).toBe(2);
    expect(churn.note(ip('2001:db8:0:1::1'), 'c')).toBe(1);
  });

  it('remembers over the turn of a window, and forgets after two', () => {
    const { churn, clock } = counter();
    churn.note(ip('192.0.2.1'), 'a');
    clock.now = 1100;
    expect(churn.note(ip('192.0.2.1'), 'b')).toBe(2);
    expect(churn.note(ip('192.0.2.1'), 'a')).toBe(2);
    clock.now = 2200;
    churn.note(ip('192.0.2.9'), 'x');
    clock.now = 3300;
    expect(churn.note(ip('192.0.2.1'), 'c')).toBe(1);
  });

  it('forgets everything after a long silence', () => {
    const { churn, clock } = counter();
    churn.note(ip('192.0.2.1'), 'a');
    clock.now = 10_000;
    expect(churn.note(ip('192.0.2.1'), 'b')).toBe(1);
  });

  it('takes a name back once, if nobody gave it since', () => {
    const { churn, clock } = counter();
    const [one, other] = [ip('192.0.2.1'), ip('192.0.2.2')];
    const introduce = (name: string): number => {
      churn.note(one, name);
      return churn.introduced ?? expect.fail(name);
    };
    churn.note(one, 'a');
    const b = introduce('b');
    churn.note(other, 'b');
    expect([churn.forget(one, 'b', b), churn.forget(one, 'b', b)]).toEqual([true, false]);
    const c = introduce('c');
    churn.note(one, 'c');
    expect([churn.introduced, churn.forget(one, 'c', c), churn.note(one, 'd')]).toEqual([null, false, 3]);
    churn.note(other, 'b');
    expect(churn.note(other, 'b')).toBe(1);
    const e = introduce('e');
    clock.now = 1100;
    expect([churn.note(one, 'e'), churn.forget(one, 'e', e), churn.note(one, 'f')]).toEqual([4, false, 5]);
  });

  it('is bounded in names and clients', () => {
    const { churn } = counter();
    let last = 0;
    for (let i = 0; i < 100; i++) last = churn.note(ip('192.0.2.1'), `n${i}`);
    expect(last).toBe(5);
    for (let i = 0; i < 255; i++) churn.note(ip(`198.${i}.100.7`), 'a');
    // The older half was dropped when the newer was full: the count starts afresh, and nothing grows.
    expect(churn.note(ip('192.0.2.1'), 'a')).toBe(1);
  });

  it(
    'one /64, /48, /32, /24 or /16 displaces nobody’s count, however many names and addresses it uses',
    { timeout: 60_000 },
    () => {
      const attacks: ((i: number) => string)[] = [
        (i) => `2001:db8::${(i & 0xffff).toString(16)}`,
        (i) => `2001:db8:0:${(i & 0xffff).toString(16)}::1`,
        (i) => `2001:db8:${(i & 0xffff).toString(16)}::1`,
        (i) => `203.0.113.${i & 255}`,
        (i) => `203.0.${(i >> 8) & 255}.${i & 255}`,
      ];
      for (const attack of attacks) {
        const { churn } = counter({ maxClients: 1000, maxNames: 11 });
        for (const other of ['192.0.2.1', '2001:db9::1'])
          for (const name of ['a', 'b', 'c']) churn.note(ip(other), name);
        for (let i = 0; i < 100_000; i++) churn.note(ip(attack(i)), `n${i}`);
        for (const other of ['192.0.2.1', '2001:db9::1']) expect(churn.note(ip(other), 'd')).toBe(4);
      }
    },
  );

  it('does not count what a block would need beyond its share, and takes it for no churn', () => {
    const { churn } = counter({ maxClients: 1000, maxNames: 11 });
    for (let i = 0; i < 10_000; i++) {
      expect(churn.note(ip(`203.0.${i >> 8}.${i & 255}`), 'a')).toBe(1);
      expect(churn.note(ip(`2001:db8:${i.toString(16)}::1`), 'a')).toBe(1);
    }
    expect(churn.note(ip('203.0.39.1'), 'b')).toBe(1);
    expect(churn.note(ip('203.0.0.1'), 'b')).toBe(2);
  });

  it('tells names apart by their whole length, and keeps none of them', () => {
    const { churn } = counter();
    const long = 'x'.repeat(60_000);
    expect([`${long}1`, `${long}2`, `${long}1`].map((name) => churn.note(ip('192.0.2.1'), name))).toEqual([
      1, 2, 2,
    ]);
  });

  it('ends the window early where very many use very many names', { timeout: 60_000 }, () => {
    const { churn } = counter({ maxClients: 20_000, maxNames: 100 });
    const flood = (networks: number): void => {
      for (let i = 0; i < networks; i++) {
        for (let n = 0; n < 100; n++) churn.note(ip(`10.${i >> 7}.${i & 127}.1`), `n${n}`);
      }
    };
    churn.note(ip('192.0.2.1'), 'a');
    // 16 names for each network that is counted: 320,000.
    flood(3199);
    expect(churn.note(ip('192.0.2.1'), 'b')).toBe(2);
    flood(6600);
    expect(churn.note(ip('192.0.2.1'), 'c')).toBe(1);
  });
});

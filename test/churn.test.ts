import { describe, expect, it } from 'vitest';
import { ChurnCounter, type ChurnOptions } from '../src/churn.ts';
import { type IpAddress, parseIp } from '../src/core/ip.ts';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
}

function counter(options: Partial<ChurnOptions> = {}): { churn: ChurnCounter; clock: { now: number } } {
  const clock = { now: 0 };
  return {
    clock,
    churn: new ChurnCounter({
      windowMs: 1000,
      maxNames: 5,
      maxClients: 10,
      now: () => clock.now,
      ...options,
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

  it('is bounded in names and clients', () => {
    const { churn } = counter();
    let last = 0;
    for (let i = 0; i < 100; i++) last = churn.note(ip('192.0.2.1'), `n${i}`);
    expect(last).toBe(5);
    for (let i = 0; i < 255; i++) churn.note(ip(`198.51.100.${i}`), 'a');
    // The older half went when the newer was full: the count starts afresh, and nothing grows.
    expect(churn.note(ip('192.0.2.1'), 'a')).toBe(1);
  });
});

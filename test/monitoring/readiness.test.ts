import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Answer, RecordType, Resolver } from '../../src/core/resolver.ts';
import { Readiness } from '../../src/monitoring/readiness.ts';

const ANSWER: Answer<RecordType> = { status: 'nxdomain', ttl: null };

function readiness(): {
  made: Readiness;
  state: {
    now: number;
    answeredAt: number;
    failedAt: number;
    ill: boolean;
    overloaded: boolean;
    answer: Answer<RecordType> | null;
    probes: string[];
  };
} {
  const state = {
    now: 100_000,
    answeredAt: -Infinity,
    failedAt: -Infinity,
    ill: false,
    overloaded: false,
    answer: ANSWER as Answer<RecordType> | null,
    probes: [] as string[],
  };
  const resolver: Resolver = {
    lookup: <T extends RecordType>(name: string, type: T): Promise<Answer<T>> => {
      state.probes.push(`${name} ${type}`);
      return state.answer === null
        ? new Promise(() => undefined)
        : Promise.resolve(state.answer as Answer<T>);
    },
  };
  const made = new Readiness({
    resolver,
    lastHeard: () => state,
    isDnsIll: () => state.ill,
    overloaded: () => state.overloaded,
    now: () => state.now,
  });
  return { made, state };
}

describe('Readiness', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('takes a recent answer to mail for proof', async () => {
    const { made, state } = readiness();
    state.answeredAt = 95_000;
    state.failedAt = 94_000;
    expect(await made.obstacle()).toBeNull();
    expect(state.probes).toEqual([]);
  });

  it.each<[string, number, number]>([
    ['nothing was heard yet', -Infinity, -Infinity],
    ['the last answer is old', 80_000, -Infinity],
    ['something failed since', 95_000, 96_000],
  ])('asks itself where %s, and not at every request', async (_, answeredAt, failedAt) => {
    const { made, state } = readiness();
    Object.assign(state, { answeredAt, failedAt });
    for (let i = 0; i < 5; i++) expect(await made.obstacle()).toBeNull();
    expect(state.probes).toEqual(['arpa NS']);
    state.now += 5000;
    expect(await made.obstacle()).toBeNull();
    expect(state.probes).toHaveLength(2);
  });

  it('says why not, and is ready again with the next answer', async () => {
    const { made, state } = readiness();
    state.answer = { status: 'temperror', detail: 'servfail' };
    expect(await made.obstacle()).toBe('dns: the resolver does not answer (servfail)');
    state.answer = ANSWER;
    expect(await made.obstacle()).toMatch(/^dns: /);
    state.now += 5000;
    expect(await made.obstacle()).toBeNull();
  });

  it('does not wait for a silent resolver', async () => {
    const { made, state } = readiness();
    state.answer = null;
    const obstacle = made.obstacle();
    await vi.advanceTimersByTimeAsync(2000);
    expect(await obstacle).toBe('dns: no answer within 2 s');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not ready while the brake is on, and asks all the same', async () => {
    const { made, state } = readiness();
    state.ill = true;
    expect(await made.obstacle()).toMatch(/^dns: .*outage brake/);
    expect(state.probes).toHaveLength(1);
  });

  it('is not ready while more is asked than we ask', async () => {
    const { made, state } = readiness();
    state.overloaded = true;
    expect(await made.obstacle()).toMatch(/^dns: .*overload/);
    state.overloaded = false;
    expect(await made.obstacle()).toBeNull();
  });

  it('is not ready any more once it stops', async () => {
    const { made, state } = readiness();
    state.answeredAt = state.now;
    made.stop();
    expect(await made.obstacle()).toMatch(/^stopping: /);
  });
});

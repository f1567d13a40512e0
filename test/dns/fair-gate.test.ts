import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FairGate, type GateOptions, type Ticket } from '../../src/dns/fair-gate.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => {
  clock.restore();
});

interface Made {
  readonly gate: FairGate;
  /** The tickets that have a place. */
  readonly started: Ticket[];
  /** Asks for a place for a question of that network about that domain; null if it is turned away. */
  readonly enter: (network: string | null, domain: string) => Ticket | null;
  readonly leave: (ticket: Ticket | null) => void;
}

function make(options: Partial<GateOptions> = {}): Made {
  const gate = new FairGate({
    places: 80,
    freshPlaces: 80,
    freshMs: 100,
    waitingPlaces: 400,
    now: () => performance.now(),
    ...options,
  });
  const started: Ticket[] = [];
  return {
    gate,
    started,
    enter: (network, domain) => {
      const ticket: Ticket = {
        network,
        domain,
        start: () => {
          started.push(ticket);
          return true;
        },
      };
      return gate.enter(ticket) ? ticket : null;
    },
    leave: (ticket) => {
      if (ticket === null) throw new Error('it was turned away');
      started.splice(started.indexOf(ticket), started.includes(ticket) ? 1 : 0);
      gate.leave(ticket);
    },
  };
}

describe('shares', () => {
  it.each([
    ['one network', (): string => 'a', (i: number): string => `d${i}`],
    ['one domain', (i: number): string => `n${i}`, (): string => 'd'],
  ])('%s gets a ninth, and leaves the rest', (_, network, domain) => {
    const { enter, started, gate } = make();
    for (let i = 0; i < 40; i++) enter(network(i), domain(i));
    expect(started).toHaveLength(9);
    expect(gate.waiting).toBe(31);
    enter('b', 'other');
    expect(started).toHaveLength(10);
  });

  it('ten networks leave nearly half free', () => {
    const { enter, gate } = make();
    for (let i = 0; i < 200; i++) enter(`n${i % 10}`, `d${i}`);
    expect(gate.inFlight).toBeLessThanOrEqual(50);
    expect(gate.inFlight).toBeGreaterThanOrEqual(40);
  });

  it('while there are fewer networks than places, one that comes late still gets one', () => {
    const { enter, started } = make();
    for (let i = 0; i < 400; i++) enter(`n${i % 60}`, `d${i}`);
    const mine = enter('mine', 'mine');
    expect(started).toContain(mine);
  });

  it('our own questions have no share to keep to', () => {
    const { enter, gate } = make();
    for (let i = 0; i < 500; i++) enter(null, 'd');
    expect([gate.inFlight, gate.waiting]).toEqual([80, 400]);
    expect(enter(null, 'd')).toBeNull();
  });

  it('of the waiting places one network gets a ninth as well', () => {
    const { enter, gate } = make();
    for (let i = 0; i < 500; i++) enter('a', `d${i}`);
    expect(gate.waiting).toBe(45);
    expect(enter('b', 'd')).not.toBeNull();
  });
});

describe('turns', () => {
  it('go round by network, and by domain within', () => {
    const { enter, started, leave } = make({ places: 1, freshPlaces: 1 });
    const first = enter('x', 'x');
    for (const [network, domain] of [
      ['a', '1'],
      ['a', '1'],
      ['a', '2'],
      ['b', '3'],
    ] as const) {
      enter(network, domain);
    }
    const order: string[] = [];
    leave(first);
    for (let i = 0; i < 4; i++) {
      const [next] = started;
      if (next === undefined) break;
      order.push(`${String(next.network)}${next.domain}`);
      leave(next);
    }
    expect(order).toEqual(['a1', 'b3', 'a2', 'a1']);
  });

  it('come to what waits once the fresh have aged, though nobody leaves', async () => {
    const { enter, started } = make({ freshPlaces: 8 });
    for (let i = 0; i < 20; i++) enter(`n${i}`, `d${i}`);
    expect(started).toHaveLength(8);
    await clock.pass(100);
    expect(started).toHaveLength(16);
  });

  it('are nobody’s who has left the queue', () => {
    const { enter, started, leave, gate } = make({ places: 1, freshPlaces: 1 });
    const first = enter('x', 'x');
    const gone = enter('a', 'a');
    enter('b', 'b');
    leave(gone);
    leave(first);
    expect(started.map(({ network }) => network)).toEqual(['b']);
    expect(gate.waiting).toBe(0);
  });

  it('pass over a ticket that needs its place no more', () => {
    const { gate, enter, leave, started } = make({ places: 1, freshPlaces: 1 });
    const first = enter('x', 'x');
    for (let i = 0; i < 300; i++) gate.enter({ network: `n${i}`, domain: 'd', start: () => false });
    const last = enter('y', 'y');
    leave(first);
    expect(started).toEqual([last]);
    expect([gate.inFlight, gate.waiting]).toEqual([1, 0]);
  });
});

it('whatever comes and goes: no more than there are places, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }), fc.nat({ max: 3 })), { maxLength: 300 }),
      async (steps) => {
        const { gate, enter, leave, started } = make({ places: 20, freshPlaces: 10, waitingPlaces: 60 });
        const all = new Set<Ticket>();
        for (const [network, domain, what] of steps) {
          if (what < 3) {
            const ticket = enter(`n${network}`, `d${domain}`);
            if (ticket !== null) all.add(ticket);
          } else {
            const [ticket] = [...all].slice(network);
            if (ticket !== undefined) {
              leave(ticket);
              all.delete(ticket);
            }
          }
          if (domain === 0) await clock.pass(60);
          expect(gate.inFlight).toBe(started.length);
          expect(gate.inFlight).toBeLessThanOrEqual(20);
          expect(gate.inFlight + gate.waiting).toBe(all.size);
        }
        while (all.size > 0) {
          const [ticket] = started;
          expect(ticket).toBeDefined();
          if (ticket === undefined) break;
          leave(ticket);
          all.delete(ticket);
          await clock.pass(100);
        }
        expect([gate.inFlight, gate.waiting]).toEqual([0, 0]);
      },
    ),
    { numRuns: 50 },
  );
});

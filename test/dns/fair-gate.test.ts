import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientNetworks } from '../../src/core/client-networks.ts';
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
  readonly enter: (network: string | ClientNetworks | null, domain: string) => Ticket | null;
  readonly leave: (ticket: Ticket | null) => void;
}

/** A network in a block of its own. */
function alone(network: string): ClientNetworks {
  return { network, site: network, block: network };
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
        networks: typeof network === 'string' ? alone(network) : network,
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
      order.push(`${String(next.networks?.network)}${next.domain}`);
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
    expect(started.map(({ networks }) => networks?.network)).toEqual(['b']);
    expect(gate.waiting).toBe(0);
  });

  it('pass over a ticket that needs its place no more', () => {
    const { gate, enter, leave, started } = make({ places: 1, freshPlaces: 1 });
    const first = enter('x', 'x');
    for (let i = 0; i < 300; i++) gate.enter({ networks: alone(`n${i}`), domain: 'd', start: () => false });
    const last = enter('y', 'y');
    leave(first);
    expect(started).toEqual([last]);
    expect([gate.inFlight, gate.waiting]).toEqual([1, 0]);
  });
});

/** The nth of 64 networks: four in each site, four sites in each block. */
function nested(n: number): ClientNetworks {
  return { network: `net${n}`, site: `site${n >> 2}`, block: `block${n >> 4}` };
}

const mostHeld = (started: readonly Ticket[], keyOf: (ticket: Ticket) => string | undefined): number => {
  const held = new Map<string | undefined, number>();
  for (const ticket of started) held.set(keyOf(ticket), (held.get(keyOf(ticket)) ?? 0) + 1);
  return Math.max(0, ...held.values());
};

describe('a block and a site', () => {
  const V4 = (n: number): ClientNetworks => ({ network: `n${n}`, site: `n${n}`, block: 'b' });
  const V6 = (n: number): ClientNetworks => ({ network: `n${n}`, site: 's', block: 'b' });

  it.each<[string, (n: number) => ClientNetworks, number]>([
    ['the 256 /24s of a /16 get a fifth', V4, 16],
    ['the /64s of a /48 get a ninth', V6, 9],
    ['a single /64 gets a seventeenth', () => V6(0), 5],
  ])('%s, and leave the rest', (_, networks, most) => {
    const { enter, started } = make();
    for (let i = 0; i < 300; i++) enter(networks(i % 256), `d${i}`);
    expect(started).toHaveLength(most);
    const other = enter('other', 'other');
    expect(started).toContain(other);
  });

  it('keep a network that wants a place waiting for one turn, whatever its neighbours want', () => {
    const { enter, started, leave } = make();
    for (let i = 0; i < 60; i++) enter(V4(i % 2), `d${i}`);
    const mine = enter(V4(9), 'mine');
    expect(started).not.toContain(mine);
    for (let turn = 0; turn < 3; turn++) leave(started[0] ?? null);
    expect(started).toContain(mine);
  });

  it('get a part of the waiting places, too', () => {
    const { enter, gate } = make();
    for (let i = 0; i < 900; i++) enter(V4(i % 256), `d${i}`);
    // A quarter of what is then left.
    expect(gate.waiting).toBe(80);
    expect(enter('other', 'd')).not.toBeNull();
  });

  it('are greedy together, though each of the networks has little in hand', () => {
    const { enter, gate } = make({ places: 1_000, freshPlaces: 1_000 });
    for (let i = 0; i < 79; i++) enter(V4(i), `d${i}`);
    expect(gate.greedy(V4(0))).toBe(false);
    enter(V4(79), 'd');
    expect(gate.greedy(V4(0))).toBe(true);
    expect(gate.greedy(V4(200))).toBe(true);
    expect(gate.greedy(alone('other'))).toBe(false);
  });
});

it('whatever comes and goes: no more than there are places and in a share, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: 63 }), fc.nat({ max: 12 }), fc.nat({ max: 3 })), { maxLength: 300 }),
      async (steps) => {
        const { gate, enter, leave, started } = make({ places: 20, freshPlaces: 10, waitingPlaces: 60 });
        const all = new Set<Ticket>();
        for (const [network, domain, what] of steps) {
          if (what < 3) {
            const ticket = enter(nested(network), `d${domain}`);
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
          expect(mostHeld(started, ({ networks }) => networks?.network)).toBeLessThanOrEqual(20 / 17 + 1);
          expect(mostHeld(started, ({ networks }) => networks?.site)).toBeLessThanOrEqual(20 / 9 + 1);
          expect(mostHeld(started, ({ networks }) => networks?.block)).toBeLessThanOrEqual(20 / 5 + 1);
          expect(mostHeld(started, (ticket) => ticket.domain)).toBeLessThanOrEqual(20 / 9 + 1);
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

/** The table of the cache against a plain list of what is in it, under bounds that are always reached. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { HELD_BYTES, networkOfKey } from '../../src/state/cache-members.ts';
import { CacheTable, NAME_BYTES, type Room, SHARES } from '../../src/state/cache-table.ts';
import { keptAsItIs } from '../support/kept-as-it-is.ts';

/** Few blocks, sites and networks with few addresses each, so that they become one, two and none again. */
const SMALL = fc.nat(2);
const ADDRESS = fc.oneof(
  fc.tuple(SMALL, SMALL, SMALL).map(([block, network, host]) => `11.${block}.${network}.${host + 1}`),
  fc.tuple(SMALL, SMALL, SMALL).map(([site, network, host]) => `2a00:${site}:1:${network}::${host + 1}`),
);
const STEP = fc.record({ address: ADDRESS, name: fc.constantFrom('a', 'b', 'c'), size: fc.nat(400) });
const ROOM: fc.Arbitrary<Room> = fc.record({
  addresses: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(200)),
  bytes: fc.oneof(fc.integer({ min: 600, max: 20_000 }), fc.integer({ min: 20_000, max: 60_000 })),
});

it('has what it says, and what was asked for last', () => {
  fc.assert(
    fc.property(ROOM, fc.array(STEP, { minLength: 20, maxLength: 120 }), (room, steps) => {
      const table = new CacheTable<string>();
      const packing = keptAsItIs<string>(() => 0);
      const seen = new Set<string>();
      for (const { address, name, size } of steps) {
        const ip = parseIp(address) ?? expect.fail();
        const held = table.get(ip.text) ?? table.add(ip);
        seen.add(ip.text);
        if (held.find(name) === null) {
          const { packed } = packing.pack(name, 0);
          expect(packed.isNamed(name)).toBe(true);
          packed.bytes = NAME_BYTES + size;
          table.store(held, packed);
        }
        table.trim(held, room);
        expect(table.get(ip.text)).toBe(held);
        const kept = [...seen].flatMap((each) => table.get(each) ?? []);
        expect(table.size).toBe(kept.length);
        expect(table.bytes).toBe(kept.reduce((sum, { bytes }) => sum + bytes, 0));
        for (const { names, bytes, key } of kept) {
          const own = names.reduce((sum, each) => sum + each.bytes, 0);
          expect(bytes).toBe(HELD_BYTES[key.includes('.') ? 4 : 6] + own);
        }
        const ofNetwork = kept.filter((each) => networkOfKey(each.key) === networkOfKey(held.key));
        if (ofNetwork.length > 1) {
          const bytes = ofNetwork.reduce((sum, each) => sum + each.bytes, 0);
          expect(bytes).toBeLessThanOrEqual(room.bytes * SHARES.network);
        }
        if (kept.length > 1) {
          expect(table.size).toBeLessThanOrEqual(room.addresses);
          expect(table.bytes).toBeLessThanOrEqual(room.bytes);
        }
      }
    }),
    { numRuns: 200 },
  );
});

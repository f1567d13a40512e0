/** A group that was seen once is kept as a number: nobody may notice. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DISPOSITIONS } from '../../src/policy/policy.ts';
import { type Tallied, countIn, emptyGroup, type Group } from '../../src/report/group.ts';
import { GroupTable } from '../../src/report/group-table.ts';

/** Each group an object from the first decision on. */
function plainly(changes: readonly (readonly [name: string, change: Tallied])[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const [name, change] of changes) {
    const group = groups.get(name) ?? emptyGroup(name);
    countIn(group, change);
    groups.set(name, group);
  }
  return groups;
}

/** Without what only serves the counting. */
const told = ({ message: _, seenOn: _seenOn, ...group }: Group): unknown => group;

const change = fc.record({
  // Before 1970, with fractions and far away as well: whoever writes a log may write anything.
  time: fc.oneof(
    fc.integer({ min: 1_700_000_000_000, max: 1_700_500_000_000 }),
    fc.constantFrom(0, -1, 0.5, 2 ** 48 - 1, 2 ** 48, 8.64e15),
  ),
  isNext: fc.boolean(),
  then: fc.constantFrom(...DISPOSITIONS),
  now: fc.constantFrom(...DISPOSITIONS),
  unknown: fc.boolean(),
});
const histories = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), change), { maxLength: 20 })
  .map((each) => {
    let message = 1;
    return each.map(([name, { isNext, ...facts }], i) => {
      if (isNext && i > 0) message++;
      return [name, { ...facts, message }] as const;
    });
  });

it('has the groups that counting one by one gives, at every moment', () => {
  fc.assert(
    fc.property(histories, fc.nat(), (changes, when) => {
      const table = new GroupTable();
      for (const [i, [name, each]] of changes.entries()) {
        table.count(name, each);
        // Looking changes nothing.
        if (i === when % changes.length) expect([...table.values()]).toHaveLength(table.size);
      }
      const wanted = plainly(changes);
      expect([...table.keys()]).toEqual([...wanted.keys()]);
      expect([...table.values()].map(told)).toEqual([...wanted.values()].map(told));
      for (const name of wanted.keys()) expect(table.get(name)?.decisions).toBe(wanted.get(name)?.decisions);
      expect(table.get('z')).toBeUndefined();
    }),
  );
});

it('has those for whom most would change first, then those with the most decisions, then by name', () => {
  fc.assert(
    fc.property(histories, (changes) => {
      const table = new GroupTable();
      for (const [name, each] of changes) table.count(name, each);
      const keys = ({ stricter, milder, decisions, name }: Group): [number, number, number, string] => [
        -stricter,
        -milder,
        -decisions,
        name,
      ];
      const order = [...plainly(changes).values()].map(keys).sort((a, b) => {
        const at = a.findIndex((value, i) => value !== b[i]);
        return at === -1 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
      });
      expect([...table.byChange()].map(keys)).toEqual(order);
    }),
  );
});

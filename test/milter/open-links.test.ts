import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OpenLinks, type Placed } from '../../src/milter/open-links.ts';

interface Named extends Placed {
  readonly name: number;
}
const named = (name: number): Named => ({ name, place: 0 });
const names = (links: Iterable<Named>): number[] => [...links].map(({ name }) => name).sort((a, b) => a - b);

it('has what was added and has not been deleted, as a set has', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 }), (steps) => {
      const links = new OpenLinks<Named>();
      const expected = new Set<Named>();
      const all = Array.from({ length: 10 }, (_, i) => named(i));
      for (const [adds, which] of steps) {
        const link = all[which] ?? expect.fail();
        if (!adds) {
          links.delete(link);
          expected.delete(link);
        } else if (!expected.has(link)) {
          links.add(link);
          expected.add(link);
        }
        expect(links.size).toBe(expected.size);
        expect(names(links)).toEqual(names(expected));
      }
    }),
  );
});

it.each([
  [
    'the one that is visited',
    (links: OpenLinks<Named>, link: Named) => {
      links.delete(link);
    },
  ],
  ['nobody', () => undefined],
] as const)('visits each once while %s goes', (_, meanwhile) => {
  const links = new OpenLinks<Named>();
  for (let i = 0; i < 5; i++) links.add(named(i));
  const visited: number[] = [];
  for (const link of links) {
    visited.push(link.name);
    meanwhile(links, link);
  }
  expect(visited.sort()).toEqual([0, 1, 2, 3, 4]);
});

it('takes one again that had gone', () => {
  const links = new OpenLinks<Named>();
  const [a, b] = [named(1), named(2)];
  for (const each of [a, b]) links.add(each);
  links.delete(a);
  links.add(a);
  expect(names(links)).toEqual([1, 2]);
});

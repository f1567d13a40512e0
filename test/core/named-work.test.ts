import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NamedWork } from '../../src/core/named-work.ts';

const KEYS = ['A a.org', '__proto__', 'constructor', 'toString', '', '7', 'hasOwnProperty', 'ä'];

it('holds what a Map would, whatever the texts are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom('set', 'delete', 'clear')), {
        maxLength: 60,
      }),
      (steps) => {
        const table = new NamedWork<object>();
        const expected = new Map<string, object>();
        for (const [key, what] of steps) {
          const value = { key };
          if (what === 'set') {
            table.set(key, value);
            expected.set(key, value);
          } else if (what === 'delete') {
            table.delete(key);
            expected.delete(key);
          } else {
            table.clear();
            expected.clear();
          }
          expect(table.size).toBe(expected.size);
          for (const each of KEYS) expect(table.get(each)).toBe(expected.get(each));
        }
      },
    ),
  );
});

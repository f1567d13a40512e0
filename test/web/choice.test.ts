/** What is tried on the page leaves it as flags, as lines of the file and as a link, and means the same. */
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { PRESETS } from '../../src/core/check.ts';
import { findings } from '../../src/core/checks/index.ts';
import {
  type Choice,
  choiceFrom,
  choiceOf,
  flagsOf,
  fragmentOf,
  REQUIREMENTS,
  tomlOf,
  withThreshold,
} from '../../web/choice.ts';

const ids = [...findings.keys()];
const isFinding = (id: string): boolean => findings.has(id);
const GIVEN = choiceOf(readConfig(new Map()));
const someScore = fc.oneof(fc.integer({ min: 1, max: 1_000_000 }), fc.constantFrom(0.1, 0.5, 2.25));
const someChoice: fc.Arbitrary<Choice> = fc.record({
  policy: fc.constantFrom(...PRESETS),
  rejectAt: someScore,
  tempfailAt: fc.constant(0.1),
  require: fc.constantFrom(null, ...REQUIREMENTS),
  weight: fc.uniqueArray(fc.tuple(fc.constantFrom(...ids), fc.integer({ min: 0, max: 50 })), {
    selector: ([id]) => id,
    maxLength: 5,
  }),
  enforcePercent: fc.integer({ min: 0, max: 100 }),
});

/** The options that a command line or a file gives, as the program reads them. */
function read(given: readonly (readonly [name: string, value: string])[]): Choice {
  const byKey = new Map<string, string[]>();
  for (const [name, value] of given) {
    const key = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    byKey.set(key, [...(byKey.get(key) ?? []), value]);
  }
  return choiceOf(readConfig(byKey));
}

it('as flags', () => {
  fc.assert(
    fc.property(someChoice, (choice) => {
      const given = [...flagsOf(choice).matchAll(/--([a-z-]+) (\S+)/g)].map(
        ([, name = '', value = '']) => [name, value] as const,
      );
      expect(read(given)).toEqual(choice);
    }),
  );
});

it('as lines of the configuration file', () => {
  fc.assert(
    fc.property(someChoice, (choice) => {
      const given = Object.entries(parse(tomlOf(choice))).flatMap(([name, value]) =>
        typeof value === 'object'
          ? Object.entries(value).map(([id, weight]) => [name, `${id}=${String(weight)}`] as const)
          : [[name, String(value)] as const],
      );
      expect(read(given)).toEqual(choice);
    }),
  );
});

it('as a link', () => {
  fc.assert(
    fc.property(someChoice, (choice) => {
      expect(choiceFrom(`#${fragmentOf(choice)}`, GIVEN, isFinding)).toEqual(choice);
    }),
  );
});

describe('a link that says it wrongly', () => {
  it.each([
    'policy=worst',
    'reject-at=0',
    'reject-at=1e9',
    'reject-at=-1',
    'tempfail-at=NaN',
    'require=none',
    'weight=nothing%3D5',
    'weight=helo-syntax',
    'weight=helo-syntax%3D-1',
    'weight=__proto__%3D1',
    'enforce-percent=101',
    'enforce-percent=1.5',
    '<script>alert(1)</script>',
    '%',
    'a'.repeat(10_000),
  ])('leaves it as it is: %s', (fragment) => {
    expect(choiceFrom(fragment, GIVEN, isFinding)).toEqual(GIVEN);
  });

  it('cannot put the thresholds into the wrong order', () => {
    const { rejectAt, tempfailAt } = choiceFrom('reject-at=3&tempfail-at=8', GIVEN, isFinding);
    expect(tempfailAt).toBeLessThanOrEqual(rejectAt);
  });
});

it('a threshold that is moved takes the other one with it', () => {
  expect(withThreshold(GIVEN, 'rejectAt', 3)).toMatchObject({ rejectAt: 3, tempfailAt: 3 });
  expect(withThreshold(GIVEN, 'tempfailAt', 12)).toMatchObject({ rejectAt: 12, tempfailAt: 12 });
  expect(withThreshold(GIVEN, 'rejectAt', -5)).toMatchObject({ rejectAt: 0.1, tempfailAt: 0.1 });
});

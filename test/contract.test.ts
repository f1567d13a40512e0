/**
 * Words that operators build on: options, finding ids, log events and their fields, metrics, exemptions.
 * Every word of the last version is still there, and every new one is in the CHANGELOG.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flagOf } from '../src/config/option.ts';
import { ROWS } from '../src/config/options.ts';
import { findings } from '../src/core/checks/index.ts';
import { decisionText } from '../src/decisions/decision.ts';
import { EVENTS, type LogEvent } from '../src/log/events.ts';
import { METRICS } from '../src/monitoring/prometheus.ts';
import { EXEMPTIONS } from '../src/policy/exemption.ts';
import { DECISIONS } from './fixtures/decisions.ts';
import { wordsOf } from './support/forgotten.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

const WORDS: Readonly<Record<string, readonly string[]>> = {
  option: ROWS.map(([key]) => flagOf(key)),
  finding: [...findings.keys()],
  event: [...new Set(Object.values<LogEvent>(EVENTS).map(({ word }) => word))],
  'log field': [
    ...new Set([
      ...Object.values<LogEvent>(EVENTS).flatMap(({ fields }) => fields ?? []),
      ...decisionText({ ...DECISIONS.full, exempt: 'access' })
        .split(' ')
        .flatMap((word) => /^([a-z]+)=/.exec(word)?.[1] ?? []),
    ]),
  ],
  metric: METRICS.map(({ name }) => name),
  exemption: Object.keys(EXEMPTIONS),
};

const BEFORE = JSON.parse(read('fixtures/contract-0.1.0.json')) as Readonly<
  Record<string, readonly string[]>
>;
const CHANGELOG = read('../CHANGELOG.md');

function lost(before: typeof WORDS, now: typeof WORDS): string[] {
  return Object.entries(before).flatMap(([kind, words]) =>
    words
      .filter((word) => now[kind]?.includes(word) !== true)
      .map(
        (word) =>
          `the ${kind} "${word}" is gone: operators build on it; keep it, or make it another major version`,
      ),
  );
}

function untold(before: typeof WORDS, now: typeof WORDS, changelog: string): string[] {
  const told = new Set((changelog.match(/`[^`]+`/g) ?? []).flatMap((code) => [...wordsOf(code)]));
  return Object.entries(now).flatMap(([kind, words]) =>
    words
      .filter((word) => before[kind]?.includes(word) !== true && !told.has(word))
      .map(
        (word) => `CHANGELOG.md does not tell of the ${kind} "${word}": add a line in the operator's words`,
      ),
  );
}

it('every word of 0.1.0 is still there', () => {
  expect(lost(BEFORE, WORDS)).toEqual([]);
});

it('every new word is in the CHANGELOG', () => {
  expect(untold(BEFORE, WORDS, CHANGELOG)).toEqual([]);
});

describe('is told', () => {
  it.each(Object.keys(WORDS))('a new %s, and one that is gone', (kind) => {
    const more = { ...WORDS, [kind]: [...(WORDS[kind] ?? []), 'moon-rises'] };
    expect(untold(WORDS, more, 'nothing of it')).toEqual([
      `CHANGELOG.md does not tell of the ${kind} "moon-rises": add a line in the operator's words`,
    ]);
    for (const other of ['It moon-rises now.', 'A new `moon-rises-late`.', 'A new `no-moon-rises`.'])
      expect(untold(WORDS, more, other)).toHaveLength(1);
    for (const line of ['A new `moon-rises`.', 'A new `x=moon-rises 7`.'])
      expect(untold(WORDS, more, line)).toEqual([]);
    expect(lost(more, WORDS)).toEqual([
      `the ${kind} "moon-rises" is gone: operators build on it; keep it, or make it another major version`,
    ]);
  });
});

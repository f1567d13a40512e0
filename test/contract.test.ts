/**
 * Words that operators build on: options, finding ids, log events and their fields, metrics, exemptions, and
 * what is said by exit code, header and decision log. Every word of the last version is still there, and
 * every new one by which something is set or seen is in the CHANGELOG.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flagOf } from '../src/config/option.ts';
import { ROWS } from '../src/config/options.ts';
import { findings } from '../src/core/checks/index.ts';
import { decisionText } from '../src/decisions/decision.ts';
import { EXIT_CODES } from '../src/commands/exit-codes.ts';
import { EVENTS, type LogEvent } from '../src/log/events.ts';
import { METRICS } from '../src/monitoring/prometheus.ts';
import { EXEMPTIONS } from '../src/policy/exemption.ts';
import { DECISIONS } from './fixtures/decisions.ts';
import { wordsOf } from './support/forgotten.ts';
import { tagged } from './support/tagged.ts';

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

interface Schema {
  readonly properties: object;
  readonly $defs: { readonly judged: { readonly properties: object } };
}
const SCHEMA = JSON.parse(read('../docs/decision-log.schema.json')) as Schema;

/** Of these no new one has to be told by its name alone. */
const MORE_WORDS: Readonly<Record<string, readonly string[]>> = {
  'label of a metric': METRICS.flatMap(({ name, labels }) => labels.map((label) => `${name} ${label}`)),
  'exit code': EXIT_CODES.map(([code]) => String(code)),
  'word of the header': [
    ...(await tagged('198.51.100.7', 'gone.example.org', {}, 'mx')).matchAll(/([a-z.-]+)=/g),
  ].map(([, word = '']) => word),
  'field of the decision log': [
    ...Object.keys(SCHEMA.properties),
    ...Object.keys(SCHEMA.$defs.judged.properties).map((name) => `judged.${name}`),
  ],
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
  const now = { ...WORDS, ...MORE_WORDS };
  expect(Object.keys(BEFORE).sort()).toEqual(Object.keys(now).sort());
  expect(lost(BEFORE, now)).toEqual([]);
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

/** A new check, option, metric or log event: tells which of the steps in CONTRIBUTING.md was forgotten. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findings } from '../src/core/checks/index.ts';
import { EVENTS, type LogEvent } from '../src/log/events.ts';
import { Metrics } from '../src/monitoring/metrics.ts';
import { idleNumbers, untestedFindings, untoldEvents } from './support/forgotten.ts';

function treeOf(path: string): ReadonlyMap<string, string> {
  const root = fileURLToPath(new URL(path, import.meta.url));
  return new Map(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [name, readFileSync(join(root, name), 'utf8')]),
  );
}

const src = treeOf('../src');
const tests = treeOf('core');
/** All but the decision, whose line `src/decisions/` writes. */
const events = Object.entries<LogEvent>(EVENTS).flatMap(([name, { fields }]) =>
  fields === null ? [] : [name],
);
const numbers = Object.keys(new Metrics([], () => 0));

it('nothing is forgotten', () => {
  expect(numbers.length).toBeGreaterThan(15);
  expect([
    ...untoldEvents(src, events),
    ...idleNumbers(src, numbers),
    ...untestedFindings(tests, [...findings.keys()]),
  ]).toEqual([]);
});

it.each(['../src', '../bench', '../scripts', '.'])('no file of %s is empty', (path) => {
  const empty = [...treeOf(path)].filter(([, text]) => text.trim() === '').map(([name]) => name);
  expect(empty).toEqual([]);
});

it('an event may be told on two ways, and a finding named in a longer text', () => {
  const told = new Map([['x.ts', "this.#log.tell(up ? 'moon-rises' : 'moon-sets', {});"]]);
  expect(untoldEvents(told, ['moon-rises', 'moon-sets'])).toEqual([]);
  const tested = new Map([['x.test.ts', 'it(`gives helo-moon, ${n} times`, f);']]);
  expect(untestedFindings(tested, ['helo-moon'])).toEqual([]);
});

describe('is told', () => {
  it.each([
    [
      'an event that nothing tells',
      untoldEvents(src, [...events, 'moon-rises']),
      `nothing tells the log event "moon-rises": call log.tell('moon-rises', …) where it happens, or take its row out of src/log/events.ts`,
    ],
    ...[
      "const x = 'moon-rises';",
      "log.write('moon-rises', {});",
      "log.tell('x', { at: 'moon-rises' });",
    ].map((line): [string, readonly string[], string] => [
      `an event that is a word of something else: ${line}`,
      untoldEvents(new Map([...src, ['log/x.ts', line]]), [...events, 'moon-rises']),
      `nothing tells the log event "moon-rises": call log.tell('moon-rises', …) where it happens, or take its row out of src/log/events.ts`,
    ]),
    [
      'an event that is not written where it is told',
      untoldEvents(
        new Map([...src, ['log/x.ts', "const moon = 'moon-rises'; this.#log.tell(moon, {});"]]),
        events,
      ),
      'log/x.ts calls log.tell with an event that is not written there: write out which it may be',
    ],
    [
      'a number that nothing counts',
      idleNumbers(new Map([...src, ['monitoring/readiness.ts', 'metrics.moons;']]), ['moons']),
      'nothing counts "moons" of Metrics: count it where it happens, or take it out of src/monitoring/metrics.ts',
    ],
    [
      'a number that nobody can see',
      idleNumbers(new Map([...src, ['log/x.ts', 'metrics.moons++;']]), ['moons']),
      'nobody can see "moons" of Metrics: give it a family in src/monitoring/prometheus.ts, and run "npm run docs"',
    ],
    [
      'a finding that no test gives',
      untestedFindings(tests, ['helo-moon']),
      'no test of the checks gives the finding "helo-moon": add a row to one in test/core/checks/',
    ],
    [
      'a finding whose name is a part of another’s',
      untestedFindings(new Map([['x.test.ts', "it('helo-moonlight', f); it('no-helo-moon', f);"]]), [
        'helo-moon',
      ]),
      'no test of the checks gives the finding "helo-moon": add a row to one in test/core/checks/',
    ],
  ])('%s', (_, told, sentence) => {
    expect(told).toEqual([sentence]);
  });
});

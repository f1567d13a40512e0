/** docs/log.md and the README name the events and fields that the program has, and no others. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decisionText } from '../../src/decisions/decision.ts';
import { LEVELS } from '../../src/log/log.ts';
import { DECISIONS } from '../fixtures/decisions.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const page = readFileSync(root('docs/log.md'), 'utf8');

/** Rows of the first table below a heading. */
function table(text: string, heading: string): string[][] {
  const from = text.slice(text.indexOf(`${heading}\n`));
  const [, , ...rows] = from.slice(from.indexOf('|')).split('\n\n', 1).join('').split('\n');
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const words = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

/** Every decision that has all fields has them in this order. */
const FIELDS = [
  ...decisionText({ ...DECISIONS.full, exempt: 'access', helo: 'x', sender: 'x', recipient: 'x' }).matchAll(
    / ([a-z]+)=/g,
  ),
].map(([, key = '']) => key);

it.each([
  ['docs/log.md', page, '## The decision line'],
  ['README.md', readFileSync(root('README.md'), 'utf8'), '## The log line'],
])('%s has the fields of the decision line, in their order', (_, text, heading) => {
  expect(table(text, heading).flatMap(([cell]) => words(cell))).toEqual(FIELDS);
});

it('the exemptions are those of the program', () => {
  const source = ['policy/exemption.ts', 'session/helo-milter.ts']
    .map((name) => readFileSync(root(`src/${name}`), 'utf8'))
    .join('');
  const listed = table(page, '### Exemptions').map(([cell]) => words(cell)[0] ?? '');
  for (const word of listed) expect(source).toContain(`'${word}'`);
  const readme = table(readFileSync(root('README.md'), 'utf8'), '## The log line');
  expect(words(readme.find(([cell]) => cell === '`exempt`')?.[1])).toEqual(listed);
});

/** Each call of the log in the source: level, event, fields. */
const CALLS = readdirSync(root('src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => {
    const source = readFileSync(root(`src/${name}`), 'utf8');
    return [...source.matchAll(/\blog\.(error|warning|notice|info|debug)\(\s*'([a-z-]+)'([\s\S]*?)\);/g)].map(
      ([, level = '', event = '', rest = '']) => ({
        level,
        event,
        fields: [...rest.matchAll(/\[\s*'([a-z-]+)',/g)].map(([, field = '']) => field),
      }),
    );
  });

describe('the table of events', () => {
  const rows = table(page, '## All events').map(([event, level = '', fields]) => ({
    event: words(event)[0] ?? '',
    level,
    fields: words(fields),
  }));
  /** Said through a function of another name, or with fields made elsewhere. */
  const ELSEWHERE = new Set([
    'decision',
    'session',
    'started',
    'dns-outage',
    'dns-recovered',
    'node',
    'root',
  ]);

  it('has every event of the program, with its level', () => {
    expect(CALLS.length).toBeGreaterThan(12);
    for (const { event, level } of CALLS) {
      expect(
        rows.filter((row) => row.event === event && row.level === level),
        `${level} ${event}`,
      ).toHaveLength(1);
    }
  });

  it('has none that the program has not', () => {
    const known = new Set(CALLS.map(({ event }) => event));
    for (const { event, level } of rows) {
      expect(known.has(event) || ELSEWHERE.has(event), event).toBe(true);
      expect([...LEVELS, 'notice']).toContain(level);
    }
  });

  it.each(CALLS.filter(({ event }) => !ELSEWHERE.has(event)))(
    '$event has its fields',
    ({ event, level, fields }) => {
      expect(rows.find((row) => row.event === event && row.level === level)?.fields).toEqual(fields);
    },
  );
});

it('the lines shown are lines of the program', () => {
  const shown = /^decision (.*)$/m.exec(page)?.[1] ?? '';
  const json = JSON.parse(/^\{.*"event":"decision".*\}$/m.exec(page)?.[0] ?? '{}') as Record<string, unknown>;
  const { time, level, event, ...fields } = json;
  expect([time, level, event]).toEqual(['2026-11-24T07:40:00.123Z', 'info', 'decision']);
  expect(
    Object.entries(fields)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(' '),
  ).toBe(shown);
});

/** docs/log.md names the events and fields that the program has, and no others. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { decisionText } from '../../src/decisions/decision.ts';
import { EVENTS, type LogEvent } from '../../src/log/events.ts';
import { EXEMPTIONS } from '../../src/policy/exemption.ts';
import { DECISIONS } from '../fixtures/decisions.ts';
import { expectTable, markdown } from '../support/generated.ts';

const PAGE = new URL('../../docs/log.md', import.meta.url);
const page = readFileSync(PAGE, 'utf8');

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

/** A decision with every field has them in this order. */
const FIELDS = [
  ...decisionText({ ...DECISIONS.full, exempt: 'access', helo: 'x', sender: 'x' }).matchAll(/ ([a-z_]+)=/g),
].map(([, key = '']) => key);

it('docs/log.md has the fields of the decision line, in their order', () => {
  expect(table(page, '## The decision line').flatMap(([cell]) => words(cell))).toEqual(FIELDS);
});

it('docs/log.md has the exemptions of the program', () => {
  const rows = Object.entries(EXEMPTIONS).map(([word, because]) => [`\`${word}\``, because]);
  expectTable(PAGE, 'exemptions', markdown(['`exempt`', 'because'], rows));
});

it('docs/log.md has the events of the program', () => {
  const rows = Object.values<LogEvent>(EVENTS).map(({ word, level, fields, when }) => [
    `\`${word}\``,
    level,
    fields?.map((field) => `\`${field}\``).join(' ') ?? 'above',
    when,
  ]);
  expectTable(PAGE, 'events', markdown(['event', 'level', 'fields', 'when'], rows));
});

it('two events of one word have different levels', () => {
  const all = Object.values<LogEvent>(EVENTS).map(({ word, level }) => `${word} ${level}`);
  expect(new Set(all).size).toBe(all.length);
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

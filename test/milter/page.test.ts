/** Compares what docs/milter.md says with the library. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ACTIONS } from '../../src/milter/actions.ts';
import { CALLBACKS } from '../../src/milter/callbacks.ts';
import { Message, MilterClient, replyCode } from '../../src/milter/index.ts';

const page = readFileSync(new URL('../../docs/milter.md', import.meta.url), 'utf8');
const section = (title: string): string => page.split(/^## /m).find((each) => each.startsWith(title)) ?? '';
const methodsOf = (made: { readonly prototype: object }): string[] =>
  Object.getOwnPropertyNames(made.prototype).filter((name) => name !== 'constructor');

it('has a line for each action and each change of a message', () => {
  const rows = [...section('Changing a message').matchAll(/^\| (?:`(\w+)`|none) +\| `(\w+)\(/gm)];
  expect(new Set(rows.flatMap(([, action]) => action ?? []))).toEqual(new Set(Object.keys(ACTIONS)));
  // `finish` is for the library's own use.
  const methods = methodsOf(Message).filter((name) => name !== 'finish');
  expect(new Set(rows.map(([, , method]) => method))).toEqual(new Set(methods));
});

it('tells what each callback of libmilter is here', () => {
  const told = [...section('libmilter').matchAll(/^\| .*?`xxfi_.*?\| (.*?) +\|$/gm)].flatMap(
    ([, here = '']) => [...here.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  for (const event of [...CALLBACKS, 'abort', 'close']) expect(told).toContain(event);
});

it('names all that the client of an MTA can do', () => {
  for (const name of methodsOf(MilterClient))
    expect(section('Driving a filter')).toMatch(new RegExp(`\\b${name}\\b`));
});

it.each([
  [250, '2.0.0'],
  [550, '4.7.1'],
])('replyCode(%i, %j) throws, as the page says', (code, enhanced) => {
  expect(() => replyCode(code, enhanced, 'x')).toThrow(RangeError);
});

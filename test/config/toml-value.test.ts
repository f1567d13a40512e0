import { parse } from 'smol-toml';
import { expect, it } from 'vitest';
import { tomlScalar } from '../../src/config/toml-value.ts';

it.each([
  ['5', '5'],
  ['0.5', '0.5'],
  ['007', '"007"'],
  ['1e3', '"1e3"'],
  ['', '""'],
  ['say "hello"', String.raw`"say \"hello\""`],
])('%j is written %s, and read back as it was', (text, written) => {
  expect(tomlScalar(text)).toBe(written);
  expect(parse(`value = ${written}`)).toEqual({ value: /^[\d.]+$/.test(written) ? Number(text) : text });
});

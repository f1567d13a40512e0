import { expect, it } from 'vitest';
import type { Check } from '../../../src/core/check.ts';
import { literal, literalMatches, literalPrivate, literalSyntax } from '../../../src/core/checks/literal.ts';
import { outcome, run } from '../../support/checked.ts';

it.each<[Check, string | null, string, string]>([
  [literalSyntax, '192.0.2.1', '[192.0.2]', 'helo-literal-malformed'],
  [literalSyntax, '192.0.2.1', '[192.0.2.1]', 'pass'],
  [literalSyntax, '192.0.2.1', 'mail.example.org', 'none'],
  [literal, '192.0.2.1', '[192.0.2.1]', 'helo-literal'],
  [literal, '192.0.2.1', '192.0.2.1', 'none'],
  [literalPrivate, '192.0.2.1', '[10.0.0.1]', 'helo-literal-private'],
  [literalPrivate, '192.0.2.1', '[IPv6:fe80::1]', 'helo-literal-private'],
  [literalPrivate, '10.0.0.1', '[10.0.0.1]', 'none'],
  [literalPrivate, '192.0.2.1', '[192.0.2.9]', 'none'],
  [literalPrivate, '192.0.2.1', '10.0.0.1', 'none'],
  [literalMatches, '192.0.2.1', '[192.0.2.1]', 'pass'],
  [literalMatches, '192.0.2.1', '[192.0.2.001]', 'pass'],
  [literalMatches, '192.0.2.1', '[IPv6:::ffff:192.0.2.1]', 'pass'],
  [literalMatches, '2001:db8::1', '[IPv6:2001:0DB8:0:0:0:0:0:1]', 'pass'],
  [literalMatches, '192.0.2.1', '[192.0.2.2]', 'helo-literal-mismatch'],
  [literalMatches, '192.0.2.1', '[IPv6:2001:db8::1]', 'helo-literal-mismatch'],
  [literalMatches, '192.0.2.1', '[10.0.0.1]', 'none'],
  [literalMatches, null, '[192.0.2.1]', 'none'],
  [literalMatches, '192.0.2.1', 'mail.example.org', 'none'],
])('$name for %s and %j: %s', async (check, ip, helo, wanted) => {
  expect(await outcome(check, ip, helo)).toBe(wanted);
});

it.each([
  ['192.0.2.1', '[192.0.2.1]', true],
  ['192.0.2.1', '[192.0.2.2]', false],
  [null, '[192.0.2.1]', false],
])('%s saying %s opts out: %s', async (ip, helo, optOut) => {
  expect((await run(literal, ip, helo)).optOut).toBe(optOut);
});

it('keeps what comes after the bracket as evidence', async () => {
  expect((await run(literal, '192.0.2.1', '[192.0.2.1] laptop')).evidence['trailing']).toBe('laptop');
});

it.each([
  [null, '[192.0.2.1]'],
  ['203.0.113.5', '[203.0.113.5]'],
  ['2001:db8::5', '[IPv6:2001:db8::5]'],
])('tells %s the right literal', async (ip, wanted) => {
  expect((await run(literalSyntax, ip, '[x]')).evidence['literal']).toBe(wanted);
});

import { expect, it } from 'vitest';
import { knowsShutdown, SHUTDOWN_VERSIONS } from '../../src/doctor/postfix-versions.ts';

it.each<[string | null, boolean | null]>([
  [null, null],
  ['3.5.25', false],
  ['3.7.11', false],
  ['3.7.20', true],
  ['3.8.14', false],
  ['3.9.9', true],
  ['3.10.7', false],
  ['3.10.8', true],
  ['3.11.0', true],
  ['3.12', true],
  ['4.0', true],
])('Postfix %s knows the default action "shutdown": %s', (version, wanted) => {
  expect(knowsShutdown(version)).toBe(wanted);
});

it('names the versions that it goes by', () => {
  for (const version of SHUTDOWN_VERSIONS.split(/, | or /)) expect(knowsShutdown(version)).toBe(true);
});

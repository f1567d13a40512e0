import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeError } from '../src/errors.ts';

const withCode = (message: string, code: string): Error => Object.assign(new Error(message), { code });

it.each<[title: string, error: unknown, told: string]>([
  ['a system error has its code in the message', withCode('EACCES: no', 'EACCES'), 'EACCES: no'],
  ['another code is added', withCode('no', 'ERR_NO'), 'no (ERR_NO)'],
  ['an error without a code', new Error('no'), 'no'],
  ['something thrown that is no error', 'no', 'no'],
])('%s', (_, error, told) => {
  expect(describeError(error)).toBe(told);
});

it.each<[title: string, script: string, told: RegExp]>([
  ['tells how a program ended', 'process.exit(3)', /^Command failed: \S.*\(3\)$/],
  [
    'tells by which signal a program was ended',
    'process.kill(process.pid)',
    /^Command failed: \S.* \(SIGTERM\)$/,
  ],
])('%s', async (_, script, told) => {
  const error: unknown = await promisify(execFile)(process.execPath, ['-e', script]).catch((e: unknown) => e);
  expect(describeError(error)).toMatch(told);
});

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeError, fileFault } from '../src/errors.ts';

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

it.each<[path: string, told: string]>([
  ['/no/such, file', '/no/such, file: no such file or directory'],
  ['/', '/: illegal operation on a directory'],
])('tells what is wrong with a file as a person would: %s', async (path, told) => {
  const error: unknown = await readFile(path).catch((e: unknown) => e);
  expect(fileFault(path, error)).toBe(told);
  expect(fileFault('log.gz', new Error('incorrect header check'))).toBe('log.gz: incorrect header check');
});

/**
 * Fields that pretend to be ours, as other software reads them: whatever Debian's authres takes for ours, so
 * do we.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { pretendsToBeOurs } from '../../src/session/our-field.ts';
import { FORGED, OTHERS } from '../fixtures/forged-fields.ts';
import { describeWith } from './kit/present.ts';

const READER = fileURLToPath(new URL('read-authres.py', import.meta.url));

interface Understood {
  readonly id?: string | null;
  readonly methods?: readonly { readonly method: string }[];
}

/** Those of the values that authres takes for ours. */
function believed(values: readonly string[]): number[] {
  const input = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const lines = execFileSync('/usr/bin/python3', [READER], { input }).toString().trimEnd().split('\n');
  return lines.flatMap((line, i) => {
    const { id, methods = [] } = JSON.parse(line) as Understood;
    const ours = id?.toLowerCase() === 'mx.dest.test';
    return ours && methods.some(({ method }) => /^x-(?:helo|csa)$/iu.test(method)) ? [i] : [];
  });
}

describeWith(['python3-authres'], 'authres', () => {
  it.each([
    ['bytes', (value: string) => value],
    ['UTF-8', (value: string) => Buffer.from(value, 'latin1').toString()],
  ])('believes nothing that stays: read as %s', (_, read) => {
    const values = [...FORGED, ...OTHERS];
    const ours = believed(values.map(read));
    expect(ours.length).toBeGreaterThan(5);
    expect(
      ours.map((i) => values[i]).filter((value) => !pretendsToBeOurs('mx.dest.test', value ?? '')),
    ).toEqual([]);
  });
});

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FindingSpec, PRESETS } from '../../../src/core/check.ts';
import { checks, findings, sessionChecks } from '../../../src/core/checks/index.ts';

describe('the registry', () => {
  it.each<[string, FindingSpec]>([...findings])('%s is complete', (id, spec) => {
    expect(id).toMatch(/^[a-z]+(?:-[a-z]+)+$/);
    expect(spec.summary).toMatch(/^\S.*[^.\s]$/);
    expect(spec.reference).not.toBe('');
    expect(spec.reason).not.toBe('');
    expect(spec.reply).toMatch(/\{(?:helo|client)\}|no HELO name/);
    for (const preset of PRESETS) {
      const weight = typeof spec.weight === 'number' ? spec.weight : spec.weight[preset];
      expect(weight).toBeGreaterThanOrEqual(0);
    }
    expect([undefined, 501, 503, 550]).toContain(spec.rejectCode);
    expect(spec.status ?? '7.1').toMatch(/^\d\.\d{1,2}$/);
  });

  it('names every check once', () => {
    const names = [...checks, ...sessionChecks].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('lists every finding once', () => {
    const ids = [...checks, ...sessionChecks].flatMap((check) => Object.keys(check.findings));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(findings.has(id)).toBe(true);
  });

  it('has a test beside every file of checks', () => {
    const files = (directory: string): string[] =>
      readdirSync(new URL(directory, import.meta.url)).map((name) => name.replace(/(?:\.test)?\.ts$/, ''));
    expect(files('.')).toEqual(expect.arrayContaining(files('../../../src/core/checks')));
  });
});

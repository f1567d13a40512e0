import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FindingSpec, PRESETS } from '../../../src/core/check.ts';
import { checks, findings, messageChecks, sessionChecks } from '../../../src/core/checks/index.ts';

const SOURCES = '../../../src/core/checks';

function isCheck(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'findings' in value && 'run' in value;
}

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

  it.each<[string, (spec: FindingSpec) => unknown, Readonly<Record<string, readonly string[]>>]>([
    [
      'whose plain no they are',
      ({ denies = 'none' }) => denies,
      {
        name: ['helo-spf-fail', 'helo-csa-fail', 'helo-auth-fail', 'helo-claims-us'],
        client: ['helo-denied'],
      },
    ],
    [
      'of which others they exclude',
      ({ exclusive = 'none' }) => exclusive,
      {
        mismatch: ['helo-mismatch', 'helo-literal-mismatch'],
        'reverse-name': ['iprev-fail', 'iprev-none'],
      },
    ],
    [
      'that they are about the client alone',
      ({ aboutClientAlone = 'none' }) => aboutClientAlone,
      { true: ['iprev-fail', 'iprev-none', 'iprev-generic'] },
    ],
    [
      'that an opt-out excuses them, whatever their basis',
      ({ excusedByOptOut = 'none' }) => excusedByOptOut,
      { true: ['helo-dynamic', 'helo-changed', 'helo-churn'] },
    ],
    [
      'what proof leaves of them',
      ({ excusedByProof }) => (excusedByProof === undefined ? 'none' : JSON.stringify(excusedByProof)),
      {
        '{"authorized":0,"aligned":{"rfc5321":2,"emailcore":0,"strict":10}}': [
          'helo-nxdomain',
          'helo-no-address',
          'helo-private-address',
        ],
        '{"reverse":{"rfc5321":5,"emailcore":10,"strict":10}}': ['helo-special-use', 'helo-unregistered'],
        '{"exact":1}': ['helo-spf-softfail'],
        '{"exact":0,"authorized":0}': [
          'helo-public-suffix',
          'helo-dynamic',
          'iprev-fail',
          'iprev-none',
          'iprev-other-name',
          'iprev-generic',
          'helo-changed',
          'helo-churn',
        ],
      },
    ],
  ])('findings say %s', (_, word, wanted) => {
    const said = new Map<string, string[]>();
    for (const [id, spec] of findings) {
      const key = String(word(spec));
      if (key !== 'none') said.set(key, [...(said.get(key) ?? []), id]);
    }
    const sorted = (ids: readonly string[]): string[] => [...ids].sort();
    expect(new Map([...said].map(([key, ids]) => [key, sorted(ids)]))).toEqual(
      new Map(Object.entries(wanted).map(([key, ids]) => [key, sorted(ids)])),
    );
  });

  it('has words of its own for every method', () => {
    const methods = checks.flatMap(({ method }) => (method === undefined ? [] : [method]));
    for (const words of [
      methods.map(({ heading }) => heading),
      methods.flatMap(({ access }) => access?.key ?? []),
      methods.flatMap(({ results }) => results?.method ?? []),
    ]) {
      expect(words.length).toBeGreaterThan(0);
      expect(new Set(words).size).toBe(words.length);
    }
  });

  const files = (directory: string): string[] =>
    readdirSync(new URL(directory, import.meta.url)).map((name) => name.replace(/(?:\.test)?\.ts$/, ''));
  const written = files(SOURCES);

  it.each(written)('has a test beside %s', (name) => {
    expect(files('.'), `write test/core/checks/${name}.test.ts`).toContain(name);
  });

  it.each(written)('has what %s defines', async (name) => {
    const known: readonly unknown[] = [...checks, ...sessionChecks, ...messageChecks];
    const module = (await import(new URL(`${SOURCES}/${name}.ts`, import.meta.url).href)) as object;
    const defined = Object.entries(module).filter(([, value]) => isCheck(value));
    expect(
      defined.filter(([, value]) => !known.includes(value)).map(([word]) => word),
      `put these checks of ${name}.ts into src/core/checks/index.ts`,
    ).toEqual([]);
  });
});

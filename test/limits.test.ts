/** docs/limits.md against the code: each bound that it names is there, with that value, option and metric. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nameOf } from '../src/config/option.ts';
import { ROWS } from '../src/config/options.ts';
import { METRICS } from '../src/monitoring/prometheus.ts';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const page = readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8');
const table = page.split('<!-- bounds -->')[1]?.split('<!-- /bounds -->')[0] ?? '';
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, what = '', standard = '', option = '', code = '', happens = '', metric = '']) => ({
    ...{ what, standard, option, code, happens, metric },
  }));

const source = (file: string): string => readFileSync(join(SRC, file), 'utf8');
const constantsOf = (code: string): [file: string, text: string][] =>
  [...code.matchAll(/`([\w/-]+\.ts)`: `([^`]+)`/g)].map(([, file = '', text = '']) => [file, text]);

it('has rows', () => {
  expect(rows.length).toBeGreaterThan(40);
});

describe.each(rows)('$what', ({ standard, option, code, happens, metric }) => {
  it('is in the code as the page has it', () => {
    expect(happens).not.toBe('');
    expect(code + option).not.toBe('');
    for (const [file, text] of constantsOf(code)) expect(`${file}: ${source(file)}`).toContain(text);
    const [, flag] = /^`--([\w-]+)`/.exec(option) ?? [];
    if (flag !== undefined) {
      const row = ROWS.find(([key]) => nameOf(key) === flag)?.[1];
      expect(row).toBeDefined();
      // Elsewhere the option sets something else, and the bound is a constant.
      if (standard.startsWith('`') || constantsOf(code).length === 0) {
        const value = /^`(.*)`$/.exec(standard)?.[1] ?? standard.replaceAll(',', '');
        expect(value).toBe(String(row?.default));
      }
    }
    if (metric !== '') expect(METRICS.map(({ name }) => `\`${name}\``)).toContain(metric);
  });
});

/** Bounds of a format, or of a search in what has a bound itself: whoever reaches these fills nothing. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'decisions/decision.ts': ['MAX_MORE', 'MAX_REASONS'],
  'decisions/log-lines.ts': ['MAX_LINE'],
  'decisions/log-reader.ts': ['MAX_TOLD'],
  'decisions/members.ts': ['MAX_DEPTH'],
  'dns/answer-memory.ts': ['MAX_WORDS'],
  'dns/fair-gate.ts': ['MAX_LOOKS'],
  'dns/message.ts': ['MAX_ERRORS', 'MAX_ERROR_TEXT', 'MOST_ANSWERS', 'MOST_SOAS'],
  'dns/name.ts': ['MAX_LABEL', 'MAX_NAME', 'MAX_POINTERS'],
  'dns/resolv-conf.ts': ['MAX_SERVERS', 'MAX_TIMEOUT_S', 'MAX_ATTEMPTS'],
  'dns/upstream.ts': ['MAX_PROBE_MS'],
  'dns/zone-answers.ts': ['MAX_ALIASES', 'MAX_NAME'],
  'log/line-buffer.ts': ['MAX_OCTETS'],
  'milter/address.ts': ['MAX_PATH'],
  'milter/constants.ts': ['MAX_VERSION'],
  'milter/flow.ts': ['MAX_GATHERED'],
  'milter/reply.ts': ['MAX_LINE', 'MAX_LINES'],
  'policy/smtp-reply.ts': ['MAX_TEXT'],
  'state/regulars.ts': ['MAX_NAME'],
  'store/assessment-text.ts': ['MAX_NAME', 'MAX_KEY'],
  'store/reason.ts': ['MAX_REASON'],
  'store/reply-guard.ts': ['MAX_LINE', 'MAX_DEPTH'],
  'store/shared-knowledge.ts': ['MAX_HELO'],
};

it('names every constant that bounds what others send', () => {
  const rooms = [
    'core',
    'decisions',
    'dns',
    'log',
    'milter',
    'monitoring',
    'policy',
    'service',
    'session',
    'state',
    'store',
  ];
  const named = new Set(constantsOf(table).map(([file, text]) => `${file} ${text.split(/[ :]/)[0] ?? ''}`));
  const found = rooms.flatMap((room) =>
    readdirSync(join(SRC, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) =>
        [...source(`${room}/${name}`).matchAll(/^(?:export )?const ((?:MAX|MOST)_\w+)\b/gm)].map(
          ([, constant = '']) => [`${room}/${name}`, constant] as const,
        ),
      ),
  );
  expect(found.length).toBeGreaterThan(60);
  const missing = found.filter(
    ([file, constant]) => !named.has(`${file} ${constant}`) && OTHERS[file]?.includes(constant) !== true,
  );
  expect(missing).toEqual([]);
});

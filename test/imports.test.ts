/** The house has arrows one way; this reads the imports and refuses any other. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function imports(file: string): string[] {
  const source = readFileSync(join(SRC, file), 'utf8');
  return [...source.matchAll(/(?:from|import) '([^']+)'/g)]
    .map(([, target = '']) => target)
    .filter((target) => !source.includes(` * import {`) || !target.startsWith('helo-milter'))
    .map((target) => (target.startsWith('.') ? relative(SRC, join(SRC, dirname(file), target)) : target));
}

/** What a folder or file may import besides its own folder. */
const ALLOWED: readonly (readonly [scope: string, pattern: RegExp])[] = [
  ['core/', /^(?:core\/|tldts$)/],
  ['milter/', /^(?:milter\/|node:)/],
  ['dns/', /^(?:dns\/|core\/|usage-error\.ts$|node:)/],
  [
    'doctor/',
    /^(?:doctor\/|core\/|milter\/|config\.ts$|option-values\.ts$|usage-error\.ts$|node:(?:fs|net|path))/,
  ],
  ['cache.ts', /^(?:node-cache|cache-generation\.ts|core\/)/],
  ['log.ts', /^(?:log-value|repeats)\.ts$/],
  ['log-value.ts', /^$/],
  ['repeats.ts', /^$/],
  ['line-buffer.ts', /^$/],
  ['systemd/', /^(?:systemd\/|host\.ts$|usage-error\.ts$|node:)/],
  ['policy.ts', /^core\//],
  ['smtp-reply.ts', /^(?:core\/|policy\.ts$)/],
  ['usage-error.ts', /^$/],
];

/** Who puts core and protocol together; and of doctor, what reads the spelling of sockets and what knocks at one. */
const MILTER_USERS = [
  'helo-milter.ts',
  'service.ts',
  'doctor/dialled.ts',
  'doctor/probe.ts',
  'session-errors.ts',
  'sockets.ts',
  'launch.ts',
];

/** The entry, which asks for the version of Node only, and the program itself. */
const PROCESS_USERS = ['cli.ts', 'main.ts'];

describe.each(files)('%s', (file) => {
  it('imports only what it may', () => {
    const rule = ALLOWED.find(([scope]) => file.startsWith(scope));
    for (const target of rule === undefined ? [] : imports(file)) {
      expect(target, `${file} imports ${target}`).toMatch(rule?.[1] ?? /$^/);
    }
    if (!MILTER_USERS.includes(file) && !file.startsWith('milter/')) {
      expect(imports(file).filter((target) => target.startsWith('milter/'))).toEqual([]);
    }
  });

  it('is small enough to hold in the head', () => {
    expect(readFileSync(join(SRC, file), 'utf8').split('\n').length).toBeLessThanOrEqual(400);
  });

  if (!PROCESS_USERS.includes(file)) {
    it('leaves the process to main.ts', () => {
      const allowed =
        { 'milter/bind.ts': ['umask'], 'milter/guard.ts': ['emitWarning'] }[file.replaceAll('\\', '/')] ?? [];
      const uses = [...readFileSync(join(SRC, file), 'utf8').matchAll(/\bprocess\.(\w+)/g)].map(
        ([, name]) => name,
      );
      expect(uses.filter((name) => !allowed.includes(name ?? ''))).toEqual([]);
    });
  }
});

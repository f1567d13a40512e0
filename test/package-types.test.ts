/** The types of the packed package, as programs of others see them. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONSUMERS } from './fixtures/consumers.ts';
import { installPacked, ROOT } from './support/packed.ts';
import { unexported } from './support/unexported.ts';

/** The example in the head of each entry point, as a program of its own. */
const EXAMPLES = Object.fromEntries(
  ['index', 'embed', 'milter/index'].map((entry) => {
    const text = readFileSync(join(ROOT, `src/${entry}.ts`), 'utf8');
    const [, example = expect.fail(entry)] = /@example\n \* ```ts\n([^]*?) \* ```/.exec(text) ?? [];
    return [`example-${entry.replace('/', '-')}.ts`, example.replaceAll(/^ \* ?/gm, '')];
  }),
);
const PROGRAMS = { ...CONSUMERS, ...EXAMPLES };

let directory: string;
beforeAll(() => {
  directory = installPacked('@types/node', 'undici-types');
  for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(directory, name), text);
}, 120_000);
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Compiles with the compiler of this package; returns its complaints. */
async function complaints(compiler: string, name: string, options: object): Promise<string> {
  const project = `${compiler}-${name}.json`;
  const compilerOptions = {
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: 'es2022',
    skipLibCheck: false,
    ...options,
  };
  const files = name === 'core-alone' ? ['core.ts'] : Object.keys(PROGRAMS);
  writeFileSync(join(directory, project), JSON.stringify({ compilerOptions, files }));
  const tsc = join(ROOT, 'node_modules', compiler, 'bin', 'tsc');
  const run = promisify(execFile)(process.execPath, [tsc, '-p', project], { cwd: directory });
  return run.then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      return `${stdout}${stderr}` || String(error);
    },
  );
}

describe.each(['typescript-5.4', 'typescript-7'])('%s compiles programs on each entry point', (compiler) => {
  it.each<[string, object]>([
    ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext', types: ['node'] }],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler', types: ['node'] }],
    // The types of the checks need nothing of Node's.
    ['core-alone', { module: 'nodenext', moduleResolution: 'nodenext', types: [] }],
  ])(
    '%s',
    async (name, options) => {
      expect(await complaints(compiler, name, options)).toBe('');
    },
    120_000,
  );
});

it.each<[entry: string, parts: string[]]>([
  [
    'index',
    [
      // Mapped from a table whose rows are of no use to others.
      'Config needs OptionRow',
      'Config needs Options',
      'EventFields needs Events',
      'EventName needs Events',
      'OptionKey needs Options',
      // What only the program itself provides: process, systemd.
      'Surroundings needs Standing',
    ],
  ],
  [
    'embed',
    [
      // For the use of the resolver alone.
      'Asker needs Pending',
      // One half of a union type, and a class of which only two numbers are read.
      'FindingSpec needs AnySpec',
      // Values of options that an embedder hardly sets, and one half of the words of a stream.
      'Policy needs Ramp',
      'PolicyChanges needs Ramp',
      'ReplyOptions needs ReplyCodes',
      'SharedQuestions needs FairGate',
      'Stream needs Unproved',
    ],
  ],
  ['milter/index', []],
])('%s exports what its exports need, but for what types are made of', (entry, parts) => {
  const installed = join(directory, 'node_modules', 'helo-milter', 'dist');
  expect(unexported(join(installed, `${entry}.d.ts`), (file) => file.startsWith(installed))).toEqual(parts);
});

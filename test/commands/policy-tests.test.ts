/** `helo-milter test` as an operator runs it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { runCommand, type Told } from '../support/run-command.ts';

const dir = mkdtempSync(join(tmpdir(), 'policy-tests-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const examples = fileURLToPath(new URL('../../examples/policy-tests/', import.meta.url));
const file = join(dir, 'cases.toml');

const run = (...args: readonly string[]): Promise<Told> => runCommand(args);

const CASES = `zone = '''
mail.example.org.         A   192.0.2.25
25.2.0.192.in-addr.arpa.  PTR mail.example.org.
'''

[[case]]
client = "192.0.2.25"
helo = "mail.example.org"
expect = { disposition = "accept", stream = "verified" }

[[case]]
name = "a partner \\u001b[31m"
client = "203.0.113.93"
helo = "gone.example.org"
expect = { disposition = "accept", cause = "none" }
`;

it('tells a failing case with what was expected, what came of it and why', async () => {
  writeFileSync(file, CASES);
  expect(await run('test', '--no-config', file)).toEqual({
    code: 1,
    out:
      `${file}:12:1: "a partner \\x1b[31m" fails\n` +
      '  expected  disposition=accept cause=none\n' +
      '  got       disposition=tempfail cause=helo-nxdomain\n' +
      '  because   helo-nxdomain 5 + iprev-none 2: score 7\n' +
      '1 case of 2 failed\n',
    err: '',
  });
});

it('goes by the options: an access line makes it pass', async () => {
  writeFileSync(file, CASES.replace(', cause = "none"', ''));
  writeFileSync(join(dir, 'access'), 'allow gone.example.org ip=203.0.113.93\n');
  const access = ['--access', join(dir, 'access')];
  expect(await run('test', '--no-config', ...access, file)).toEqual({
    code: 0,
    out: '2 cases passed\n',
    err: '',
  });
  expect(await run('test', '--no-config', '--trust', '203.0.113.0/24', file)).toMatchObject({ code: 0 });
  expect(await run('test', '--no-config', '--weight', 'helo-nxdomain=0', file)).toMatchObject({ code: 0 });
  // A policy that is only watched is tested as if it were acted on.
  expect(await run('test', '--no-config', '--observe', file)).toMatchObject({ code: 1 });
});

it('as JSON', async () => {
  writeFileSync(file, CASES);
  const { code, out } = await run('test', '--no-config', '--json', file);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    version: 1,
    passed: 1,
    failed: 1,
    cases: [
      {
        name: '192.0.2.25 mail.example.org',
        passed: true,
        expected: { disposition: 'accept', stream: 'verified' },
      },
      {
        passed: false,
        differs: ['disposition', 'cause'],
        got: {
          disposition: 'tempfail',
          cause: 'helo-nxdomain',
          stream: 'failed',
          score: 7,
          exempt: null,
          access: null,
          findings: [
            { id: 'helo-nxdomain', weight: 5 },
            { id: 'iprev-none', weight: 2 },
          ],
        },
      },
    ],
  });
});

it('a bad file is told with all its mistakes, and ends with 78', async () => {
  writeFileSync(
    file,
    CASES.replace('helo = "gone', 'hello = "gone').replace('stream = "verified"', 'stream = 1'),
  );
  const { code, out, err } = await run('test', '--no-config', file);
  expect({ code, out }).toEqual({ code: 78, out: '' });
  expect(err).toContain(`${file}:9:45: stream: takes text`);
  expect(err).toContain(`${file}:14:1: there is no key "hello"; did you mean helo?`);
});

it('--check-config runs them too', async () => {
  const config = ['--config', join(examples, 'helo-milter.toml'), '--check-config'];
  const good = await run(...config, '--policy', 'strict', '--cases', join(examples, 'strict.toml'));
  expect(good).toMatchObject({ code: 0, err: '' });
  expect(good.out).toMatch(/ok \(.*helo-milter\.toml\)\n\d+ cases passed\n$/);
  const bad = await run(...config, '--cases', join(examples, 'strict.toml'));
  expect(bad.code).toBe(1);
  expect(bad.out).toMatch(/\d+ cases of \d+ failed\n$/);
  writeFileSync(file, 'x = 1\n');
  expect(await run(...config, '--cases', file)).toMatchObject({ code: 78 });
  expect(await run('--cases', file)).toMatchObject({ code: 64 });
});

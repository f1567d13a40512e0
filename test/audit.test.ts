/** What CI does with the registry's answer about known faults in what is shipped. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const FAULT = { name: 'commander', severity: 'high', range: '<99' };
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'audit-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Runs it where `npm` prints this; null: where there is no `npm`. */
function audit(printed: string | null): { readonly status: number | null; readonly text: string } {
  if (printed !== null) {
    const npm = join(directory, 'npm');
    writeFileSync(join(directory, 'answer'), printed);
    writeFileSync(npm, `#!/bin/sh\necho "$@" >${directory}/asked\ncat ${directory}/answer\nexit 1\n`);
    chmodSync(npm, 0o755);
  }
  const path = printed === null ? directory : `${directory}${delimiter}${dirname('/bin/sh')}`;
  const { status, stdout } = spawnSync(process.execPath, ['.ci/audit.mjs'], {
    ...{ encoding: 'utf8', env: { PATH: path } },
  });
  return { status, text: stdout };
}

it.each<[string, string | null, number, RegExp]>([
  ['a known fault', JSON.stringify({ vulnerabilities: { commander: FAULT } }), 1, /high in commander <99\n/],
  ['no known fault', '{"vulnerabilities":{}}', 0, /^npm audit: 0 of the production dependencies/],
  ['a registry that refuses', '{"message":"405 Method Not Allowed"}', 0, /NOT DONE, .*\(405 Method Not/],
  ['one that is not there', '{"error":{"summary":"ENOTFOUND"}}', 0, /NOT DONE, .*\(ENOTFOUND\)/],
  ['an answer that is none', 'null', 0, /NOT DONE, .*\(no answer\)/],
  ['an answer without a list', '{"vulnerabilities":null}', 0, /NOT DONE, .*\(no answer\)/],
  ['a fault without a name', '{"vulnerabilities":{"a":null}}', 1, /^npm audit: undefined in undefined/],
  [
    'words that CI would obey',
    JSON.stringify({ vulnerabilities: { a: { ...FAULT, name: 'a\x1b[1m\r\n::error::b' } } }),
    1,
    /^npm audit: high in a\?\[1m\?\?::error::b <99\n/,
  ],
  [
    'a long answer',
    JSON.stringify({ vulnerabilities: { commander: FAULT }, rest: 'a'.repeat(2 << 20) }),
    1,
    /high in commander <99\n/,
  ],
  ['half an answer', '{"vulnerabilities":', 0, /NOT DONE/],
  ['no npm at all', null, 0, /NOT DONE, .*ENOENT/],
])('%s', (_, printed, status, text) => {
  const found = audit(printed);
  expect(found.text).toMatch(text);
  expect(found.status).toBe(status);
});

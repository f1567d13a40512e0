import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TRIAL_LUA } from '../../src/store/trial-script.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** Commands that this text of Lua calls. */
function commands(lua: string): string[] {
  return Array.from(lua.matchAll(/redis\.p?call\('([A-Z]+)'/g), ([, name = '']) => name);
}

describe('the trial of a store', () => {
  const tried = [...TRIAL_LUA.matchAll(/\{ '([A-Z]+)'/g)].map(([, name = '']) => name);
  const all = [...new Set(tried)].sort();

  it('does each command of the scripts', () => {
    const used = readdirSync(new URL('src/store', ROOT)).flatMap((file) =>
      commands(read(`src/store/${file}`)),
    );
    expect(used.length).toBeGreaterThan(10);
    expect([...new Set(used)].sort()).toEqual(all);
  });

  it('does each command that docs/farm.md lets the user do', () => {
    const [line = ''] = /^user helo on .*$/m.exec(read('docs/farm.md')) ?? [];
    const allowed = Array.from(line.matchAll(/ \+(\w+)/g), ([, name = '']) => name.toUpperCase());
    const bySending = ['EVAL', 'EVALSHA', 'SELECT'];
    expect(allowed.filter((name) => !bySending.includes(name)).sort()).toEqual(all);
  });
});

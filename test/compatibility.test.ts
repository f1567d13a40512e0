/** What 0.1.0 read and wrote, with the program as it is: docs/stability.md promises it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../src/commands/command-line.ts';
import { ConfigSource } from '../src/config/source.ts';
import { readRules } from '../src/service/read-rules.ts';
import { registryOf } from '../src/service/registry.ts';

const path = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const FILE = path('0.1.0/helo-milter.toml');
const TEXT = readFileSync(FILE, 'utf8');
const KEYS = [...TEXT.matchAll(/^([a-z\d-]+) = /gm)].map(([, key = '']) => key);

async function run(...args: readonly string[]): Promise<{ code: number; text: string; errors: string }> {
  let text = '';
  let errors = '';
  const terminal = {
    write: (more: string) => (text += more),
    writeError: (more: string) => (errors += more),
  };
  const code = await runCommandLine(args, '0', terminal as never);
  return { code, text, errors };
}

describe('what 0.1.0 read', () => {
  it('is a configuration with all its options', () => {
    const { option } = JSON.parse(readFileSync(path('contract-0.1.0.json'), 'utf8')) as {
      option: readonly string[];
    };
    expect(KEYS.map((key) => `--${key}`)).toEqual(option);
  });

  it('is read as it was', async () => {
    const { code, text, errors } = await run('--config', FILE, '--print-config');
    expect([code, errors]).toEqual([0, '']);
    const fromFile = text.split('\n').filter((line) => line.includes('helo-milter.toml'));
    for (const key of KEYS) expect(fromFile.some((line) => line.startsWith(key))).toBe(true);
  });

  it('is an access list, recipients, a check and a zone that are all still understood', async () => {
    const source = new ConfigSource(new Map(), { file: FILE, environment: {}, standard: null });
    const config = await source.read();
    const registry = await registryOf(config);
    const told: string[] = [];
    const rules = await readRules(config, registry, (entry) => told.push(entry));
    expect(rules.recipients.size).toBe(3);
    expect([...registry.findings.keys()]).toContain('even-address');
    expect(TEXT).toContain('access = "access"');
    expect(readFileSync(path('0.1.0/access'), 'utf8').split('\n').length).toBeGreaterThan(6);
    expect(told.filter((each) => each.includes('error'))).toEqual([]);
  });
});

describe('what 0.1.0 wrote', () => {
  it('is a decision log that replay reads', async () => {
    const logs = ['v1-exact', 'v1-neighbour'].map((name) => path(`records/${name}.json`));
    const { code, text, errors } = await run('replay', '--no-config', '--json', ...logs);
    expect([code, errors]).toEqual([0, '']);
    expect(JSON.parse(text)).toMatchObject({ decisions: 2, unreadable: 0, then: { accept: 2 } });
  });
});

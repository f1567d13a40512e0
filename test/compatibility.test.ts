/** What 0.1.0 read and wrote, with the program as it is: docs/stability.md promises it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigSource } from '../src/config/source.ts';
import { readRules } from '../src/service/read-rules.ts';
import { registryOf } from '../src/service/registry.ts';
import { parseRegulars } from '../src/state/regulars-text.ts';
import { runCommand, type Told } from './support/run-command.ts';

const path = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const FILE = path('0.1.0/helo-milter.toml');
const TEXT = readFileSync(FILE, 'utf8');
const dir = mkdtempSync(join(tmpdir(), 'compatibility-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const KEYS = [...TEXT.matchAll(/^([a-z\d-]+) = /gm)].map(([, key = '']) => key);

const run = (...args: readonly string[]): Promise<Told> => runCommand(args);

describe('what 0.1.0 read', () => {
  it('is a configuration with all its options', () => {
    const { option } = JSON.parse(readFileSync(path('contract-0.1.0.json'), 'utf8')) as {
      option: readonly string[];
    };
    expect(KEYS.map((key) => `--${key}`)).toEqual(option);
  });

  it('is read as it was', async () => {
    const { code, out, err } = await run('--config', FILE, '--print-config');
    expect([code, err]).toEqual([0, '']);
    const fromFile = out.split('\n').filter((line) => line.includes('helo-milter.toml'));
    for (const key of KEYS) expect(fromFile.some((line) => line.startsWith(key))).toBe(true);
  });

  it('passes the check that comes before an installation', async () => {
    const { out, err } = await run('--config', FILE, '--check-config');
    // The machine that runs the tests has not all its directories; nothing else is wrong.
    const faults = `${out}${err}`.split('\n').filter((line) => line.startsWith('helo-milter: '));
    expect(faults.filter((line) => !line.includes('there is no directory /'))).toEqual([]);
  });

  it('is named with its place where an option is not known, as on the way down', async () => {
    const newer = join(dir, 'newer.toml');
    writeFileSync(newer, 'observe = true\nof-another-version = 1\n');
    const { code, err } = await run('--config', newer, '--check-config');
    expect(code).toBe(78);
    expect(err).toContain(`${newer}:2:1: there is no option "of-another-version"`);
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
    const { code, out, err } = await run('replay', '--no-config', '--json', ...logs);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ decisions: 2, unreadable: 0, then: { accept: 2 } });
  });

  it('is not disturbed by records of a version to come, which are counted', async () => {
    const [record = ''] = readFileSync(path('records/v1-exact.json'), 'utf8').split('\n');
    const log = join(dir, 'decisions.log');
    writeFileSync(log, `${record}\n${record.replace('"version":1', '"version":99')}\n`);
    const { code, out } = await run('replay', '--no-config', '--json', log);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ decisions: 1, unreadable: 1 });
  });
});

describe('a file of regulars', () => {
  const first =
    '{"format":"helo-milter-regulars","version":1,"entries":1}\n["192.0.2.25/32","mail.example.org",9,5,20700,20709]\n';

  it('of the first version that had them is read', async () => {
    const file = join(dir, 'regulars');
    writeFileSync(file, first);
    const { code, out } = await run('regulars', '--no-config', '--regulars-file', file, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      regulars: [{ client: '192.0.2.25/32', helo: 'mail.example.org', messages: 9, days: 5 }],
    });
  });

  it('of another version is neither read nor overwritten', () => {
    const read = parseRegulars(first.replace('"version":1', '"version":2'));
    expect(read).toEqual({ fault: 'it is of another version', ours: false });
  });
});

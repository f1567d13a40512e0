import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assess } from '../../src/core/assess.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import { makeClient } from '../../src/core/client.ts';
import { loadOperatorChecks } from '../../src/service/operator-checks.ts';
import { readConfig } from '../../src/config/config.ts';
import { registryOf } from '../../src/service/registry.ts';
import { FileError } from '../../src/errors.ts';
import { zoneResolver } from '../support/zone.ts';

let directory: string;
let count = 0;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'checks-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const KNOWN = { checks: checks.map(({ name }) => name), findings: [...findings.keys()] };
const SPEC = `{ basis: 'local', summary: 's', reference: 'r', weight: 3, reason: 'w', reply: 'no {why}' }`;

function file(source: string): string {
  const path = join(directory, `c${++count}.mjs`);
  writeFileSync(path, source);
  return path;
}

const load = (source: string, timeoutMs = 200): ReturnType<typeof loadOperatorChecks> =>
  loadOperatorChecks([file(source)], KNOWN, timeoutMs);
const check = (run: string, findings_ = `{ 'own-rule': ${SPEC} }`): string =>
  `export default { name: 'own', findings: ${findings_}, run: ${run} };`;

describe('a sound module', () => {
  it.each([
    ['a default export', check('() => "pass"')],
    ['a named export', check('() => "pass"').replace('export default', 'export const own =')],
    ['an array', check('() => "pass"').replace('export default', 'export const all = [').replace(/;$/, '];')],
    [
      'the same by name and by default',
      `${check('() => "pass"').replace('export default', 'const own =')} export { own, own as default };`,
    ],
    ['a check without findings', check('() => "pass"', '{}')],
    [
      'all that a check may have',
      check('() => "pass"').replace(
        'findings:',
        "reads: 'client', onlyIfWeighed: true, provesCorrespondence: false, findings:",
      ),
    ],
    [
      'weights by preset',
      check(
        '() => "pass"',
        `{ 'own-rule': { ...${SPEC}, weight: { rfc5321: 0, emailcore: 1, strict: 2 } } }`,
      ),
    ],
  ])('with %s is loaded', async (_, source) => {
    expect((await load(source)).checks.map(({ name }) => name)).toEqual(['own']);
  });
});

describe('a faulty module stops the start with one sentence:', () => {
  it.each<[string, string, RegExp]>([
    ['syntax', 'export default {', /./],
    ['an import that is not there', 'import "./nowhere.mjs";', /./],
    ['a throw', 'throw new Error("boom\\nbang")', /boom bang/],
    ['nothing exported', 'const x = 1;', /exports no check/],
    ['no name', 'export default { findings: {}, run() {} }', /needs a "name"/],
    ['a bad name', 'export default { name: "A b", findings: {}, run() {} }', /needs a "name"/],
    ['no run', 'export default { name: "own", findings: {} }', /has no function "run"/],
    ['no findings', 'export default { name: "own", run() {} }', /has no "findings"/],
    ['a name of ours', 'export default { name: "iprev", findings: {}, run() {} }', /a check "iprev" already/],
    ['a finding of ours', check('() => 1', `{ 'iprev-fail': ${SPEC} }`), /a finding "iprev-fail" already/],
    ['a bad id', check('() => 1', `{ rule: ${SPEC} }`), /"rule" is not of the form word-word/],
    ['no spec', check('() => 1', `{ 'own-rule': null }`), /it is no object/],
    ['no basis', check('() => 1', `{ 'own-rule': { ...${SPEC}, basis: 'whim' } }`), /"basis" must be one of/],
    ['no reply', check('() => 1', `{ 'own-rule': { ...${SPEC}, reply: '' } }`), /"reply" must be a text/],
    ['a negative weight', check('() => 1', `{ 'own-rule': { ...${SPEC}, weight: -1 } }`), /"weight" must be/],
    [
      'a weight for two presets',
      check('() => 1', `{ 'own-rule': { ...${SPEC}, weight: { strict: 1, rfc5321: 1 } } }`),
      /"weight" must be/,
    ],
    [
      'a 2yz code',
      check('() => 1', `{ 'own-rule': { ...${SPEC}, rejectCode: 250 } }`),
      /"rejectCode" must be 5yz/,
    ],
    [
      'a 5yz code for tempfail',
      check('() => 1', `{ 'own-rule': { ...${SPEC}, tempfailCode: 550 } }`),
      /"tempfailCode" must be 4yz/,
    ],
    [
      'nobody to read from',
      check('() => 1').replace('findings:', "reads: 'clients', findings:"),
      /^\S+: check "own": "reads" must be one of owner, client, or left out$/,
    ],
    [
      'a switch that is neither on nor off',
      check('() => 1').replace('findings:', "onlyIfWeighed: 'no', findings:"),
      /^\S+: check "own": "onlyIfWeighed" must be true or false$/,
    ],
    ['a bad status', check('() => 1', `{ 'own-rule': { ...${SPEC}, status: '5.7.1' } }`), /"status" must be/],
  ])('%s', async (_, source, message) => {
    await expect(load(source)).rejects.toThrow(FileError);
    await expect(load(source)).rejects.toThrow(message);
    await expect(load(source)).rejects.toThrow(/^\/[^\n]+\.mjs: [^\n]+$/);
  });

  it('two files with the same name', async () => {
    const source = check('() => "pass"');
    await expect(loadOperatorChecks([file(source), file(source)], KNOWN, 100)).rejects.toThrow(
      /a check "own" already/,
    );
  });
});

describe('at run time', () => {
  async function result(run: string): Promise<{ said: string; errors: string[] }> {
    const { checks: own } = await load(check(run), 50);
    const errors: string[] = [];
    const { findings: found, correspondence } = await assess(
      makeClient('192.0.2.1', 'mail.org'),
      zoneResolver({ 'mail.org': { A: ['192.0.2.1'] } }),
      [...checks, ...own],
      (name, error) => errors.push(`${name}: ${error instanceof Error ? error.message : String(error)}`),
    );
    // Whatever an operator's check does, ours are not disturbed.
    expect(correspondence).toBe('exact');
    const mine = found.find(({ id }) => id === 'own-rule');
    return { said: mine === undefined ? 'none' : JSON.stringify(mine), errors };
  }

  it.each([
    ['pass', '() => "pass"'],
    ['none', 'async () => "none"'],
    ['nothing', '() => {}'],
    ['null', '() => null'],
    ['an outcome without finding', '() => ({ result: "pass", finding: null })'],
  ])('%s is no finding', async (_, run) => {
    expect(await result(run)).toEqual({ said: 'none', errors: [] });
  });

  it.each([
    ['a finding', '() => ({ id: "own-rule", evidence: { why: "x" } })'],
    ['an outcome', 'async () => ({ result: "fail", finding: { id: "own-rule", evidence: { why: "x" } } })'],
  ])('%s is taken', async (_, run) => {
    expect(await result(run)).toEqual({ said: '{"id":"own-rule","evidence":{"why":"x"}}', errors: [] });
  });

  it('evidence is made text', async () => {
    expect((await result('() => ({ id: "own-rule", evidence: { why: 7 } })')).said).toContain('"why":"7"');
  });

  it.each([
    ['a throw', '() => { throw new Error("boom") }', 'own: boom'],
    ['a rejection', 'async () => { throw new Error("boom") }', 'own: boom'],
    ['a hang', '() => new Promise(() => {})', 'own: no answer within 50 ms'],
    [
      'a finding that it did not declare',
      '() => ({ id: "iprev-fail", evidence: {} })',
      'own: it returned neither pass, none nor a finding of its own',
    ],
    ['nonsense', '() => 42', 'own: it returned neither pass, none nor a finding of its own'],
  ])('%s is none, and told', async (_, run, error) => {
    expect(await result(run)).toEqual({ said: 'none', errors: [error] });
  });
});

describe('the registry of a service', () => {
  it('holds our checks alone where there are no others', async () => {
    expect(await registryOf(readConfig(new Map()))).toEqual({ checks, findings, versions: [] });
  });

  it('lists the findings of both', async () => {
    const registry = await registryOf(readConfig(new Map([['check', [file(check('() => "pass"'))]]])));
    expect([...registry.findings.keys()]).toEqual(expect.arrayContaining([...findings.keys(), 'own-rule']));
    expect(registry.checks).toHaveLength(checks.length + 1);
  });
});

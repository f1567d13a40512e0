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

const KNOWN = { checks, findings: [...findings.keys()] };
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

const spec = (more: string): string => check('() => 1', `{ 'own-rule': { ...${SPEC}, ${more} } }`);
const trait = (more: string): string => check(`() => 1, ${more}`);
const method = (more: string): string => trait(`method: { heading: 'own', about: 'helo', ${more} }`);

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
      'all that it may say of itself',
      check(
        `() => "pass", reads: 'client', provesCorrespondence: true, resolvesTo: 'to', onlyIfWeighed: false, method: {
          heading: 'own', about: 'client',
          access: { key: 'own', takes: 'name', names: 'names' },
          results: { method: 'x-helo-own', property: 'policy.own' },
        }`,
        `{ 'own-rule': {
          ...${SPEC}, basis: 'declared', denies: 'client', exclusive: 'own-group', excusedByOptOut: true,
          excusedByProof: { exact: 0, reverse: { rfc5321: 0, emailcore: 1, strict: 2 } },
        } }`,
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
    ['no spec', check('() => 1', `{ 'own-rule': null }`), /it is not an object/],
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
      'a declaration that does not say whether it is a no',
      check('() => 1', `{ 'own-rule': { ...${SPEC}, basis: 'declared' } }`),
      /"own-rule": basis "declared" needs "denies", one of name, client, none/,
    ],
    ['no denial', spec("denies: 'us'"), /"denies" must be one of name, client, none/],
    ['no group', spec("exclusive: 'A b'"), /"exclusive" must name a group in kebab-case/],
    ['other words that are none', spec('replyWith: { target: 1 }'), /"replyWith" must give a text for/],
    ['half about the client', spec('aboutClientAlone: false'), /"aboutClientAlone" can only be true, with/],
    ['of another basis', spec("basis: 'form', aboutClientAlone: true"), /"aboutClientAlone" can only/],
    ['no mechanism', spec('mechanism: false'), /"mechanism" can only be true/],
    ['an excuse that is none', spec('excusedByOptOut: false'), /"excusedByOptOut" can only be true/],
    ['a proof that is none', spec('excusedByProof: { charm: 0 }'), /"excusedByProof" must give one or more/],
    ['a proof without weight', spec("excusedByProof: { exact: 'less' }"), /a number from 0, or one for each/],
    [
      'no proof at all',
      spec('excusedByProof: true'),
      /"excusedByProof" must give one or more of exact, auth/,
    ],
    ['somebody else’s zones', trait("reads: 'all'"), /^[^:]+: check "own": "reads" must be owner or client$/],
    [
      'no proof of correspondence',
      trait('provesCorrespondence: 1'),
      /"provesCorrespondence" must be true or/,
    ],
    ['addresses that nobody finds', trait('resolvesTo: true'), /"resolvesTo" must say which evidence/],
    ['neither wanted nor not', trait("onlyIfWeighed: 'no'"), /"onlyIfWeighed" must be true or false/],
    [
      'a method that is not always asked',
      trait("onlyIfWeighed: true, method: { heading: 'own', about: 'helo' }"),
      /it has a "method", which is always asked/,
    ],
    ['no method', trait("method: 'own'"), /"method" must be an object/],
    ['no heading', trait("method: { about: 'helo' }"), /"method.heading" must be a text/],
    ['a method about nothing', trait("method: { heading: 'own' }"), /"method.about" must be helo or client/],
    ['no condition', method("access: 'own'"), /"method.access" must be an object/],
    ['a key in capitals', method("access: { key: 'Own' }"), /"method.access.key" must be a word of small/],
    ['a condition of the list’s own', method("access: { key: 'ip' }"), /have a condition "ip=" already/],
    ['a condition of ours', method("access: { key: 'spf' }"), /have a condition "spf=" already/],
    ['no value', method("access: { key: 'own' }"), /"method.access.takes" must be pass or name/],
    ['no names', method("access: { key: 'own', takes: 'name' }"), /must say which evidence has the names/],
    ['no words', method('results: 1'), /"method.results" must be an object/],
    ['a registered method', method("results: { method: 'spf' }"), /must be of the form x-helo-word/],
    ['a method of others', method("results: { method: 'x-own' }"), /must be of the form x-helo-word/],
    [
      'no property',
      method("results: { method: 'x-helo-own', property: 'helo' }"),
      /"method.results.property" must be like smtp.helo/,
    ],
    ['a bad status', check('() => 1', `{ 'own-rule': { ...${SPEC}, status: '5.7.1' } }`), /"status" must be/],
  ])('%s', async (_, source, message) => {
    await expect(load(source)).rejects.toThrow(FileError);
    await expect(load(source)).rejects.toThrow(message);
    await expect(load(source)).rejects.toThrow(/^\/[^\n]+\.mjs: [^\n]+$/);
  });

  it.each([
    ['condition', "access: { key: 'own', takes: 'pass' }", /have a condition "own=" already/],
    [
      'method',
      "results: { method: 'x-helo-own', property: 'smtp.helo' }",
      /have a method "x-helo-own" already/,
    ],
  ])('two checks with the same %s', async (_, words, message) => {
    const other = method(words).replace("name: 'own'", "name: 'other'").replace("'own-rule'", "'other-rule'");
    await expect(loadOperatorChecks([file(method(words)), file(other)], KNOWN, 100)).rejects.toThrow(message);
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
    const { findings: found, correspondence } = await assess(makeClient('192.0.2.1', 'mail.org'), {
      resolver: zoneResolver({ 'mail.org': { A: ['192.0.2.1'] } }),
      checks: [...checks, ...own],
      onCheckError: (name, error) =>
        errors.push(`${name}: ${error instanceof Error ? error.message : String(error)}`),
    });
    // Whatever an operator's check does, it does not disturb ours.
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

describe('an outcome of its own', () => {
  const answered = async (run: string, traits = ''): Promise<unknown> => {
    const [own] = (await load(check(`${run}${traits}`))).checks;
    return own?.run(makeClient('192.0.2.1', 'mail.org'), zoneResolver({}));
  };
  const SHORT = { evidence: {}, finding: null, correspondence: 'none', optOut: false };

  it.each<[string, string, string, object]>([
    ['keeps its result', '() => ({ result: "neutral", finding: null })', '', { ...SHORT, result: 'neutral' }],
    [
      'keeps its evidence, as text',
      '() => ({ result: "pass", finding: null, evidence: { names: 7 } })',
      '',
      { ...SHORT, result: 'pass', evidence: { names: '7' } },
    ],
    [
      'may be an opt-out',
      '() => ({ result: "none", finding: null, optOut: true })',
      '',
      { ...SHORT, result: 'none', optOut: true },
    ],
    [
      'shows correspondence where the check says that it can',
      '() => ({ result: "pass", finding: null, correspondence: "authorized" })',
      ', provesCorrespondence: true',
      { ...SHORT, result: 'pass', correspondence: 'authorized' },
    ],
    [
      'shows what else it proves, and that a client is another’s',
      '() => ({ result: "pass", finding: null, proofs: ["reverse", "charm", "aligned"], foreign: true })',
      ', provesCorrespondence: true',
      { ...SHORT, result: 'pass', proofs: ['aligned', 'reverse'], foreign: true },
    ],
    [
      'proves nothing where it does not say that it can',
      '() => ({ result: "pass", finding: null, proofs: ["reverse"], foreign: 1 })',
      '',
      { ...SHORT, result: 'pass' },
    ],
    [
      'proves nothing by what is no list',
      '() => ({ result: "pass", finding: null, proofs: "reverse" })',
      ', provesCorrespondence: true',
      { ...SHORT, result: 'pass' },
    ],
    [
      'shows none where it does not say so',
      '() => ({ result: "pass", finding: null, correspondence: "exact" })',
      '',
      { ...SHORT, result: 'pass' },
    ],
    [
      'shows none that there is not',
      '() => ({ result: "pass", finding: null, correspondence: "utter" })',
      ', provesCorrespondence: true',
      { ...SHORT, result: 'pass' },
    ],
  ])('%s', async (_, run, traits, wanted) => {
    expect(await answered(run, traits)).toEqual(wanted);
  });

  it.each([
    ['a result that there is not', '() => ({ result: "great", finding: null })'],
    ['a finding that is a word', '() => ({ result: "fail", finding: "own-rule" })'],
    ['a finding of every object', '() => ({ id: "toString", evidence: {} })'],
  ])('%s is refused', async (_, run) => {
    await expect(answered(run)).rejects.toThrow('it returned neither pass, none nor a finding of its own');
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

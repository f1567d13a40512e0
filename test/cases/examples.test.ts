/**
 * The policy tests in examples/ pass, and each number and each line that they are run against is pinned by
 * one of them.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../src/cases/case.ts';
import { readCases } from '../../src/cases/read-cases.ts';
import { runCase } from '../../src/cases/run-case.ts';
import { ConfigSource } from '../../src/config/source.ts';
import type { Config } from '../../src/config/config.ts';
import { type FindingSpec, PRESETS, type PresetName } from '../../src/core/check.ts';
import { AccessList, parseAccess } from '../../src/policy/access.ts';
import { makePolicy, presetWeight } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import type { Rules } from '../../src/policy/rules.ts';
import { readRules } from '../../src/service/read-rules.ts';
import { type Registry, registryOf } from '../../src/service/registry.ts';

const example = (name: string): string =>
  fileURLToPath(new URL(`../../examples/policy-tests/${name}`, import.meta.url));

interface Bench {
  readonly config: Config;
  readonly registry: Registry;
  readonly cases: readonly Case[];
}

async function benchOf(preset: PresetName): Promise<Bench> {
  const file = example('helo-milter.toml');
  const config = await new ConfigSource(new Map([['policy', [preset]]]), { file }).read();
  const registry = await registryOf(config);
  return { config, registry, cases: await readCases(example(`${preset}.toml`), registry) };
}

const benches = new Map(
  await Promise.all(PRESETS.map(async (preset) => [preset, await benchOf(preset)] as const)),
);
const bench = (preset: PresetName): Bench => benches.get(preset) ?? expect.fail();
const rulesOf = ({ config, registry }: Pick<Bench, 'config' | 'registry'>): Promise<Rules> =>
  readRules(config, registry, () => undefined);

/** The name of the first case that fails; null if all pass. */
async function firstFailure(cases: readonly Case[], rules: Rules): Promise<string | null> {
  for (const each of cases) {
    const { differs } = await runCase(each, rules, 0);
    if (differs.length > 0) return each.name;
  }
  return null;
}

/** A specification that weighs so much in a preset, and as before in the others. */
function weighing(spec: FindingSpec, preset: PresetName, weight: number): FindingSpec {
  const { rfc5321, emailcore, strict } =
    typeof spec.weight === 'number'
      ? { rfc5321: spec.weight, emailcore: spec.weight, strict: spec.weight }
      : spec.weight;
  return { ...spec, weight: { rfc5321, emailcore, strict, [preset]: weight } };
}

describe.each(PRESETS)('%s', (preset) => {
  it('passes', async () => {
    const { cases } = bench(preset);
    const rules = await rulesOf(bench(preset));
    for (const each of cases) {
      const { got, differs } = await runCase(each, rules, 0);
      expect({ name: each.name, differs, got }).toMatchObject({ differs: [] });
    }
  });

  it('pins the weight of every finding', async () => {
    const { config, registry, cases } = bench(preset);
    const unseen: string[] = [];
    // Weights that the configuration sets are changed below.
    // A case is one message, and this is found of many.
    const ofPreset = [...registry.findings].filter(
      ([id]) => id !== 'stream-limit' && !config.weight.some(([set]) => set === id),
    );
    for (const [id, spec] of ofPreset) {
      const weight = presetWeight(spec, preset);
      for (const other of [weight - 1, weight + 1].filter((each) => each >= 0)) {
        const findings = new Map(registry.findings).set(id, weighing(spec, preset, other));
        const rules = await rulesOf({ config, registry: { ...registry, findings } });
        if ((await firstFailure(cases, rules)) === null) unseen.push(`${id} ${weight} -> ${other}`);
      }
    }
    expect(unseen).toEqual([]);
  });

  it("pins the operator's own numbers", async () => {
    const { config, registry, cases } = bench(preset);
    const changes: Partial<Config>[] = [
      // Under strict nothing that is certain adds up to nine.
      { rejectAt: config.rejectAt - (preset === 'strict' ? 5 : 1) },
      { rejectAt: config.rejectAt + 1 },
      { tempfailAt: config.tempfailAt - 1 },
      { tempfailAt: config.tempfailAt + 1 },
      { churnLimit: config.churnLimit - 1 },
      { churnLimit: config.churnLimit + 1 },
      { ourName: [] },
      { trust: [] },
      ...[-1, 1].map((by) => ({ weight: config.weight.map(([id, weight]) => [id, weight + by] as const) })),
    ];
    for (const change of changes) {
      const rules = await rulesOf({ config: { ...config, ...change }, registry });
      expect({ change, seen: await firstFailure(cases, rules) }).not.toMatchObject({ seen: null });
    }
  });

  it('pins every line of the access list', async () => {
    const { registry, cases } = bench(preset);
    const rules = await rulesOf(bench(preset));
    const lines = readFileSync(example('access'), 'utf8').split('\n');
    const unseen: string[] = [];
    for (const [i, line] of lines.entries()) {
      if (!/^(?:allow|deny)/.test(line)) continue;
      for (const changed of alterations(line)) {
        const text = lines.with(i, changed).join('\n');
        const access = new AccessList(parseAccess(text, 'access', 0, registry.checks), () => undefined);
        if ((await firstFailure(cases, { ...rules, access })) === null) unseen.push(`${line} -> ${changed}`);
      }
    }
    expect(unseen).toEqual([]);
  });

  it('pins every recipient with a policy of its own', async () => {
    const { config, registry, cases } = bench(preset);
    const unseen: string[] = [];
    const table = parseRecipientRules(readFileSync(example('recipients'), 'utf8'), 'recipients');
    for (const [who, rule] of table) {
      const { rejectAt, tempfailAt } = config;
      const without = new RecipientPolicies(new Map([...table].filter(([each]) => each !== who)), (own) =>
        makePolicy(own, registry.findings, { rejectAt, tempfailAt, weights: new Map(config.weight) }),
      );
      const seen = await firstFailure(cases, { ...(await rulesOf(bench(preset))), recipients: without });
      // A recipient with the policy that all others have is no different without it.
      if (seen === null && rule !== preset) unseen.push(who);
    }
    expect(unseen).toEqual([]);
  });
});

/** The line left out, turned round, for another name, and with each condition changed a little. */
function alterations(line: string): string[] {
  const [action = '', subject = '', ...rest] = line.replace(/#.*/, '').trim().split(/\s+/);
  const after = rest.join(' ');
  const opposite = action === 'allow' ? 'deny' : 'allow';
  const proof = action === 'deny' ? 'ip=0.0.0.0/0 ' : '';
  const conditions = rest.flatMap((word) =>
    changedCondition(word).map((changed) => `${action} ${subject} ${after.replace(word, changed)}`),
  );
  const subjects =
    subject === '*' ? ['other.example.org'] : [`x${subject}`, subject.replace(/^(?:\*\.|\.)/, '')];
  const patterns = subject.startsWith('*.') ? [`*${subject.slice(2)}`] : [];
  return [
    '',
    `${opposite} ${subject} ${proof}${after}`,
    ...[...subjects, ...patterns]
      .filter((each) => each !== subject)
      .map((each) => `${action} ${each} ${after}`),
    ...conditions,
  ];
}

function changedCondition(word: string): string[] {
  const [, key = '', value = ''] = /^([a-z]+)=(.*)$/.exec(word) ?? [];
  const day = (by: number): string =>
    new Date(Date.parse(value) + by * 86_400_000).toISOString().slice(0, 10);
  switch (key) {
    case 'ip': {
      const [address = '', length = '32'] = value.split('/');
      return [Number(length) - 1, Number(length) + 1]
        .filter((each) => each <= 32)
        .map((each) => `ip=${address}/${each}`);
    }
    case 'until':
      return [day(-1), day(1)].map((each) => `until=${each}`);
    case 'ptr':
      return [`ptr=x${value}`];
    default:
      return [];
  }
}

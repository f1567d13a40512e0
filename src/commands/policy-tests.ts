/**
 * `helo-milter test FILE…`: policy tests against a configuration. Loaded with its files first, so that a
 * mistake in one is told before anything runs.
 */
import type { Command } from 'commander';
import { readCases } from '../cases/read-cases.ts';
import { type CaseResult, runCase } from '../cases/run-case.ts';
import type { Config } from '../config/config.ts';
import { Faults } from '../errors.ts';
import { readRules } from '../service/read-rules.ts';
import { registryOf } from '../service/registry.ts';
import { asJson } from './as-json.ts';
import { located } from './located.ts';
import type { AddOptions, ConfigFlags } from './options-of-commands.ts';
import { makePaint } from './paint.ts';
import { resultsReport, resultsText } from './policy-tests-text.ts';
import type { Terminal } from './terminal.ts';

interface Flags extends ConfigFlags {
  readonly json?: boolean;
}

/**
 * Runs every case of the files in order. Rejects with UsageError for a mistake in them or in the
 * configuration.
 */
export async function runCases(files: readonly string[], config: Config): Promise<readonly CaseResult[]> {
  const registry = await registryOf(config);
  const faults = new Faults();
  const rules = await faults.attempt(() => readRules(config, registry, () => undefined));
  const read = [];
  for (const file of files) read.push(await faults.attempt(() => readCases(file, registry)));
  faults.throwAny();
  if (rules === null) throw new Error('no fault was told');
  const results: CaseResult[] = [];
  for (const each of read.flatMap((cases) => cases ?? [])) {
    results.push(await runCase(each, rules, Date.now()));
  }
  return results;
}

/** `addOptions` gives the command the options that a verdict depends on, and returns where they are read. */
export function addPolicyTests(
  root: Command,
  terminal: Terminal,
  addOptions: AddOptions,
  failed: () => void,
): void {
  const command = root
    .createCommand('test')
    .description(
      'run policy tests: sessions with what is expected to be done about them, against a configuration.\n' +
        'Exits with 1 if a case fails. docs/policy-tests.md describes the files.',
    )
    .argument('<FILE...>', 'file of cases')
    .option('--json', 'print one JSON object')
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root);
  const read = addOptions(command);
  command.action(async (files: string[], flags: Flags) => {
    const { source } = read(flags);
    const config = await source.read();
    const results = await located(source, runCases(files, config));
    const paint = makePaint(terminal.screen?.colour === true);
    terminal.write(flags.json === true ? asJson(resultsReport(results)) : resultsText(results, paint));
    if (results.some(({ differs }) => differs.length > 0)) failed();
  });
  root.addCommand(command);
}

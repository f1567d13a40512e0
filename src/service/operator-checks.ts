/**
 * The operator's own checks: ES modules that export objects as `defineCheck` makes them. A module that is faulty stops the
 * start; a check that fails or hangs at run time has nothing to say.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Check, type FindingSpec, PRESETS, type Zone } from '../core/check.ts';
import { describeError, Faults, FileError, OptionError } from '../errors.ts';

const BASES: ReadonlySet<unknown> = new Set(['form', 'existence', 'declared', 'inferred', 'local']);
const ZONES: ReadonlySet<unknown> = new Set<Zone>(['owner', 'client']);
const ID = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/;
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

export interface LoadedChecks {
  readonly checks: readonly Check[];
  /** The address of each module, which changes with its text. */
  readonly versions: readonly string[];
}

/**
 * Loads every check that the files export, by default or by name, singly or as an array. `known` are the checks and
 * finding ids that are taken. A module that has changed since it was read before is read again; what it imports is not.
 * Rejects with OptionError for a file that cannot be read, with FileError for one that is not sound; for the first, the
 * others with it.
 */
export async function loadOperatorChecks(
  files: readonly string[],
  known: { readonly checks: readonly string[]; readonly findings: readonly string[] },
  timeoutMs: number,
): Promise<LoadedChecks> {
  const names = new Set(known.checks);
  const ids = new Set(known.findings);
  const loaded: Check[] = [];
  const versions: string[] = [];
  const faults = new Faults();
  for (const file of files) {
    await faults.attempt(async () => {
      const url = await versionOf(file);
      versions.push(url);
      for (const check of await exportsOf(file, url)) {
        const wrong = fault(check, names, ids);
        if (wrong !== null) throw new FileError(`${file}: ${wrong}`);
        const sound = check as Check;
        names.add(sound.name);
        for (const id of Object.keys(sound.findings)) ids.add(id);
        loaded.push(guarded(sound, timeoutMs));
      }
    });
  }
  faults.throwAny();
  return { checks: loaded, versions };
}

/** A module is kept by its address for the life of the process: other text, other address. */
async function versionOf(file: string): Promise<string> {
  const text = await readFile(file).catch((error: unknown) => {
    throw new OptionError('--check', describeError(error), file);
  });
  const digest = createHash('sha256').update(text).digest('hex');
  return `${pathToFileURL(resolve(file)).href}?v=${digest.slice(0, 16)}`;
}

async function exportsOf(file: string, url: string): Promise<unknown[]> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(url)) as typeof module;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new FileError(`${file}: ${detail.replaceAll(/\s+/g, ' ')}`);
  }
  // A default export may repeat a named one.
  const found = [...new Set(Object.values(module).flat())].filter(
    (each) => typeof each === 'object' && each !== null,
  );
  if (found.length === 0) throw new FileError(`${file}: it exports no check`);
  return found;
}

/** What is wrong with a would-be check, or null. */
function fault(value: unknown, names: ReadonlySet<string>, ids: ReadonlySet<string>): string | null {
  const { name, findings, run, reads, ...switches } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !NAME.test(name)) return 'a check needs a "name" in kebab-case';
  if (names.has(name)) return `there is a check "${name}" already`;
  if (typeof run !== 'function') return `check "${name}" has no function "run"`;
  if (typeof findings !== 'object' || findings === null) return `check "${name}" has no "findings"`;
  if (reads !== undefined && !ZONES.has(reads)) {
    return `check "${name}": "reads" must be one of ${[...ZONES].join(', ')}, or left out`;
  }
  for (const key of ['onlyIfWeighed', 'provesCorrespondence']) {
    const given = switches[key];
    if (given !== undefined && typeof given !== 'boolean')
      return `check "${name}": "${key}" must be true or false`;
  }
  for (const [id, spec] of Object.entries(findings)) {
    if (!ID.test(id)) return `check "${name}": the finding id "${id}" is not of the form word-word`;
    if (ids.has(id)) return `check "${name}": there is a finding "${id}" already`;
    const wrong = specFault(spec);
    if (wrong !== null) return `check "${name}", finding "${id}": ${wrong}`;
  }
  return null;
}

function specFault(spec: unknown): string | null {
  if (typeof spec !== 'object' || spec === null) return 'it is no object';
  const { basis, weight, rejectCode, tempfailCode, status, ...texts } = spec as Partial<FindingSpec>;
  if (!BASES.has(basis)) return `"basis" must be one of ${[...BASES].join(', ')}`;
  for (const key of ['summary', 'reference', 'reason', 'reply'] as const) {
    if (typeof texts[key] !== 'string' || texts[key] === '') return `"${key}" must be a text`;
  }
  const weights: unknown[] = typeof weight === 'object' ? PRESETS.map((preset) => weight[preset]) : [weight];
  if (!weights.every((each) => typeof each === 'number' && Number.isFinite(each) && each >= 0)) {
    return `"weight" must be a number from 0, or one for each of ${PRESETS.join(', ')}`;
  }
  if (rejectCode !== undefined && !(rejectCode >= 500 && rejectCode <= 599))
    return '"rejectCode" must be 5yz';
  if (tempfailCode !== undefined && !(tempfailCode >= 400 && tempfailCode <= 499)) {
    return '"tempfailCode" must be 4yz';
  }
  return status === undefined || /^\d{1,3}\.\d{1,3}$/.test(status) ? null : '"status" must be like 7.1';
}

/** With a time limit of its own, and a finding only of those it declared: what it gives is taken on trust nowhere. */
function guarded(check: Check, timeoutMs: number): Check {
  return {
    ...check,
    async run(client, resolver) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error(`no answer within ${timeoutMs} ms`));
        }, timeoutMs);
      });
      try {
        const answer: unknown = await Promise.race([check.run(client, resolver), late]);
        return answerOf(answer, check);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** `pass`, `none` or `{ id, evidence }`; `undefined` is none. Throws for anything else. */
function answerOf(
  answer: unknown,
  { findings }: Check,
): 'pass' | 'none' | { id: string; evidence: Record<string, string> } {
  if (answer === 'pass' || answer === 'none') return answer;
  if (answer === undefined || answer === null) return 'none';
  const refused = new TypeError('it returned neither pass, none nor a finding of its own');
  if (typeof answer !== 'object') throw refused;
  const given = answer as { readonly finding?: unknown; readonly id?: unknown; readonly evidence?: unknown };
  // What `found()`, `pass()` and `none()` of the core make carries the finding inside.
  const finding = 'finding' in given ? given.finding : given;
  if (finding === null) return 'none';
  const { id, evidence } = finding as { readonly id?: unknown; readonly evidence?: unknown };
  if (typeof id !== 'string' || !(id in findings || id === 'dns-temperror')) {
    throw refused;
  }
  const texts = Object.entries(evidence ?? {}).map(([key, value]) => [key, String(value)] as const);
  return { id, evidence: Object.fromEntries(texts) };
}

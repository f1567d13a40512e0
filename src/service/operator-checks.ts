/**
 * The operator's own checks: ES modules that export objects as `defineCheck` makes them. With a faulty module
 * the service does not start; a check that fails or hangs at run time counts as having nothing to say.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Check,
  CORRESPONDENCES,
  type Evidence,
  type Finding,
  NOTHING,
  type Outcome,
  PROOFS,
  RESULTS,
} from '../core/check.ts';
import { isUnknown } from '../core/checks/unknown.ts';
import { describeError, Faults, FileError, OptionError } from '../errors.ts';
import { faultOf, type NamedCheck, TakenWords } from './check-faults.ts';

export interface LoadedChecks {
  readonly checks: readonly Check[];
  /** The address of each module, which changes with its text. */
  readonly versions: readonly string[];
}

/**
 * Loads every check that the files export, by default or by name, singly or as an array. `known` are our own
 * checks and finding ids, whose names and words are taken. A module that has changed since it was read before
 * is read again; what it imports is not. Rejects with OptionError for a file that cannot be read, with
 * FileError for one that is not sound; for the first, the others with it.
 */
export async function loadOperatorChecks(
  files: readonly string[],
  known: { readonly checks: readonly NamedCheck[]; readonly findings: readonly string[] },
  timeoutMs: number,
): Promise<LoadedChecks> {
  const taken = new TakenWords(known.checks, known.findings);
  const loaded: Check[] = [];
  const versions: string[] = [];
  const faults = new Faults();
  for (const file of files) {
    await faults.attempt(async () => {
      const url = await versionOf(file);
      versions.push(url);
      for (const check of await exportsOf(file, url)) {
        const wrong = faultOf(check, taken);
        if (wrong !== null) throw new FileError(`${file}: ${wrong}`);
        const sound = check as Check;
        taken.add(sound, Object.keys(sound.findings));
        loaded.push(guarded(sound, timeoutMs));
      }
    });
  }
  faults.throwAny();
  return { checks: loaded, versions };
}

/** Node keeps a module by its address for the life of the process, so another text needs another address. */
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

/** With a time limit, and only findings that it has declared: nothing that it returns is trusted. */
function guarded(check: Check, timeoutMs: number): Check {
  return {
    ...check,
    async run(client, resolver, reverse) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error(`no answer within ${timeoutMs} ms`));
        }, timeoutMs);
      });
      try {
        const answer: unknown = await Promise.race([check.run(client, resolver, reverse), late]);
        return answerOf(answer, check);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/**
 * `pass`, `none`, a finding `{ id, evidence }`, or an outcome as `pass()`, `none()` and `found()` of the core
 * make it; `undefined` is none. Throws for anything else.
 */
function answerOf(answer: unknown, check: Check): 'pass' | 'none' | Finding | Outcome {
  if (answer === 'pass' || answer === 'none') return answer;
  if (answer === undefined || answer === null) return 'none';
  if (typeof answer !== 'object') return refuse();
  const given = answer as Readonly<Record<string, unknown>>;
  if (!('finding' in given)) return findingOf(given, check);
  const finding = given['finding'] === null ? null : findingOf(given['finding'], check);
  const { result = finding === null ? 'none' : 'fail', evidence, correspondence } = given;
  const proves = check.provesCorrespondence === true;
  const shown = CORRESPONDENCES.find((each) => each === correspondence);
  const said: readonly unknown[] = Array.isArray(given['proofs']) ? given['proofs'] : [];
  const proofs = proves ? PROOFS.filter((proof) => said.includes(proof)) : [];
  return {
    result: RESULTS.find((each) => each === result) ?? refuse(),
    evidence: evidence === undefined ? (finding?.evidence ?? NOTHING) : texts(evidence),
    finding,
    correspondence: (proves ? shown : undefined) ?? 'none',
    optOut: given['optOut'] === true,
    ...(proofs.length === 0 ? {} : { proofs }),
    ...(given['foreign'] === true ? { foreign: true } : {}),
  };
}

function findingOf(finding: unknown, { findings }: Check): Finding {
  const { id, evidence } = (finding ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || !(Object.hasOwn(findings, id) || isUnknown({ id }))) return refuse();
  return { id, evidence: texts(evidence) };
}

function texts(evidence: unknown): Evidence {
  return Object.fromEntries(
    Object.entries(evidence ?? {}).map(([key, value]) => [key, String(value)] as const),
  );
}

function refuse(): never {
  throw new TypeError('it returned neither pass, none nor a finding of its own');
}

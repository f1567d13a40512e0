/** What can be tried on the page, and how it leaves it: as flags, as lines of the file, as a link. */
import { PRESETS } from '../src/core/check.ts';
import type { PageOptions } from '../src/report/page-data.ts';

export type Choice = Pick<
  PageOptions,
  'policy' | 'rejectAt' | 'tempfailAt' | 'require' | 'weight' | 'enforcePercent'
>;

export const REQUIREMENTS = ['exact', 'authorized', 'aligned'] as const;
/** What each holds against a client, in the words of the README. */
export const PRESET_WORDS = {
  rfc5321: 'what RFC 5321 calls wrong is refused, what its owner may yet fix is tempfailed',
  emailcore: 'a name without correspondence, or somebody else\u2019s address literal, is refused',
  strict: 'correspondence must be exact or authorized; a neighbour or a reverse name is not enough',
} as const;

/** Bounds of a threshold, as `config/options.ts` has them. */
const LEAST_SCORE = 0.1;
const MAX_SCORE = 1_000_000;

export function choiceOf(options: PageOptions): Choice {
  const { policy, rejectAt, tempfailAt, require, weight, enforcePercent } = options;
  return { policy, rejectAt, tempfailAt, require, weight: [...new Map(weight)], enforcePercent };
}

export function withWeight(choice: Choice, id: string, weight: number): Choice {
  return { ...choice, weight: [...new Map(choice.weight).set(id, weight)] };
}

/** Moves one threshold, and the other one out of its way: `tempfailAt` is never above `rejectAt`. */
export function withThreshold(choice: Choice, which: 'rejectAt' | 'tempfailAt', at: number): Choice {
  const value = Math.min(MAX_SCORE, Math.max(LEAST_SCORE, at));
  const moved = { ...choice, [which]: value };
  if (moved.tempfailAt <= moved.rejectAt) return moved;
  return { ...moved, rejectAt: value, tempfailAt: value };
}

/** For a command line; replay and report take the same. */
export function flagsOf(choice: Choice): string {
  const { policy, rejectAt, tempfailAt, require, weight, enforcePercent } = choice;
  return [
    `--policy ${policy} --reject-at ${rejectAt} --tempfail-at ${tempfailAt}`,
    ...(require === null ? [] : [`--require ${require}`]),
    ...weight.map(([id, number]) => `--weight ${id}=${number}`),
    `--enforce-percent ${enforcePercent}`,
  ].join(' ');
}

/** Lines of the configuration file. */
export function tomlOf(choice: Choice): string {
  const { policy, rejectAt, tempfailAt, require, weight, enforcePercent } = choice;
  return [
    `policy = "${policy}"`,
    `reject-at = ${rejectAt}`,
    `tempfail-at = ${tempfailAt}`,
    ...(require === null ? [] : [`require = "${require}"`]),
    ...(weight.length === 0
      ? []
      : [`weight = { ${weight.map(([id, number]) => `${id} = ${number}`).join(', ')} }`]),
    `enforce-percent = ${enforcePercent}`,
    '',
  ].join('\n');
}

/** The part of a link after `#`. */
export function fragmentOf(choice: Choice): string {
  const { policy, rejectAt, tempfailAt, require, weight, enforcePercent } = choice;
  const pairs: [name: string, value: string][] = [
    ['policy', policy],
    ['reject-at', String(rejectAt)],
    ['tempfail-at', String(tempfailAt)],
    ...(require === null ? [] : [['require', require] satisfies [string, string]]),
    ...weight.map(([id, number]) => ['weight', `${id}=${number}`] satisfies [string, string]),
    ['enforce-percent', String(enforcePercent)],
  ];
  return new URLSearchParams(pairs).toString();
}

/** What a link says; what it does not say, or says wrongly, is as in `base`. */
export function choiceFrom(fragment: string, base: Choice, isFinding: (id: string) => boolean): Choice {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  const word = <T extends string>(name: string, words: readonly T[], otherwise: T): T =>
    words.find((each) => each === given.get(name)) ?? otherwise;
  const policy = word('policy', PRESETS, base.policy);
  const require = REQUIREMENTS.find((each) => each === given.get('require')) ?? base.require;
  const threshold = (name: string): number | null => {
    const value = numberIn(given.get(name));
    return value === null || value < LEAST_SCORE ? null : value;
  };
  const rejectAt = threshold('reject-at') ?? base.rejectAt;
  const tempfailAt = threshold('tempfail-at') ?? base.tempfailAt;
  const percent = numberIn(given.get('enforce-percent'), 100);
  const weights = given.getAll('weight').flatMap((text): (readonly [string, number])[] => {
    const [, id = '', number = ''] = /^([a-z0-9-]+)=(.*)$/.exec(text) ?? [];
    const weight = numberIn(number);
    return weight === null || !isFinding(id) ? [] : [[id, weight]];
  });
  return {
    policy,
    require,
    ...(tempfailAt <= rejectAt ? { rejectAt, tempfailAt } : { rejectAt, tempfailAt: rejectAt }),
    weight: [...new Map([...base.weight, ...weights])],
    enforcePercent: percent === null || !Number.isInteger(percent) ? base.enforcePercent : percent,
  };
}

function numberIn(text: string | null, most = MAX_SCORE): number | null {
  if (text === null || !/^\d{1,7}(?:\.\d{1,6})?$/.test(text)) return null;
  const value = Number(text);
  return value <= most ? value : null;
}

/** How the results of policy tests are told: to a person the cases that fail, and as JSON all of them. */
import type { Expected } from '../cases/case.ts';
import type { CaseResult, Got } from '../cases/run-case.ts';
import { formatValue } from '../log/value.ts';
import { EXEMPTIONS } from '../policy/exemption.ts';
import { count } from '../report/figures.ts';
import type { Paint } from './paint.ts';

type Aspects = Partial<Record<keyof Expected, string | number | null>>;

/** Each failing case with what was expected, what came of it and why; then how many there are. */
export function resultsText(results: readonly CaseResult[], paint: Paint): string {
  const failing = results.filter(({ differs }) => differs.length > 0);
  const passed = results.length - failing.length;
  const last =
    failing.length === 0
      ? paint.disposition('accept', `${count(passed, 'case')} passed`)
      : paint.disposition('reject', `${count(failing.length, 'case')} of ${results.length} failed`);
  return `${failing.map((each) => failureText(each, paint)).join('')}${last}\n`;
}

function failureText({ case: { name, place, expected }, got, differs }: CaseResult, paint: Paint): string {
  const asked = (Object.keys(expected) as (keyof Expected)[]).filter((key) => expected[key] !== null);
  const pick = (from: Aspects): string =>
    asked
      .map((key) => {
        const text = `${key}=${from[key] ?? 'none'}`;
        return differs.includes(key) ? paint.disposition('reject', text) : text;
      })
      .join(' ');
  return (
    `${place}: ${formatValue(name)} fails\n` +
    `  expected  ${pick(expected)}\n` +
    `  got       ${pick(got)}\n` +
    `  because   ${why(got, paint)}\n`
  );
}

/** What the verdict rests on. */
function why({ exempt, access, stream, score, counted }: Got, paint: Paint): string {
  const excused = exempt === null ? [] : [`exempt=${exempt} (${EXEMPTIONS[exempt]})`];
  const line = access === null ? [] : [`line ${access} of the access list`];
  if (stream === null) return [...excused, 'it is not judged'].join(', ');
  const weighed = counted.map(({ id, weight }) => `${paint.finding(id)} ${weight}`).join(' + ');
  return [...excused, ...line, `${weighed === '' ? 'nothing was found' : weighed}: score ${score ?? 0}`].join(
    ', ',
  );
}

/** The object that `--json` prints. Its names are public API. */
export function resultsReport(results: readonly CaseResult[]): object {
  const failed = results.filter(({ differs }) => differs.length > 0).length;
  return {
    version: 1,
    passed: results.length - failed,
    failed,
    cases: results.map(({ case: { name, place, expected }, got, differs }) => ({
      name,
      place,
      passed: differs.length === 0,
      differs,
      expected: Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== null)),
      got: {
        disposition: got.disposition,
        cause: got.cause,
        stream: got.stream,
        score: got.score,
        exempt: got.exempt,
        access: got.access,
        findings: got.counted,
      },
    })),
  };
}

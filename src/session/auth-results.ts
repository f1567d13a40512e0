/**
 * Authentication-Results (RFC 8601): what we found, for the filters and people behind us.
 *
 * `x-helo` is our verdict, as there is no registered method for EHLO correspondence; the others are declared
 * by the checks.
 */
import type { Assessment } from '../core/assessment.ts';
import type { Check, Method } from '../core/check.ts';
import type { Judged } from '../policy/judge.ts';
import type { Stream } from '../policy/policy.ts';

export const FIELD = 'Authentication-Results';

const STREAM_RESULT: Readonly<Record<Stream, string>> = {
  verified: 'pass',
  unverified: 'none',
  failed: 'fail',
};

/**
 * The value of the field, folded with LF and a tab. HELO text is a stranger's: quoted, cleaned and capped.
 * `checks` declare which of them are methods here, and under which name: first those about the client, then
 * those about the name.
 */
export function authResults(
  authservId: string,
  { assessment, verdict }: Judged,
  checks: readonly Check[],
): string {
  const { client, correspondence, undecided } = assessment;
  const helo = property('smtp.helo', client.helo.text);
  const reasons = verdict.counted.map(({ finding }) => finding.id).join(' ');
  const open = undecided && verdict.stream === 'unverified' ? 'temperror' : STREAM_RESULT[verdict.stream];
  // What the policy would refuse is not a pass, however well it corresponds.
  const result = verdict.disposition === 'accept' ? open : 'fail';
  const results = [
    [
      `x-helo=${result}`,
      ...(reasons === '' ? [] : [`reason=${quote(reasons)}`]),
      property('policy.correspondence', correspondence),
      property('policy.stream', verdict.stream),
      // Last, because one known reader (Debian's authres) takes a quoted value only at the end of a method.
      helo,
    ],
    ...methods(assessment, checks, 'client', client.ip?.text ?? ''),
    ...methods(assessment, checks, 'helo', client.helo.text),
  ];
  return [value(authservId), ...results.map((words) => words.join(' '))].join(';\n\t');
}

/**
 * The result words of checks are those of RFC 8601 §2.7. A check that was not run, because the text alone
 * decided, is left out; so are all if the client has no address to check.
 */
function methods(
  { client, outcomes }: Assessment,
  checks: readonly Check[],
  about: Method['about'],
  subject: string,
): string[][] {
  if (client.ip === null) return [];
  return checks.flatMap(({ name, method }) => {
    const outcome = outcomes.find(({ check }) => check === name);
    if (method?.about !== about || method.results === undefined || outcome === undefined) return [];
    return [[`${method.results.method}=${outcome.result}`, property(method.results.property, subject)]];
  });
}

function property(name: string, text: string): string {
  return `${name}=${value(text)}`;
}

/** A token if it is one (RFC 2045 §5.1), else a quoted string. */
function value(text: string): string {
  return /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,255}$/.test(text) ? text : quote(text);
}

function quote(text: string): string {
  const printable = text.slice(0, 255).replaceAll(/[^\x20-\x7e]/g, '?');
  return `"${printable.replaceAll(/["\\]/g, '\\$&')}"`;
}

/**
 * Authentication-Results (RFC 8601): what we found, for the filters and people behind us.
 *
 * `spf` and `iprev` are registered methods; there is none for EHLO correspondence or CSA, hence `x-helo` and `x-csa`.
 */
import type { Assessment } from '../core/assess.ts';
import type { Judged } from '../decisions/decision.ts';
import type { Stream } from '../policy/policy.ts';

export const FIELD = 'Authentication-Results';

const STREAM_RESULT: Readonly<Record<Stream, string>> = {
  verified: 'pass',
  unverified: 'none',
  failed: 'fail',
};

/** The value of the field, folded with LF and a tab. HELO text is a stranger's: quoted, cleaned and capped. */
export function authResults(authservId: string, { assessment, verdict }: Judged): string {
  const { client, correspondence, undecided } = assessment;
  const helo = property('smtp.helo', client.helo.text);
  const reasons = verdict.counted.map(({ finding }) => finding.id).join(' ');
  const open = undecided && verdict.stream === 'unverified' ? 'temperror' : STREAM_RESULT[verdict.stream];
  // What the policy would have refused is no pass, however well it corresponds.
  const result = verdict.disposition === 'accept' ? open : 'fail';
  const methods = [
    [
      `x-helo=${result}`,
      ...(reasons === '' ? [] : [`reason=${quote(reasons)}`]),
      property('policy.correspondence', correspondence),
      property('policy.stream', verdict.stream),
      // Last: a reader is known (Debian's authres) that takes a quoted value at the end of a method only.
      helo,
    ],
    ...(client.ip === null
      ? []
      : [
          ...method(assessment, 'iprev', 'iprev', property('policy.iprev', client.ip.text)),
          ...method(assessment, 'spf', 'spf', helo),
          ...method(assessment, 'csa', 'x-csa', helo),
        ]),
  ];
  return [value(authservId), ...methods.map((words) => words.join(' '))].join(';\n\t');
}

/** The result words of our checks are those of RFC 8601 §2.7. A check that was not made, as where the text alone decides, is not told. */
function method({ outcomes }: Assessment, check: string, name: string, properties: string): string[][] {
  const outcome = outcomes.find((each) => each.check === check);
  return outcome === undefined ? [] : [[`${name}=${outcome.result}`, properties]];
}

function property(name: string, text: string): string {
  return `${name}=${value(text)}`;
}

/** A token where it is one (RFC 2045 §5.1), else a quoted string. */
function value(text: string): string {
  return /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,255}$/.test(text) ? text : quote(text);
}

function quote(text: string): string {
  const printable = text.slice(0, 255).replaceAll(/[^\x20-\x7e]/g, '?');
  return `"${printable.replaceAll(/["\\]/g, '\\$&')}"`;
}

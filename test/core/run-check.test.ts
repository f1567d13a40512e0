import { describe, expect, it } from 'vitest';
import {
  type Check,
  type CheckAnswer,
  found,
  none,
  normalise,
  type Outcome,
  pass,
  temperror,
} from '../../src/core/check.ts';
import { makeClient } from '../../src/core/client.ts';
import { runCheck } from '../../src/core/run-check.ts';
import { zoneResolver } from '../support/zone.ts';

const TUNNEL = '2002:c000:221::1';
const END = '192.0.2.33';

/** What a check may say, the best for the client first; those of one line are worth the same. */
const BEST_FIRST: readonly (readonly [string, Outcome])[] = (
  [
    ['exact', pass({}, 'exact')],
    ['authorized', pass({}, 'authorized')],
    ['aligned', pass({}, 'aligned')],
    ['trouble', temperror('mail.example.org A', 'servfail')],
    ['a neighbour', none({}, 'near')],
    ['pass', pass()],
    ['nothing', none()],
  ] as const
).map(([name, outcome]) => [name, normalise(outcome)]);

/** A check that says one thing of an address of IPv6, and another of IPv4. */
function check(own: CheckAnswer<string>, other: CheckAnswer<string>, provesCorrespondence = true): Check {
  return {
    name: 'own',
    findings: {},
    provesCorrespondence,
    run: ({ ip }) => (ip?.family === 6 ? own : other),
  };
}

const run = (of: Check, ip: string): Outcome | Promise<Outcome> => {
  const resolver = zoneResolver({});
  return runCheck(of, makeClient(ip, 'mail.example.org'), resolver, resolver);
};

describe('a client from a tunnel', () => {
  const pairs = BEST_FIRST.flatMap(([first, own], i) =>
    BEST_FIRST.map(([second, other], j) => [first, second, own, other, i, j] as const),
  );
  it.each(pairs)('itself %s, its end %s', async (_, __, own, other, i, j) => {
    // Nobody asks for the end of one who is shown to be in order; of two that are alike, the client's own
    // counts.
    const isEnd = own.correspondence === 'none' && j < i;
    const told = await run(check(own, other), TUNNEL);
    if (isEnd) expect(told).toEqual({ ...other, evidence: { ...other.evidence, embedded: END } });
    else expect(told).toEqual(own);
  });

  it('is not asked about at its end by a check that shows no correspondence', () => {
    expect(run(check(none(), pass({}, 'exact'), false), TUNNEL)).toEqual(normalise(none()));
  });

  it('has opted out, and then its end does not count', () => {
    const out = normalise({ ...none(), optOut: true });
    expect(run(check(out, pass({}, 'exact')), TUNNEL)).toEqual(out);
  });

  it('has its own finding where the end shows no more', async () => {
    const fault = normalise(found('x', { a: 'b' }));
    expect(await run(check(fault, normalise(found('x', { a: 'c' }))), TUNNEL)).toEqual(fault);
  });
});

it('makes no promise where the outcome is there at once, and waits for one of any making', async () => {
  expect(run(check(none(), none()), END)).toEqual(normalise(none()));
  const thenable = {
    then: (resolve: (value: unknown) => void) => {
      resolve(pass({}, 'exact'));
    },
  };
  const late = run(check(none(), thenable as never), END);
  expect(late).toBeInstanceOf(Promise);
  expect(await late).toEqual(normalise(pass({}, 'exact')));
});

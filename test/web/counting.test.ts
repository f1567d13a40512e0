/** What the page counts at once is what the replayer says, decision by decision, whatever depends on what. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { PRESETS } from '../../src/core/check.ts';
import { UNPROVED } from '../../src/core/checks/stream.ts';
import { ENDS } from '../../src/decisions/decision.ts';
import { choiceOf } from '../../web/choice.ts';
import { observedLog } from '../support/observed-log.ts';
import { dataWith, engineWith, replayed } from '../support/page-counts.ts';
import type { Given } from '../support/workshop.ts';

const CLIENTS = ['198.51.100.7', '203.0.113.9', '203.0.113.99', '2001:db8::9', '2001:db8:0:1::9'];
const HELOS = [
  'mail.sender.org',
  'other.sender.org',
  'gone.sender.org',
  'gone.strange.org',
  'broken.org',
  'Jupiter',
  '[192.0.2.9]',
  'server.local',
];
const MAILBOXES = [['r@dest.test'], ['boss@dest.test', 'r@dest.test'], ['r@dest.test', 'boss@dest.test']];
const START = Date.UTC(2026, 10, 1);
const HOUR = 3_600_000;

type Line = Readonly<Record<string, unknown>> & {
  readonly client: { readonly ip: string };
  readonly helo: string;
  readonly judged: object | null;
};

/** A line of each client with each name, as the service writes it. */
let lines: readonly Line[] = [];
beforeAll(async () => {
  const all = CLIENTS.flatMap((client, c) =>
    HELOS.map((helo, h) => ({ client, helo, time: START, to: MAILBOXES[(c + h) % MAILBOXES.length] ?? [] })),
  );
  lines = (await observedLog([...all, { helo: 'Jupiter', time: START, login: true }])).map(
    (line) => JSON.parse(line) as Line,
  );
});

interface Came {
  readonly line: number;
  readonly session: number;
  readonly message: number;
  /** Milliseconds since the one before. */
  readonly after: number;
  readonly changes: Readonly<Record<string, unknown>>;
  /** It was known by its mail. */
  readonly regular: boolean;
}

/** In one session all is from one client; a reference is that of one name. */
function logOf(senders: readonly number[], came: readonly Came[]): string[] {
  let time = START;
  return came.map(({ line, session, message, after, changes, regular }) => {
    time += after;
    const given = lines[(senders[line % senders.length] ?? 0) % lines.length] ?? expect.fail();
    const reference = `s${session}-${CLIENTS.indexOf(given.client.ip)}.${HELOS.indexOf(given.helo)}`;
    const judged =
      given.judged === null || !regular ? given.judged : { ...given.judged, session: { regular } };
    return JSON.stringify({
      ...given,
      time: new Date(time).toISOString(),
      reference,
      message,
      ...changes,
      judged,
    });
  });
}

/** A few, who come again and again. */
const someSenders = fc.array(fc.nat(40), { minLength: 1, maxLength: 4 });

const someLog = fc.array(
  fc.record({
    line: fc.nat(3),
    // Mostly another one; some are interrupted by others.
    session: fc.oneof(fc.nat(999), fc.nat(3)),
    message: fc.integer({ min: 1, max: 2 }),
    after: fc.oneof(fc.constantFrom(0, 600_000, HOUR, 26 * HOUR), fc.integer({ min: -HOUR, max: 9 * HOUR })),
    changes: fc.record(
      {
        end: fc.constantFrom(...ENDS),
        action: fc.constantFrom('accept', 'tempfail', 'reject'),
        ramp: fc.constantFrom('within', 'over'),
        streamLimit: fc.constantFrom('within', 'over'),
        stage: fc.constantFrom('helo', 'mail', 'rcpt'),
        recipients: fc.constantFrom(...MAILBOXES),
      },
      { requiredKeys: [] },
    ),
    regular: fc.constantFrom(false, false, true),
  }),
  { minLength: 1, maxLength: 60 },
);

const limit = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('1h', '3h', '20h'))
  .map(([count, age]) => `${count}/${age}`);

const someOptions = fc
  .record({
    policy: fc.constantFrom(...PRESETS),
    tempfailLimit: limit,
    ramp: fc
      .dictionary(fc.constantFrom('helo-not-fqdn', 'helo-nxdomain', 'helo-mismatch', 'iprev-none'), limit)
      .map((ramps) => Object.entries(ramps).map(([id, each]) => `${id}=${each}`)),
    streamLimit: fc
      .dictionary(fc.constantFrom(...UNPROVED), limit)
      .map((limits) => Object.entries(limits).map(([stream, each]) => `${stream}=${each}`)),
    regulars: fc.constantFrom(null, '1/1', '2/1', '2/2'),
    observe: fc.boolean(),
    enforcePercent: fc.constantFrom('0', '50', '100'),
  })
  .map(({ regulars, observe, ...others }): Given => ({
    ...others,
    ...(regulars === null ? {} : { regulars }),
    ...(observe ? { observe: '' } : {}),
  }));

const someChoice = fc.record(
  {
    policy: fc.constantFrom(...PRESETS),
    rejectAt: fc.integer({ min: 5, max: 14 }),
    tempfailAt: fc.integer({ min: 1, max: 5 }),
    enforcePercent: fc.constantFrom(0, 40, 100),
    weight: fc
      .dictionary(fc.constantFrom('helo-mismatch', 'iprev-none', 'helo-not-fqdn'), fc.nat(12))
      .map((weights) => Object.entries(weights)),
  },
  { requiredKeys: [] },
);

const someChoices = fc.array(someChoice, { minLength: 1, maxLength: 3 });

const others = fc.record({
  access: fc.constantFrom(null, 'allow mail.sender.org ip=203.0.113.0/24\ndeny *.strange.org\n'),
  recipients: fc.constantFrom(
    [],
    [['boss@dest.test', 'strict'] as const],
    [['boss@dest.test', 'off'] as const],
  ),
});

it('whatever is tried', () => {
  fc.assert(
    fc.property(
      someSenders,
      someLog,
      someOptions,
      others,
      someChoices,
      (senders, came, options, more, tried) => {
        const data = dataWith(options, more);
        const log = logOf(senders, came);
        const engine = engineWith(data, log);
        for (const each of tried) {
          const choice = { ...choiceOf(data.options), ...each };
          expect(engine.overview(choice)).toEqual(replayed(data, log, choice));
        }
      },
    ),
    { numRuns: Number(process.env['REPLAY_RUNS'] ?? 100) },
  );
}, 120_000);

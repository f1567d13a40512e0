/** Logs in which one decision matters for what is counted of another. */
import { beforeAll, describe, expect, it } from 'vitest';
import { observedLog } from '../support/observed-log.ts';
import { dataWith, expectSameCounts, replayed } from '../support/page-counts.ts';
import { choiceOf } from '../../web/choice.ts';

const START = Date.UTC(2026, 10, 1);

interface Came {
  readonly client?: string;
  readonly helo?: string;
  readonly minutes: number;
  readonly session: number;
  readonly [field: string]: unknown;
}

/** A decision on a name that does not exist, as the service writes it. */
let sample: object;
beforeAll(async () => {
  const [line = ''] = await observedLog([{ client: '2001:db8::9', helo: 'gone.sender.org', time: START }]);
  sample = JSON.parse(line) as object;
});

const came = ({
  client = '203.0.113.9',
  helo = 'gone.sender.org',
  minutes,
  session,
  ...fields
}: Came): string =>
  JSON.stringify({
    ...sample,
    client: { ip: client, family: client.includes(':') ? 6 : 4 },
    helo,
    time: new Date(START + minutes * 60_000).toISOString(),
    reference: `s${session}.1`,
    end: 'accepted',
    ...fields,
  });

describe('where a table has no room for all', () => {
  it.each([
    ['of streams', { streamLimit: ['failed=1/20h'], weight: ['helo-nxdomain=0'] }],
    ['of tempfails', { tempfailLimit: '1/10m' }],
    ['of ramps', { ramp: ['helo-nxdomain=1/10m'], weight: ['helo-nxdomain=10'] }],
  ])('%s', (_, options) => {
    // One site has more networks than there is room for; the first one comes again, and nobody else does.
    const log = Array.from({ length: 100 }, (__, i) =>
      came({
        client: `2001:db8:5:${i.toString(16)}::1`,
        helo: `gone${i}.example.net`,
        minutes: i,
        session: i,
      }),
    );
    log.push(came({ client: '2001:db8:5:0::1', helo: 'gone0.example.net', minutes: 101, session: 101 }));
    expectSameCounts(dataWith(options), log);
  });

  it('of those who are known by their mail', () => {
    const helos = ['first.example.net', ...Array.from({ length: 6300 }, (_, i) => `x${i}.example.net`)];
    const log = [...helos, 'first.example.net'].map((helo, i) =>
      came({ client: '192.0.2.1', helo, minutes: i / 100, session: i }),
    );
    expectSameCounts(dataWith({ regulars: '1/1', weight: ['helo-nxdomain=1'] }), log);
  });
});

describe('as the replayer counts', () => {
  const other = '198.51.100.7';
  const known = { regulars: '1/1', weight: ['helo-nxdomain=1'] };
  const limited = { streamLimit: ['failed=1/1h'], weight: ['helo-nxdomain=0'] };

  it.each([
    [
      'nobody is known by a message that was not seen to its end',
      known,
      [
        { client: other, minutes: 0, session: 1, end: 'aborted' },
        { minutes: 1, session: 2 },
        { minutes: 2, session: 3 },
      ],
    ],
    [
      'a later record of anybody else moves the clock on',
      limited,
      [
        { minutes: 0, session: 1 },
        { client: other, minutes: 120, session: 2 },
        { minutes: 10, session: 3 },
      ],
    ],
    [
      'also for a sender that is delayed',
      { tempfailLimit: '1/1h' },
      [
        { minutes: 0, session: 1 },
        { client: other, helo: 'gone.strange.org', minutes: 120, session: 2 },
        { minutes: 10, session: 3 },
      ],
    ],
    [
      'a message is another one after another',
      { tempfailLimit: '1/30m' },
      [
        { minutes: 0, session: 1, message: 1 },
        { minutes: 0, session: 1, message: 1 },
        { minutes: 20, session: 1, message: 2 },
        { minutes: 40, session: 1, message: 1 },
        { minutes: 40, session: 1, message: 1 },
      ],
    ],
    [
      'lengths of time are counted in whole seconds',
      { tempfailLimit: '1/1500ms' },
      [
        { minutes: 0.999 / 60, session: 1 },
        { minutes: 1 / 60, session: 2 },
      ],
    ],
  ])('%s', (_, options, log) => {
    expectSameCounts(dataWith(options), log.map(came));
  });

  it('the first of several recipients gives the score', () => {
    const data = dataWith({ rejectAt: '5' }, { recipients: [['boss@dest.test', 'strict']] });
    const [boss, other] = ['boss@dest.test', 'r@dest.test'];
    const orders = [
      [boss, other],
      [other, boss],
      [other, boss],
    ];
    const log = orders.map((recipients, i) => came({ minutes: i, session: i, recipients }));
    expectSameCounts(data, log);
    expect(replayed(data, log, choiceOf(data.options)).scores.map(({ now }) => now)).toHaveLength(2);
  });
});

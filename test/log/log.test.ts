import { describe, expect, it } from 'vitest';
import { type EventFields, type EventName, EVENTS } from '../../src/log/events.ts';
import { LEVELS } from '../../src/log/levels.ts';
import { clock, createLog, type Log, type LogOptions } from '../../src/log/log.ts';

const TIME = Date.UTC(2026, 10, 24, 7, 40, 0, 23);

function logging(options: LogOptions = {}): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog((line) => lines.push(line), { now: () => TIME, ...options }), lines };
}

/** One event of each level, and a line made elsewhere. */
function sayAll(log: Log): void {
  log.tell('watchdog', { detail: 'x y' });
  log.tell('log-lost', { lines: 1 });
  log.tell('stopped', {});
  log.tell('access', { line: null, hits: null });
  log.tell('session-opened', { session: null, client: null });
  log.write('info', log.format === 'json' ? '"event":"ready","a":1' : 'ready a=1');
}

describe('createLog', () => {
  it.each<[string, LogOptions, string[]]>([
    [
      'by default',
      {},
      ['error watchdog detail="x y"', 'warning log-lost lines=1', 'stopped', 'access', 'ready a=1'],
    ],
    [
      'in the journal, with priorities and no time',
      { journal: true, time: true, level: 'debug' },
      [
        '<3>error watchdog detail="x y"',
        '<4>warning log-lost lines=1',
        '<5>stopped',
        '<6>access',
        '<7>debug session-opened',
        '<6>ready a=1',
      ],
    ],
    [
      'with the time',
      { time: true, level: 'warning' },
      [
        '2026-11-24T07:40:00.023Z error watchdog detail="x y"',
        '2026-11-24T07:40:00.023Z warning log-lost lines=1',
      ],
    ],
    [
      'as JSON',
      { format: 'json' },
      [
        '{"time":"2026-11-24T07:40:00.023Z","level":"error","event":"watchdog","detail":"x y"}',
        '{"time":"2026-11-24T07:40:00.023Z","level":"warning","event":"log-lost","lines":1}',
        '{"time":"2026-11-24T07:40:00.023Z","level":"notice","event":"stopped"}',
        '{"time":"2026-11-24T07:40:00.023Z","level":"info","event":"access"}',
        '{"time":"2026-11-24T07:40:00.023Z","level":"info","event":"ready","a":1}',
      ],
    ],
    [
      'as JSON in the journal',
      { format: 'json', journal: true, level: 'error' },
      ['<3>{"time":"2026-11-24T07:40:00.023Z","level":"error","event":"watchdog","detail":"x y"}'],
    ],
  ])('%s', (_, options, wanted) => {
    const { log, lines } = logging(options);
    sayAll(log);
    expect(lines).toEqual(wanted.map((line) => `${line}\n`));
  });

  const ALL = ['watchdog', 'log-lost', 'stopped', 'access', 'session-opened'];
  it.each(LEVELS.map((level, i) => ({ level, wanted: ALL.slice(0, [1, 2, 4, 5][i]), info: i >= 2 })))(
    '--log-level $level writes $wanted',
    ({ level, wanted, info }) => {
      const { log, lines } = logging({ level, format: 'json' });
      sayAll(log);
      const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
      expect(events.filter((event) => event !== 'ready')).toEqual(wanted);
      expect(events.includes('ready')).toBe(info);
      expect(log.wants('info')).toBe(info);
    },
  );

  it('counts errors that repeat, and never a decision', () => {
    const { log, lines } = logging();
    for (let i = 0; i < 5; i++) {
      log.tell('watchdog', { detail: 'x' });
      log.write('info', 'decision a=1');
    }
    log.tell('watchdog', { detail: 'y' });
    log.flush();
    expect(lines.filter((line) => line.startsWith('decision'))).toHaveLength(5);
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      'error watchdog detail=x\n',
      'error watchdog detail=y\n',
      'error watchdog detail=x repeated=4\n',
    ]);
  });
});

describe('tell', () => {
  it.each(
    Object.entries(EVENTS).flatMap(([name, { fields }]) => (fields === null ? [] : [{ name, fields }])),
  )(
    '$name has its word, its level and its fields in their order, and leaves out what is null',
    ({ name, fields }) => {
      const { log, lines } = logging({ level: 'debug', format: 'json' });
      const event = name as EventName;
      const { word, level } = EVENTS[event];
      const values = Object.fromEntries(fields.map((field, i) => [field, i]));
      log.tell(event, values as EventFields<EventName>);
      log.tell(event, Object.fromEntries(fields.map((field) => [field, null])) as EventFields<EventName>);
      const [full = {}, empty] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(Object.keys(full)).toEqual(['time', 'level', 'event', ...fields]);
      expect(full).toMatchObject({ level, event: word, ...values });
      // The second line of an event without fields is the first again.
      if (empty !== undefined) expect(Object.keys(empty)).toEqual(['time', 'level', 'event']);
    },
  );
});

it('the clock agrees with Date over seconds and days', () => {
  let time = Date.UTC(2026, 11, 31, 23, 59, 58, 990);
  const stamp = clock(() => time);
  for (let i = 0; i < 3000; i++) {
    expect(stamp()).toBe(new Date(time).toISOString());
    time += 7;
  }
});

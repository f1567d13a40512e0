import { describe, expect, it } from 'vitest';
import { clock, createLog, type Log, type LogOptions, LEVELS } from '../../src/log/log.ts';

const TIME = Date.UTC(2026, 10, 24, 7, 40, 0, 23);

function logging(options: LogOptions = {}): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog((line) => lines.push(line), { now: () => TIME, ...options }), lines };
}

/** One event of each level, and a line made elsewhere. */
function sayAll(log: Log): void {
  log.error('e', [['detail', 'x y']]);
  log.warning('w', [['n', 1]]);
  log.notice('n', []);
  log.info('i', []);
  log.debug('d', []);
  log.write('info', log.format === 'json' ? '"event":"ready","a":1' : 'ready a=1');
}

describe('createLog', () => {
  it.each<[string, LogOptions, string[]]>([
    ['by default', {}, ['error e detail="x y"', 'warning w n=1', 'n', 'i', 'ready a=1']],
    [
      'in the journal, with priorities and no time',
      { journal: true, time: true, level: 'debug' },
      ['<3>error e detail="x y"', '<4>warning w n=1', '<5>n', '<6>i', '<7>debug d', '<6>ready a=1'],
    ],
    [
      'with the time',
      { time: true, level: 'warning' },
      ['2026-11-24T07:40:00.023Z error e detail="x y"', '2026-11-24T07:40:00.023Z warning w n=1'],
    ],
    [
      'as JSON',
      { format: 'json' },
      [
        '{"time":"2026-11-24T07:40:00.023Z","level":"error","event":"e","detail":"x y"}',
        '{"time":"2026-11-24T07:40:00.023Z","level":"warning","event":"w","n":1}',
        '{"time":"2026-11-24T07:40:00.023Z","level":"notice","event":"n"}',
        '{"time":"2026-11-24T07:40:00.023Z","level":"info","event":"i"}',
        '{"time":"2026-11-24T07:40:00.023Z","level":"info","event":"ready","a":1}',
      ],
    ],
    [
      'as JSON in the journal',
      { format: 'json', journal: true, level: 'error' },
      ['<3>{"time":"2026-11-24T07:40:00.023Z","level":"error","event":"e","detail":"x y"}'],
    ],
  ])('%s', (_, options, wanted) => {
    const { log, lines } = logging(options);
    sayAll(log);
    expect(lines).toEqual(wanted.map((line) => `${line}\n`));
  });

  it.each(LEVELS.map((level, i) => ({ level, wanted: ['e', 'ew', 'ewni', 'ewnid'][i], info: i >= 2 })))(
    '--log-level $level writes $wanted',
    ({ level, wanted, info }) => {
      const { log, lines } = logging({ level, format: 'json' });
      sayAll(log);
      const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
      expect(events.filter((event) => event.length === 1).join('')).toBe(wanted);
      expect(events.includes('ready')).toBe(info);
      expect(log.wants('info')).toBe(info);
    },
  );

  it('counts errors that repeat, and never a decision', () => {
    const { log, lines } = logging();
    for (let i = 0; i < 5; i++) {
      log.error('check', [['check', 'x']]);
      log.write('info', 'decision a=1');
    }
    log.error('check', [['check', 'y']]);
    log.flush();
    expect(lines.filter((line) => line.startsWith('decision'))).toHaveLength(5);
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      'error check check=x\n',
      'error check check=y\n',
      'error check check=x repeated=4\n',
    ]);
  });
});

it('the clock agrees with Date over seconds and days', () => {
  let time = Date.UTC(2026, 11, 31, 23, 59, 58, 990);
  const stamp = clock(() => time);
  for (let i = 0; i < 3000; i++) {
    expect(stamp()).toBe(new Date(time).toISOString());
    time += 7;
  }
});

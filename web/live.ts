/** Decisions as the service makes them, over a connection that is made anew when it is lost. */
import { RECORD_END } from '../src/decisions/record-end.ts';

/** `full`: the service takes no more browsers; it is asked again, as after a loss. */
export type Connection = 'connecting' | 'live' | 'lost' | 'full' | 'paused';

export interface LiveListener {
  readonly onConnection: (now: Connection) => void;
  /** Records of the decision log. */
  readonly onRecords: (records: readonly string[]) => void;
  /** So many decisions have come and gone before we could read them. */
  readonly onMissed: (decisions: number) => void;
  /** Names what is in force now. */
  readonly onForce: (force: string) => void;
}

export interface LiveFeed {
  pause(): void;
  /** Goes on after a pause, or tries again at once. */
  resume(): void;
  close(): void;
}

/** Seconds between tries; the last goes on. */
const PATIENCE_S = [1, 2, 4, 8, 15] as const;
/** The service gives a sign of life every five seconds; a tunnel that died gives none. */
const SILENCE_MS = 20_000;

export function followService({ onConnection, onRecords, onMissed, onForce }: LiveListener): LiveFeed {
  let source: EventSource | null = null;
  let after = '';
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Only one thing is waited for at a time. */
  const wait = (ms: number, then: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(then, ms);
  };

  const stop = (): void => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const lose = (how: Connection): void => {
    stop();
    onConnection(how);
    const seconds = PATIENCE_S[Math.min(tries, PATIENCE_S.length - 1)] ?? 15;
    tries++;
    wait(seconds * 1000, connect);
  };
  const failed = (): void => {
    lose('lost');
  };
  const alive = (): void => {
    wait(SILENCE_MS, failed);
  };
  function connect(): void {
    stop();
    const opened = new EventSource(after === '' ? 'events' : `events?after=${after}`);
    source = opened;
    alive();
    opened.addEventListener('error', failed);
    opened.addEventListener('full', () => {
      lose('full');
    });
    opened.addEventListener('force', ({ data }: MessageEvent<string>) => {
      alive();
      onForce((JSON.parse(data) as { force: string }).force);
    });
    opened.addEventListener('missed', ({ data }: MessageEvent<string>) => {
      onMissed((JSON.parse(data) as { decisions: number }).decisions);
    });
    opened.addEventListener('current', () => {
      tries = 0;
      onConnection('live');
    });
    opened.addEventListener('beat', alive);
    opened.addEventListener('message', ({ data, lastEventId }: MessageEvent<string>) => {
      alive();
      after = lastEventId;
      onRecords(data.split(RECORD_END).filter((record) => record !== ''));
    });
  }

  onConnection('connecting');
  connect();
  return {
    pause: () => {
      stop();
      onConnection('paused');
    },
    resume: () => {
      onConnection('connecting');
      connect();
    },
    close: stop,
  };
}

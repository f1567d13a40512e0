/** What the page knows of the service that serves it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Connection, followService, type LiveFeed } from './live.ts';

export interface LiveState {
  readonly connection: Connection;
  /** It has been connected, so what is shown is not nothing. */
  readonly hasBegun: boolean;
  readonly missed: number;
  /** The service has other options now than the page was made with. */
  readonly isOld: boolean;
  readonly feed: LiveFeed | null;
}

/** `force` names what was in force when the page was made; null if no service serves it. */
export function useLive(
  force: string | null,
  onRecords: (records: readonly string[]) => void,
): LiveState | null {
  const [connection, setConnection] = useState<Connection>('connecting');
  const [hasBegun, begin] = useState(false);
  const [missed, setMissed] = useState(0);
  const [isOld, setOld] = useState(false);
  const feed = useRef<LiveFeed | null>(null);
  useEffect(() => {
    if (force === null) return undefined;
    const followed = followService({
      onConnection: (now) => {
        setConnection(now);
        if (now === 'live') begin(true);
      },
      onRecords,
      onMissed: (decisions) => {
        setMissed((before) => before + decisions);
      },
      onForce: (now) => {
        setOld(now !== force);
      },
    });
    feed.current = followed;
    return () => {
      followed.close();
    };
  }, []);
  return force === null ? null : { connection, hasBegun, missed, isOld, feed: feed.current };
}

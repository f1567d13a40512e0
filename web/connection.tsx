/** Whether the page is up to date, and what can be done about it. */
import type { JSX } from 'preact';
import { number } from './format.ts';
import type { Connection } from './live.ts';
import type { LiveState } from './use-live.ts';

const WORDS: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting …',
  live: 'Live',
  lost: 'Connection lost; trying again',
  full: 'Enough pages are open already; trying again',
  paused: 'Paused',
};

const BUTTONS: Readonly<Record<Connection, string>> = {
  connecting: 'Pause',
  live: 'Pause',
  lost: 'Try now',
  full: 'Try now',
  paused: 'Go on',
};

export function ConnectionBar({ live }: { readonly live: LiveState }): JSX.Element {
  const { connection, feed, missed, isOld } = live;
  return (
    <div class="connection" data-connection={connection}>
      <span class="pill" role="status">
        <i aria-hidden="true" />
        {WORDS[connection]}
      </span>
      {/* Always the same one: whoever has just pressed it has not lost it. */}
      <button
        type="button"
        aria-disabled={connection === 'connecting'}
        onClick={() => {
          if (connection === 'live') feed?.pause();
          else if (connection !== 'connecting') feed?.resume();
        }}
      >
        {BUTTONS[connection]}
      </button>
      {missed > 0 && (
        <span class="faint">
          {number(missed)} decisions came and went unseen: <code>--history</code> keeps more of them.
        </span>
      )}
      {isOld && (
        <span class="notice" role="alert">
          The service has been started or reloaded since this page was opened.
          <button
            type="button"
            onClick={() => {
              location.reload();
            }}
          >
            Load it anew
          </button>
        </span>
      )}
    </div>
  );
}

/** What stands in the place of the page before it has anything to show. */
export function LiveWaiting({ live }: { readonly live: LiveState }): JSX.Element {
  const { connection, hasBegun } = live;
  const isTrouble = !hasBegun && (connection === 'lost' || connection === 'full');
  return (
    <div class="whole">
      <h1>
        {isTrouble
          ? 'The service does not answer'
          : hasBegun
            ? 'Waiting for the first decision'
            : 'Connecting to the service …'}
      </h1>
      <ConnectionBar live={live} />
      <p>
        {isTrouble
          ? 'It may have been stopped, or the tunnel to its host is closed. The page goes on trying.'
          : hasBegun
            ? 'The service has decided on nothing since it was started. As soon as mail comes, it is shown here.'
            : 'Decisions that it remembers are on their way.'}
      </p>
    </div>
  );
}

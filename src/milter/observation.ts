/** The dialogue of one session, as it is shown to an observer, whose failure has no effect on the session. */
import type { ConnectInfo } from './command.ts';
import { SMFIC } from './constants.ts';
import { type OnError, quiet, report } from './guard.ts';
import type { Macros } from './macros.ts';
import { describeCommand, describeMacros, type Observer } from './observer.ts';
import type { MilterSession } from './session.ts';

/** Asked at CONNECT whether a session is observed. */
export type Observe = (info: ConnectInfo, session: MilterSession) => Observer | null;

/** What is there to be shown once the client has connected. */
interface Connected {
  readonly info: ConnectInfo;
  readonly session: MilterSession;
  readonly macros: Macros;
}

export class Observation {
  readonly #onError: OnError;
  /** Null after it has failed: it is not called again. */
  #observer: Observer | null;

  private constructor(observer: Observer, onError: OnError) {
    this.#observer = observer;
    this.#onError = onError;
  }

  /**
   * Asks for an observer, and shows it CONNECT and its macros, which came before there was a session to ask
   * about. Null if nobody observes this session.
   */
  static begin(observe: Observe, { info, session, macros }: Connected, onError: OnError): Observation | null {
    let observer: Observer | null = null;
    try {
      observer = observe(info, session) ?? null;
    } catch (error) {
      report(onError, error, 'observe');
    }
    if (observer === null) return null;
    const observation = new Observation(observer, onError);
    const ofConnect = macros.of(SMFIC.CONNECT);
    if (ofConnect !== undefined) {
      observation.show('mta', 'macro', () => describeMacros(SMFIC.CONNECT, ofConnect));
    }
    observation.show('mta', 'connect', () => describeCommand({ type: 'connect', info }));
    return observation;
  }

  show(side: 'mta' | 'milter', event: string, text: () => string): void {
    try {
      quiet(this.#observer?.(side, event, text()), (error) => {
        report(this.#onError, error, 'observe');
      });
    } catch (error) {
      this.#observer = null;
      report(this.#onError, error, 'observe');
    }
  }
}

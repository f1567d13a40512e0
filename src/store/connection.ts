/**
 * The connection to the server of the store, which is never in the way: a call takes a limited time, so many
 * may be under way, and while the server does not answer as it should, there are none. Then it is asked from
 * time to time, on a new connection, whether it can do all that is wanted of it.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { dial, enter, type StoreAccess } from './dial.ts';
import { reasonOf, withHint } from './reason.ts';

/**
 * A script answers `{ BAD, ANSWER, QUESTION }`: how many values of the store were no good, what was asked
 * for, and its last argument, which tells the answer from that to another question.
 */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/**
 * The first line makes Redis 7 refuse the script as a whole where it may not write: without it, a script that
 * has deleted something may go on to write beyond the limit of the memory.
 */
export function script(text: string): Script {
  const lua = `#!lua\n${text}`;
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** What became of calls. */
const CALL_RESULTS = ['ok', 'timeout', 'error', 'busy', 'alone'] as const;

export interface ConnectionOptions {
  readonly access: StoreAccess;
  /** All that will be run, so that the server has them, and it is known that we may run them. */
  readonly scripts: readonly Script[];
  /** One that does each command that they need, with the name of `probeKey`. */
  readonly trial: Script;
  /** A name of ours to write to, to see whether that is possible. */
  readonly probeKey: string;
  /** Milliseconds that a call may take. */
  readonly timeoutMs: number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /**
   * It no longer answers, or does again; told once each. `detail` says why it does not or, at the end, what
   * was last wrong, and `ms` how long it was so.
   */
  readonly onChange: (up: boolean, detail: string, ms: number) => void;
}

/** Milliseconds for a connection, with TLS and Sentinel. */
const CONNECT_MS = 2000;
/** Calls under way; those beyond are not made. */
const MAX_CALLS = 1000;
/** So many calls without an answer, one after the other, and the server counts as silent. */
const MAX_SILENT = 3;
/** Milliseconds until the next try to connect: doubled with each that fails, and spread by a half. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** A connection that lasted this long was a good one. */
const GOOD_MS = 60_000;

/** What is tried before a server is asked anything. */
type Trial = Pick<ConnectionOptions, 'access' | 'scripts' | 'trial' | 'probeKey'>;

export class StoreConnection {
  readonly #options: ConnectionOptions;
  readonly calls = new Map<(typeof CALL_RESULTS)[number], number>(CALL_RESULTS.map((each) => [each, 0]));
  outages = 0;
  /** Null while the server is not asked. */
  #client: Redis | null = null;
  #told: boolean | null = null;
  #detail = 'not connected yet';
  #inFlight = 0;
  #silent = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #upAt = 0;
  #downAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** The latest question. */
  #asked = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Begins to connect. Until then it is not asked. */
  start(): void {
    void this.#connect();
  }

  /** Null while the server answers, else why it is not asked. */
  get ailment(): string | null {
    return this.#client === null ? this.#detail : null;
  }

  /** Null at once while the server is not asked. Never rejects; null if there was no answer in time. */
  run(what: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> | null {
    const client = this.#client;
    if (client === null || this.#inFlight >= MAX_CALLS) {
      this.#count(client === null ? 'alone' : 'busy');
      return null;
    }
    this.#inFlight++;
    const question = ++this.#asked;
    const reply = send(client, what, keys, [...args, question]).finally(() => this.#inFlight--);
    return new Promise((resolve) => {
      let open = true;
      const end = (result: (typeof CALL_RESULTS)[number], value: unknown): void => {
        if (!open) return;
        open = false;
        clearTimeout(timer);
        this.#count(result);
        resolve(value);
      };
      // What came while we were busy ourselves is read before the second.
      const timer = setTimeout(() => {
        setImmediate(() => {
          if (!open) return;
          end('timeout', null);
          this.#silent++;
          if (this.#silent >= MAX_SILENT)
            this.#lose(client, `no answer within ${this.#options.timeoutMs} ms`);
        });
      }, this.#options.timeoutMs);
      reply.then(
        (value) => {
          // One answer too many, and all that follow are somebody else's.
          if (!answersTo(value, question)) {
            end('error', null);
            this.#lose(client, 'the server answered another question');
            return;
          }
          if (open) this.#silent = 0;
          end('ok', value);
        },
        (error: unknown) => {
          end('error', null);
          this.#lose(client, reasonOf(error, this.#options.access));
        },
      );
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#client?.disconnect();
    this.#client = null;
  }

  #count(result: (typeof CALL_RESULTS)[number]): void {
    this.calls.set(result, (this.calls.get(result) ?? 0) + 1);
  }

  async #connect(): Promise<void> {
    const { access, timeoutMs, now } = this.#options;
    const client = dial(access, CONNECT_MS);
    let told: unknown = null;
    client.on('error', (error: unknown) => {
      told = error;
      this.#lose(client, reasonOf(error, access));
    });
    client.on('close', () => {
      this.#lose(client, told === null ? 'the connection was closed' : reasonOf(told, access));
    });
    const refusal = await admission(client, this.#options, timeoutMs, () => told);
    if (refusal !== null) {
      this.#fail(refusal);
      return;
    }
    if (this.#closed) {
      client.disconnect();
      return;
    }
    this.#client = client;
    this.#silent = 0;
    this.#upAt = now();
    this.#tell(true);
  }

  #lose(client: Redis, detail: string): void {
    if (this.#client !== client) return;
    this.#client = null;
    client.disconnect();
    if (this.#options.now() - this.#upAt >= GOOD_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#fail(detail);
  }

  #fail(detail: string): void {
    if (this.#closed) return;
    this.#detail = detail;
    this.#tell(false);
    const pause = this.#pauseMs * (1 - Math.random() / 2);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#timer = setTimeout(() => void this.#connect(), pause).unref();
  }

  #tell(up: boolean): void {
    const before = this.#told ?? true;
    this.#told = up;
    if (up === before) return;
    const now = this.#options.now();
    if (!up) {
      this.outages++;
      this.#downAt = now;
    }
    this.#options.onChange(up, this.#detail, up ? now - this.#downAt : 0);
  }
}

/** Whether the server does all that is wanted of it: null, or why not. Takes some seconds at most. */
export async function tryStore(trial: Trial): Promise<string | null> {
  const client = dial(trial.access, CONNECT_MS);
  let told: unknown = null;
  client.on('error', (error: unknown) => (told = error));
  const refusal = await admission(client, trial, CONNECT_MS, () => told);
  client.disconnect();
  return refusal;
}

/**
 * Connects, and tries for so many milliseconds all that is wanted of the server: null, or why it does not let
 * us in, and then the connection is closed. `told` is the error of the connection, null as long as there is
 * none: the library itself says only that it is closed.
 */
async function admission(
  client: Redis,
  trial: Trial,
  ms: number,
  told: () => unknown,
): Promise<string | null> {
  let isOpen = false;
  try {
    await within(client.connect(), CONNECT_MS);
    isOpen = true;
    await within(probe(client, trial), ms);
    return null;
  } catch (error) {
    client.disconnect();
    return withHint(trial.access, reasonOf(told() ?? error, trial.access), isOpen);
  }
}

/** Whether it lets us in, runs our scripts, and does all that they need. */
async function probe(client: Redis, { access, scripts, trial, probeKey }: Trial): Promise<void> {
  await Promise.all([
    ...enter(client, access),
    client.eval(trial.lua, 1, probeKey, 0),
    // Asked for by its digest, as all later ones are.
    client.evalsha(trial.sha, 1, probeKey, 0),
    // With nothing to do they do nothing but stay with the server.
    ...scripts.map(({ lua }) => client.eval(lua, 0, 0)),
  ]);
}

/** See `Script`. */
function answersTo(value: unknown, question: number): boolean {
  return Array.isArray(value) && (value as unknown[])[2] === String(question);
}

/** A server that was restarted does not have the script, and says so before it does anything. */
async function send(
  client: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return client.eval(lua, keys.length, ...keys, ...args);
  }
}

async function within<T>(pending: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      setImmediate(() => {
        reject(new Error(`no answer within ${ms} ms`));
      });
    }, ms);
  });
  try {
    return await Promise.race([pending, late]);
  } finally {
    clearTimeout(timer);
  }
}

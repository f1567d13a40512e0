/**
 * Senders that give mail to an MTA without a pause, and the book of what became of each message. A message is
 * delivered if it was answered by 250 at its end, refused if by 5yz, and deferred if by anything else or not
 * at all: its sender still has it, and tries again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Mta } from './mta.ts';
import { SmtpClient } from './smtp-client.ts';

export type Fate = 'delivered' | 'deferred' | 'refused';

/** Who sends: a host with a right to its name, one that gives its address, and one without a name. */
const KINDS = [
  { from: '198.51.100.7', helo: 'mail.sender.org', welcome: true },
  { from: '203.0.113.50', helo: '[203.0.113.50]', welcome: true },
  { from: '203.0.113.51', helo: 'Jupiter', welcome: false },
] as const;

/** Milliseconds before a sender whose message was deferred goes on with the next. */
const PAUSE_MS = 200;
/** Messages that are tried again at a time. */
const AT_ONCE = 8;

export interface Account {
  readonly sent: number;
  readonly delivered: number;
  /** At the first try. */
  readonly deferred: number;
  readonly refused: number;
  /** Milliseconds of a whole session: 99 of 100 took no longer. */
  readonly p99: number;
  readonly slowest: number;
}

export class Post {
  readonly #mta: Mta;
  /** Of the ids of its messages. */
  readonly #prefix: string;
  readonly #paceMs: number;
  readonly #fates = new Map<string, Fate>();
  readonly #first = new Map<string, Fate>();
  readonly #times: number[] = [];
  #next = 0;
  #running: Promise<void>[] = [];
  #over = false;
  /** Of `#times`, those that `recent` has given. */
  #told = 0;
  /** What should never be told: 5yz to a welcome sender, 250 to another. */
  readonly wrong: string[] = [];

  /** `paceMs` is what each sender waits between its messages; messages of another `series` are others. */
  constructor(mta: Mta, { series = 0, paceMs = 0 }: { series?: number; paceMs?: number } = {}) {
    this.#mta = mta;
    this.#prefix = `${mta.name}-${series}-`;
    this.#paceMs = paceMs;
  }

  begin(senders: number): void {
    this.#running = Array.from({ length: senders }, async () => {
      while (!this.#over) {
        const fate = await this.#send(`${this.#prefix}${this.#next++}-`);
        if (fate === 'deferred') await sleep(PAUSE_MS);
        if (this.#paceMs > 0) await sleep(this.#paceMs);
      }
    });
  }

  /** Waits until so many messages more have had this fate. */
  async until(fate: Fate, more: number): Promise<void> {
    const before = this.#count(fate);
    while (this.#count(fate) < before + more) await sleep(20);
  }

  /** Sends no more, and then tries what was deferred until none is. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
    for (let round = 0; round < 50; round++) {
      const left = [...this.#fates].filter(([, fate]) => fate === 'deferred');
      if (left.length === 0) return;
      const again = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) await this.#send(next[0]);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, again));
      await sleep(100);
    }
    throw new Error(`${this.#count('deferred')} messages are never taken`);
  }

  get account(): Account {
    const first = [...this.#first.values()];
    const times = this.#times.toSorted((a, b) => a - b);
    return {
      sent: first.length,
      delivered: first.filter((fate) => fate === 'delivered').length,
      deferred: first.filter((fate) => fate === 'deferred').length,
      refused: first.filter((fate) => fate === 'refused').length,
      p99: Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
      slowest: Math.round(times.at(-1) ?? 0),
    };
  }

  /** Messages that were answered by 250. */
  get delivered(): readonly string[] {
    return [...this.#fates].flatMap(([id, fate]) => (fate === 'delivered' ? [id] : []));
  }

  isOwn(id: string): boolean {
    return id.startsWith(this.#prefix);
  }

  /** Milliseconds of the sessions since the last time that this was asked. */
  recent(): readonly number[] {
    const taken = this.#times.slice(this.#told);
    this.#told = this.#times.length;
    return taken;
  }

  #count(fate: Fate): number {
    let count = 0;
    for (const each of this.#fates.values()) if (each === fate) count++;
    return count;
  }

  async #send(id: string): Promise<Fate> {
    const kind = KINDS[Number(/-(\d+)-$/.exec(id)?.[1]) % KINDS.length] ?? KINDS[0];
    const began = performance.now();
    const code = await this.#try(id, kind);
    this.#times.push(performance.now() - began);
    const fate = code === 250 ? 'delivered' : code >= 500 ? 'refused' : 'deferred';
    if (!this.#first.has(id)) this.#first.set(id, fate);
    this.#fates.set(id, fate);
    if (fate === 'refused' ? kind.welcome : fate === 'delivered' && !kind.welcome)
      this.wrong.push(`${id} ${kind.helo}: ${code}`);
    return fate;
  }

  /** The last reply, or 0 if there was none. */
  async #try(id: string, { from, helo }: (typeof KINDS)[number]): Promise<number> {
    let client: SmtpClient | null = null;
    try {
      client = await SmtpClient.connect(this.#mta.ports[0] ?? 0, from);
      const hello = await client.say(`EHLO ${helo}`);
      if (hello.code !== 250) return hello.code;
      const { code } = await client.send(['hold@dest.test'], `Subject: ${id}\r\n\r\nbody`);
      return code;
    } catch {
      return 0;
    } finally {
      client?.close();
    }
  }
}

/** The messages that an MTA keeps, by the ids in their subjects. */
export function keptBy({ name }: Mta, workdir: string): ReadonlySet<string> {
  const directory = join(workdir, name === 'Postfix' ? 'postfix/spool/hold' : 'sendmail/queue');
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) =>
    name === 'Postfix' ? /[0-9A-Za-z]{6,}$/.test(file) : file.startsWith('qf'),
  );
  const ids = files.flatMap((file) => {
    const text = readFileSync(join(directory, file), 'latin1');
    return /Subject: ((?:Postfix|Sendmail)-\d+-\d+-)/.exec(text)?.[1] ?? [];
  });
  return new Set(ids);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

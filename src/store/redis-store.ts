/** The store on a server that speaks the protocol of Redis: scripts, their arguments, their answers. */
import { MAX_SHARED_TEXT } from './assessment-text.ts';
import { type ConnectionOptions, type Script, script, StoreConnection, tryStore } from './connection.ts';
import type { StoreAccess } from './dial.ts';
import { COUNT_LUA, stepArguments } from './count-script.ts';
import { keyMaker, type KeyOf, textDigest } from './key.ts';
import { FORGET_LUA, KEEP_LUA, LEARN_LUA, MEET_LUA } from './sender-scripts.ts';
import { TRIAL_LUA } from './trial-script.ts';
import type {
  Counted,
  CountStep,
  CountTable,
  Meeting,
  Met,
  SharedStore,
  MailStanding,
} from './shared-store.ts';

export interface RedisStoreOptions extends Pick<
  ConnectionOptions,
  'access' | 'timeoutMs' | 'now' | 'onChange'
> {
  /** Of all our names in the store. */
  readonly prefix: string;
}

const COUNT = script(COUNT_LUA);
const MEET = script(MEET_LUA);
const FORGET = script(FORGET_LUA);
const LEARN = script(LEARN_LUA);
const KEEP = script(KEEP_LUA);
/** What the server must be able to do. */
const TRIAL = { scripts: [COUNT, MEET, FORGET, LEARN, KEEP], trial: script(TRIAL_LUA) };
/** Letters of the tables in the names of values: of counts, and of budgets that are used up. */
const TABLES: Readonly<Record<CountTable, readonly [counts: string, spent: string]>> = {
  tempfails: ['t', 'T'],
  rehearsed: ['w', 'W'],
  ramps: ['r', 'r'],
  streams: ['s', 's'],
};

/** Whether the store works for a host with this access: null, or why not. Takes some seconds at most. */
export function probeStore(access: StoreAccess, prefix: string): Promise<string | null> {
  return tryStore({ access, ...TRIAL, probeKey: keyMaker(prefix)('p', 'probe') });
}

export class RedisStore implements SharedStore {
  readonly #connection: StoreConnection;
  readonly #keyOf: KeyOf;
  /** Values and answers that were not what we write, or the server sends. */
  invalid = 0;

  constructor({ prefix, ...options }: RedisStoreOptions) {
    this.#keyOf = keyMaker(prefix);
    this.#connection = new StoreConnection({
      ...options,
      ...TRIAL,
      probeKey: this.#keyOf('p', 'probe'),
    });
  }

  /** Begins to connect. Until then it is not asked. */
  start(): void {
    this.#connection.start();
  }

  /** Null while it answers, else why it is not asked. */
  get ailment(): string | null {
    return this.#connection.ailment;
  }

  get outages(): number {
    return this.#connection.outages;
  }

  /** Calls by what became of them. */
  get calls(): ReadonlyMap<string, number> {
    return this.#connection.calls;
  }

  count(steps: readonly CountStep[]): Promise<readonly Counted[] | null> | null {
    const keys = steps.flatMap(({ table, names, block }) => {
      const [counts, spent] = TABLES[table];
      const own = names.flatMap((name) => [this.#keyOf(counts, name), this.#keyOf(spent, name)]);
      return [...own, this.#keyOf('q', block)];
    });
    const reply = this.#connection.run(COUNT, keys, [steps.length, ...steps.flatMap(stepArguments)]);
    return reply?.then((value) => this.#read(value, (answers) => countedOf(answers, steps.length))) ?? null;
  }

  meet({ churn, regular, assessment }: Meeting): Promise<Met | null> | null {
    const none = this.#keyOf('p', 'none');
    const keys = [
      churn === null ? none : this.#keyOf('c', churn.network),
      regular === null ? none : this.#keyOf('k', regular),
      assessment === null ? none : this.#keyOf('a', assessment),
      churn === null ? none : this.#keyOf('C', churn.block),
    ];
    const wanted = [churn, regular, assessment].map((each) => (each === null ? 0 : 1));
    const { windowMs, maxNames } = churn?.limits ?? { windowMs: 0, maxNames: 0 };
    const args = [1, ...wanted, textDigest(churn?.name ?? ''), windowMs, maxNames];
    const reply = this.#connection.run(MEET, keys, args);
    return reply?.then((value) => this.#read(value, metOf)) ?? null;
  }

  forgetName(network: string, name: string): void {
    this.#tell(FORGET, [this.#keyOf('c', network)], [textDigest(name)]);
  }

  learn(regular: string, block: string, { messages, days, firstDay, lastDay }: MailStanding): void {
    const keys = [this.#keyOf('k', regular), this.#keyOf('q', block)];
    this.#tell(LEARN, keys, [messages, days, firstDay, lastDay]);
  }

  keep(assessment: string, block: string, text: string, lifeMs: number): void {
    const keys = [this.#keyOf('a', assessment), this.#keyOf('Q', block)];
    this.#tell(KEEP, keys, [text, Math.floor(lifeMs)]);
  }

  /** Nobody waits for it. */
  #tell(what: Script, keys: readonly string[], args: readonly (string | number)[]): void {
    void this.#connection.run(what, keys, [1, ...args])?.then((value) => this.#read(value, () => true));
  }

  close(): void {
    this.#connection.close();
  }

  /** What a script answered: how many values were no good, and the answer. */
  #read<T>(reply: unknown, read: (answer: unknown) => T | null): T | null {
    if (reply === null) return null;
    const [bad, answer] = Array.isArray(reply) ? (reply as unknown[]) : [];
    const value = isCount(bad) ? read(answer) : null;
    this.invalid += isCount(bad) ? bad : 0;
    if (value === null) this.invalid++;
    return value;
  }
}

function countedOf(answers: unknown, steps: number): readonly Counted[] | null {
  if (!Array.isArray(answers) || answers.length !== steps) return null;
  const counted: Counted[] = [];
  for (const each of answers as unknown[]) {
    if (!Array.isArray(each) || !(each as unknown[]).every(isCount)) return null;
    const [within, spent, count, age, under] = each as number[];
    if (within === undefined) counted.push(null);
    else if (spent === undefined || count === undefined || age === undefined || under === undefined)
      return null;
    else counted.push({ within: within === 1, spent: spent === 1, under, tries: { count, age } });
  }
  return counted;
}

function metOf(answer: unknown): Met | null {
  const [names, isNew, regular, text, lifeMs] = Array.isArray(answer) ? (answer as unknown[]) : [];
  const isNumber = names === -1 || isCount(names);
  if (!isNumber || !isCount(isNew) || !Array.isArray(regular) || typeof text !== 'string' || !isCount(lifeMs))
    return null;
  if (text.length > MAX_SHARED_TEXT) return null;
  return {
    names: names === -1 ? null : names,
    isNewName: isNew === 1,
    regular: standingOf(regular),
    assessment: text === '' ? null : { text, lifeMs },
  };
}

function standingOf(numbers: readonly unknown[]): MailStanding | null {
  const [messages, days, firstDay, lastDay] = numbers;
  if (!isCount(messages) || !isCount(days) || !isCount(firstDay) || !isCount(lastDay)) return null;
  return { messages, days, firstDay, lastDay };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

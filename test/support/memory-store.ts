/** The store of a farm in this process, behind the same seam as the one on a server. */
import type {
  CountStep,
  Counted,
  Meeting,
  Met,
  SharedStore,
  MailStanding,
} from '../../src/store/shared-store.ts';
import { LIVES } from '../../src/store/count-script.ts';
import { SPENT_LIFE } from '../../src/state/tempfail-budget.ts';

interface Kept {
  readonly count: number;
  /** Seconds. */
  readonly first: number;
  readonly until: number;
}

/**
 * - `up`: it answers.
 * - `down`: it is not asked.
 * - `mute`: it does what it is asked, and its answer is lost.
 */
export type Health = 'up' | 'down' | 'mute';

export class MemoryStore implements SharedStore {
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #names = new Map<string, Map<string, number>>();
  readonly standings = new Map<string, MailStanding>();
  readonly assessments = new Map<string, { text: string; until: number }>();
  health: Health = 'up';
  /** Questions so far. */
  asked = 0;

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  flush(): void {
    this.#kept.clear();
    this.#names.clear();
    this.standings.clear();
    this.assessments.clear();
  }

  meet({ churn, regular, assessment }: Meeting): Promise<Met | null> | null {
    if (this.health === 'down') return null;
    this.asked++;
    const names = this.#names.get(churn?.network ?? '') ?? new Map<string, number>();
    const isNewName = churn !== null && !names.has(churn.name);
    if (churn !== null) {
      for (const [name, at] of names) if (at <= this.#now() - churn.limits.windowMs) names.delete(name);
      if (names.size < churn.limits.maxNames || !isNewName) names.set(churn.name, this.#now());
      this.#names.set(churn.network, names);
    }
    const kept = this.assessments.get(assessment ?? '');
    const met = {
      names: churn === null ? null : names.size,
      isNewName,
      regular: this.standings.get(regular ?? '') ?? null,
      assessment:
        kept === undefined || kept.until <= this.#now()
          ? null
          : { text: kept.text, lifeMs: kept.until - this.#now() },
    };
    return Promise.resolve(this.health === 'mute' ? null : met);
  }

  forgetName(network: string, name: string): void {
    this.#names.get(network)?.delete(name);
  }

  learn(regular: string, _block: string, known: MailStanding): void {
    const before = this.standings.get(regular);
    const days = (before?.days ?? 0) + (before !== undefined && known.lastDay > before.lastDay ? 1 : 0);
    this.standings.set(regular, {
      messages: Math.max((before?.messages ?? 0) + 1, known.messages),
      days: Math.max(days, known.days),
      firstDay: Math.min(before?.firstDay ?? known.firstDay, known.firstDay),
      lastDay: Math.max(before?.lastDay ?? 0, known.lastDay),
    });
  }

  keep(assessment: string, _block: string, text: string, lifeMs: number): void {
    this.assessments.set(assessment, { text, until: this.#now() + lifeMs });
  }

  count(steps: readonly CountStep[]): Promise<readonly Counted[] | null> | null {
    if (this.health === 'down') return null;
    this.asked++;
    let usedUp = false;
    const answers = steps.map((step) => {
      if (step.ifSpent && !usedUp) return null;
      const counted = this.#step(step);
      usedUp ||= counted.spent;
      return counted;
    });
    return Promise.resolve(this.health === 'mute' ? null : answers);
  }

  get #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  #get(key: string): Kept | null {
    const kept = this.#kept.get(key);
    return kept === undefined || kept.until <= this.#seconds ? null : kept;
  }

  #step({ table, names, count: most, age, known }: CountStep): NonNullable<Counted> {
    const now = this.#seconds;
    const keys = names.map((name) => `${table} ${name}`);
    const isBudget = table === 'tempfails' || table === 'rehearsed';
    const spend = (under: number): NonNullable<Counted> => {
      this.#kept.set(`over ${keys[under] ?? ''}`, { count: 1, first: now, until: now + SPENT_LIFE });
      return { within: false, spent: true, under, tries: { count: 0, age: 0 } };
    };
    const over = keys.findIndex((key, i) => this.#get(`over ${key}`) !== null || known[i]?.spent === true);
    if (isBudget && over >= 0) return spend(over);
    const used = keys.findIndex((key, i) => this.#get(key) !== null || (known[i]?.tries?.count ?? 0) > 0);
    const under = Math.max(0, used);
    const key = keys[under] ?? '';
    const tries = known[under]?.tries;
    const found = this.#get(key);
    const before = found !== null && table === 'streams' && now - found.first >= age ? null : found;
    const count = Math.max(before?.count ?? 0, tries?.count ?? 0);
    const first = Math.min(before?.first ?? now, now - (tries?.age ?? 0));
    const within = count < most || (table !== 'streams' && now - first < age);
    if (isBudget && !within) {
      this.#kept.delete(key);
      spend(0);
      return spend(under);
    }
    const told = within || table === 'ramps' ? count + 1 : count;
    const until = table === 'streams' ? first + age : now + LIVES[table];
    if (told > count) this.#kept.set(key, { count: told, first, until });
    return { within, spent: false, under, tries: { count: told, age: now - first } };
  }
}

/**
 * Tells a broken zone from a broken resolver. When most of the domains asked about fail, it is not they: the brake is on,
 * and nothing that rests on DNS is held against anybody until it lifts by itself.
 *
 * Counted are domains, not questions, so that one hostile zone with many broken names cannot pull it.
 */
import { registrableDomain } from './core/domain.ts';
import type { Answer, RecordType, Resolver } from './core/resolver.ts';

export interface OutageBrakeOptions {
  /** Milliseconds that one look at the resolver covers. */
  readonly windowMs: number;
  /** Domains that must have been asked about before it says anything. */
  readonly minDomains: number;
  /** Share of failing domains, 0–1, from which it is on, and below which it is off again. */
  readonly onAt: number;
  readonly offBelow: number;
  /** Milliseconds on a steady scale. */
  readonly now: () => number;
  /** Hears of every change, once. */
  readonly onChange: (on: boolean, failing: number, domains: number) => void;
}

/** More domains than this in a window tell nothing new. */
const MAX_DOMAINS = 1000;

export class OutageBrake {
  readonly #options: OutageBrakeOptions;
  /** Whether a domain gave at least one answer. */
  #answered = new Map<string, boolean>();
  #failing = 0;
  #windowEndsAt: number;
  #on = false;

  constructor(options: OutageBrakeOptions) {
    this.#options = options;
    this.#windowEndsAt = options.now() + options.windowMs;
  }

  get on(): boolean {
    this.#turn();
    return this.#on;
  }

  /** The resolver with an eye on its answers. */
  watch(inner: Resolver): Resolver {
    return {
      lookup: async <T extends RecordType>(name: string, type: T): Promise<Answer<T>> => {
        const answer = await inner.lookup(name, type);
        // Our own limits say nothing about the resolver.
        if (answer.status !== 'temperror') this.#note(name, true);
        else if (answer.detail !== 'overload' && answer.detail !== 'badresp') this.#note(name, false);
        return answer;
      },
    };
  }

  #note(name: string, answered: boolean): void {
    this.#turn();
    const domain = domainOf(name);
    const before = this.#answered.get(domain);
    if (before === true || (before === false && !answered)) return;
    if (before === undefined && this.#answered.size >= MAX_DOMAINS) return;
    this.#answered.set(domain, answered);
    if (!answered) this.#failing++;
    else if (before === false) this.#failing--;
    this.#judge();
  }

  #judge(minDomains = this.#options.minDomains): void {
    const { onAt, offBelow, onChange } = this.#options;
    const domains = this.#answered.size;
    if (domains < minDomains) return;
    const share = this.#failing / domains;
    const on = this.#on ? share >= offBelow : share >= onAt;
    if (on === this.#on) return;
    this.#on = on;
    onChange(on, this.#failing, domains);
  }

  /** A new window begins with nothing known; the brake stays as it is until the window can judge, or has ended with answers. */
  #turn(): void {
    const now = this.#options.now();
    if (now < this.#windowEndsAt) return;
    // Where little mail comes, a whole window of it has to do; else a brake once on would stay on for hours.
    if (this.#on && this.#answered.size > 0) this.#judge(1);
    this.#answered = new Map();
    this.#failing = 0;
    this.#windowEndsAt = now + this.#options.windowMs;
  }
}

/** Reverse names belong to the network: its /16 or /32. */
function domainOf(name: string): string {
  const reverse = /((?:\.\d{1,3}){2}\.in-addr\.arpa|(?:\.[0-9a-f]){8}\.ip6\.arpa)$/i.exec(name)?.[1];
  return reverse ?? registrableDomain(name) ?? name;
}

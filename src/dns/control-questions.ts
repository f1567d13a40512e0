/**
 * Questions by which we tell a dead resolver from dead zones: whatever strangers make us ask, they cannot
 * influence these. Each asks for a name that nobody has, below a registry's domain: 16 random digits, so that
 * no cache has the answer, neither the resolver's, which would look alive though its way to the world is
 * dead, nor one in this process. Directly below the root the denial would come from the cache as well
 * (aggressive use of NSEC, RFC 8198); these registries sign with opt-out, to which that does not apply. Any
 * answer is a sign of life, including one that there is no such name.
 */
import type { Answer, Resolver } from '../core/resolver.ts';
import { isUnasked } from '../core/unasked.ts';
import { Asker, askedBy, type SharedResolver } from './asker.ts';

/** Run by three registries, on name servers of their own. */
const REGISTRIES = ['com', 'org', 'de'] as const;
type Registry = (typeof REGISTRIES)[number];
/** One lost packet is not an outage: everything is asked twice, the second time a second later. */
const AGAIN_AFTER_MS = 1_000;
/** Answers that have arrived by then count. */
const VERDICT_AFTER_MS = 2_500;

/**
 * - `alive`: a question was answered.
 * - `dead`: all failed that count.
 * - `unknown`: we could not ask, being overloaded ourselves.
 * - `unusable`: this resolver answers others, but has never answered one of these (a network without the
 *   Internet).
 */
export type Sign = 'alive' | 'dead' | 'unknown' | 'unusable';

export class ControlQuestions {
  readonly #random: () => string;
  /**
   * Registries that have answered before. One that never has may be out of reach here, and its silence proves
   * nothing.
   */
  readonly #heardOf = new Set<Registry>();

  /** `random` returns hexadecimal digits, different ones each time. */
  constructor(random: () => string) {
    this.#random = random;
  }

  /** At least one registry has answered. */
  get proven(): boolean {
    return this.#heardOf.size > 0;
  }

  /** Forgets what is known: another resolver is asked from now on. */
  forget(): void {
    this.#heardOf.clear();
  }

  /**
   * Asks. `answersOthers`: this resolver has answered at least one other question. Takes 2.5 s at most; never
   * rejects.
   */
  ask(shared: SharedResolver, answersOthers: () => boolean): Promise<Sign> {
    // If they waited behind clients' questions, they would measure those, and come too late.
    const asker = new Asker('control', { reserved: true });
    const resolver = askedBy(shared, asker);
    return new Promise((resolve) => {
      let open = 0;
      let unasked = false;
      const conclude = (alive: boolean): void => {
        clearTimeout(again);
        clearTimeout(verdict);
        if (alive) resolve('alive');
        else if (unasked) resolve('unknown');
        else if (this.proven || !answersOthers()) resolve('dead');
        else resolve('unusable');
      };
      const round = (last: boolean): void => {
        for (const registry of REGISTRIES) {
          open++;
          void this.#one(resolver, registry).then((answer) => {
            open--;
            if (answer.status !== 'temperror') {
              this.#heardOf.add(registry);
              conclude(true);
              return;
            }
            if (isUnasked(answer.detail)) unasked = true;
            if (last && open === 0) conclude(false);
          });
        }
      };
      const again = setTimeout(round, AGAIN_AFTER_MS, true).unref();
      const verdict = setTimeout(() => {
        // Questions that still wait for their turn say so now, before the verdict.
        asker.end('overload');
        setImmediate(conclude, false);
      }, VERDICT_AFTER_MS).unref();
      round(false);
    });
  }

  #one(resolver: Resolver, registry: Registry): Promise<Answer<'A'>> {
    return resolver.lookup(`${this.#random()}.${registry}`, 'A');
  }
}

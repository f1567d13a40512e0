/** Goes on at once if the verdict is there, so that a cached one costs no promise. */
import type { Judged } from '../policy/judge.ts';

export function afterwards<R>(judged: Judged | Promise<Judged>, next: (judged: Judged) => R): R | Promise<R> {
  return judged instanceof Promise ? judged.then(next) : next(judged);
}

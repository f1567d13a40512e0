/** The validated domain names of the client (RFC 7208 §5.5), for the `ptr` mechanism and for `%{p}`. */
import { canonicalName, isAskable, isWithin } from '../domain.ts';
import { parseIp, reverseName, sameIp } from '../ip.ts';
import type { Answer } from '../resolver.ts';
import type { Evaluation } from './evaluation.ts';

/**
 * §4.6.4: only ten names of the answer count. It does not say which; servers rotate their answers, and a
 * result must not depend on the turn.
 */
const MAX_NAMES = 10;

/** The question that §5.5 begins with. */
export function askPointers(evaluation: Evaluation): Promise<Answer<'PTR'>> {
  return askAbout(evaluation, reverseName(evaluation.request.ip), 'PTR');
}

/** Asks, and notes that there was no answer. */
async function askAbout<T extends 'PTR' | 'A' | 'AAAA'>(
  evaluation: Evaluation,
  name: string,
  type: T,
): Promise<Answer<T>> {
  const answer = await evaluation.askReverse(name, type);
  if (answer.status === 'temperror') {
    evaluation.unanswered ??= { question: `${name} ${type}`, detail: answer.detail };
  }
  return answer;
}

/**
 * The names of the answer that lie within `domain` and lead back to the client. Names elsewhere need no
 * question: they could not match. An error on the way back skips the name (§5.5); an empty answer is no void
 * lookup here.
 */
export async function namesWithin(
  evaluation: Evaluation,
  pointers: readonly string[],
  domain: string,
): Promise<string[]> {
  const ancestor = canonicalName(domain);
  return validate(
    evaluation,
    usable(pointers, ancestor).filter((name) => isWithin(name, ancestor)),
  );
}

/**
 * The value of `%{p}` (§7.3): the domain itself, else a name below it, else any validated name, else
 * "unknown". DNS errors give "unknown".
 */
export async function validatedName(evaluation: Evaluation, domain: string): Promise<string> {
  const answer = await askPointers(evaluation);
  if (answer.status !== 'found') return 'unknown';
  const ancestor = canonicalName(domain);
  const within = await namesWithin(evaluation, answer.records, domain);
  const own = within.find((name) => name === ancestor) ?? within[0];
  if (own !== undefined) return own;
  const others = usable(answer.records, ancestor).filter((name) => !isWithin(name, ancestor));
  return (await validate(evaluation, others))[0] ?? 'unknown';
}

/** With more than ten, those within `ancestor` come first. */
function usable(pointers: readonly string[], ancestor: string): string[] {
  const names = [...new Set(pointers.map(canonicalName))].filter(isAskable);
  if (names.length <= MAX_NAMES) return names;
  const sorted = names.sort();
  const isOwn = (name: string): boolean => isWithin(name, ancestor);
  return [...sorted.filter(isOwn), ...sorted.filter((name) => !isOwn(name))].slice(0, MAX_NAMES);
}

async function validate(evaluation: Evaluation, names: readonly string[]): Promise<string[]> {
  const { ip } = evaluation.request;
  const checked = await Promise.all(
    names.map(async (name) => {
      const answer = await askAbout(evaluation, name, ip.family === 4 ? 'A' : 'AAAA');
      if (answer.status !== 'found') return null;
      const leadsBack = answer.records.some((text) => {
        const address = parseIp(text);
        return address !== null && sameIp(address, ip);
      });
      return leadsBack ? name : null;
    }),
  );
  return checked.filter((name) => name !== null);
}

/**
 * The explanation that a domain publishes for a fail (RFC 7208 §6.2). Foreign text: say so where it is shown
 * (§8.4).
 */
import type { Evaluation } from './evaluation.ts';
import { macroValues, targetOf } from './target.ts';
import { type DomainSpec, expand, parseMacroString } from './macro.ts';

/**
 * Longer text would not fit a reply line (RFC 5321 §4.5.3.1.5) and macros can blow it up; RFC 7208 gives no
 * limit.
 */
const MAX_LENGTH = 512;

/**
 * Fetches and expands `exp=` of the record that gave the fail. Null on any trouble, which is then "as if no
 * exp modifier was given": not exactly one TXT record, not US-ASCII, a syntax error. Counts neither as a
 * lookup nor as a void lookup.
 */
export async function publishedExplanation(
  evaluation: Evaluation,
  spec: DomainSpec,
  domain: string,
): Promise<string | null> {
  const name = await targetOf(evaluation, spec, domain);
  if (name === null) return null;
  const answer = await evaluation.ask(name, 'TXT');
  if (answer.status !== 'found' || answer.records.length !== 1) return null;
  const parts = parseMacroString(answer.records[0] ?? '', 'explanation');
  if (parts === null) return null;
  const text = expand(parts, await macroValues(evaluation, parts, domain), MAX_LENGTH);
  return text.slice(0, MAX_LENGTH).replace(/[^\x20-\x7e]/g, '?');
}

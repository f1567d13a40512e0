/** Texts with names in braces, of ours and of the operator's, filled in with what strangers wrote. */
import type { Assessment } from '../core/assessment.ts';
import type { Evidence } from '../core/check.ts';

const PLACEHOLDER = /\{([a-z]+)\}/;
/** Templates taken apart: text, name, text, … There are few: ours and the operator's. */
const parts = new Map<string, readonly string[]>();
/** The most octets of one quoted value: enough for a person to recognise a name. */
const MAX_VALUE = 100;

/** What the names in braces stand for. */
export function valuesOf(evidence: Evidence, { client }: Pick<Assessment, 'client'>): Evidence {
  return {
    // These words fit wherever an address does: "IN A unknown" is no record to publish.
    client: client.ip?.text ?? 'your address',
    helo: client.helo.text,
    ...evidence,
  };
}

/** The names in braces. */
export function placeholders(template: string): string[] {
  return partsOf(template).filter((_, i) => i % 2 === 1);
}

/** Replaces `{name}` by the evidence of that name, cleaned and bounded; `?` where there is none. */
export function fill(template: string, evidence: Evidence): string {
  let filled = '';
  let isName = false;
  for (const part of partsOf(template)) {
    filled += isName ? clean(evidence[part] ?? '?', MAX_VALUE) : part;
    isName = !isName;
  }
  return filled;
}

function partsOf(template: string): readonly string[] {
  const known = parts.get(template);
  if (known !== undefined) return known;
  const taken = template.split(PLACEHOLDER);
  parts.set(template, taken);
  return taken;
}

/**
 * Printable ASCII without the characters that Postfix itself replaces in a HELO, cut with `...` beyond
 * `limit`. Quotes stay quotes, of the other kind.
 */
export function clean(text: string, limit: number): string {
  const printable = text
    .slice(0, limit + 1)
    .replaceAll('"', "'")
    .replaceAll(/[^\x20-\x7e]|[<>();@\\]/g, '?');
  return printable.length > limit ? `${printable.slice(0, limit - 3)}...` : printable;
}

/**
 * Recipients with a policy of their own: opt-in and opt-out, by address or by domain.
 *
 *     dest.test          strict       # the domain itself
 *     .dest.test         emailcore    # all names below it
 *     sales@dest.test    off          # takes mail from everybody
 */
import { PRESETS, type PresetName } from '../core/check.ts';
import { isQueryName } from '../core/domain.ts';
import { type Mailbox, parseMailbox } from './mailbox.ts';
import type { Policy } from './policy.ts';
import { Faults, FileError } from '../errors.ts';
import { textOfWire, writtenName } from './written-name.ts';

/** `off`: nothing is held against a client on behalf of this recipient. */
export type RecipientRule = PresetName | 'off';

const RULES: readonly string[] = [...PRESETS, 'off'];

export class RecipientPolicies {
  readonly #rules: ReadonlyMap<string, RecipientRule>;
  readonly #policies: ReadonlyMap<RecipientRule, Policy>;
  /** The policies in use by recipients. */
  readonly policies: readonly Policy[];

  /** `rules` by mailbox, domain or `.domain`; `make` gives the policy of a preset. */
  constructor(rules: ReadonlyMap<string, RecipientRule>, make: (preset: PresetName) => Policy) {
    this.#rules = rules;
    const presets = PRESETS.filter((preset) => [...rules.values()].includes(preset));
    this.#policies = new Map(presets.map((preset) => [preset, make(preset)]));
    this.policies = [...this.#policies.values()];
  }

  /** Recipients and domains with a rule. */
  get size(): number {
    return this.#rules.size;
  }

  /**
   * The rule nearest to the address, as it came over the wire, decides: its own, its domain's, that of a
   * domain above; null means the general policy.
   */
  of(path: string): Policy | 'off' | null {
    if (this.#rules.size === 0) return null;
    for (const key of keys(parseMailbox(textOfWire(path)))) {
      const rule = this.#rules.get(key);
      if (rule !== undefined) return rule === 'off' ? 'off' : (this.#policies.get(rule) ?? null);
    }
    return null;
  }
}

function* keys({ local, domain }: Mailbox): Iterable<string> {
  yield `${local}@${domain}`;
  yield domain;
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) yield domain.slice(dot);
}

/** Reads a table. Throws FileError, naming file and line, for the first bad line, the others with it. */
export function parseRecipientRules(text: string, file: string): ReadonlyMap<string, RecipientRule> {
  const rules = new Map<string, RecipientRule>();
  const faults = new Faults();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const words = line
      .replace(/(?:^|\s)#.*/, '')
      .trim()
      .split(/\s+/);
    if (words[0] === '') continue;
    faults.try(() => {
      const fail = (problem: string): never => {
        throw new FileError(`${file}:${i + 1}: ${problem}`);
      };
      const [who = '', rule = '', ...more] = words;
      if (rule === '' || more.length > 0) fail('a line is a recipient and its policy');
      if (!RULES.includes(rule)) fail(`"${rule}" is not one of ${RULES.join(', ')}`);
      const key = keyOf(who) ?? fail(`"${who}" is neither an address nor a domain`);
      if (rules.has(key)) fail(`"${who}" is there already`);
      rules.set(key, rule as RecipientRule);
    });
  }
  faults.throwAny();
  return rules;
}

function keyOf(who: string): string | null {
  if (who.includes('@')) {
    const { local, domain } = parseMailbox(who);
    return local !== '' && isQueryName(domain) ? `${local}@${domain}` : null;
  }
  const below = who.startsWith('.') ? '.' : '';
  const domain = writtenName(who.slice(below.length));
  return isQueryName(domain) ? `${below}${domain}` : null;
}

/** Pages and reports that do not say who the people are. */
import { asciiJson } from '../log/value.ts';
import { exemptRecipient } from '../policy/exemption.ts';
import { isPlainMailbox, parseMailbox, withoutBrackets } from '../policy/mailbox.ts';
import { textOfWire } from '../policy/written-name.ts';

/**
 * Hides the local parts of senders and recipients, and of what clients gave as a name with an `@` in it. The
 * same address gets the same name, so that whatever is counted by address stays the same; the two mailboxes
 * that are never refused stay what they are.
 */
export class AddressMask {
  readonly #nameOf: (key: string) => string;

  /** `nameOf` makes the text that stands for a mailbox: for one always the same, for two never. */
  constructor(nameOf: (key: string) => string = inTurn()) {
    this.#nameOf = nameOf;
  }

  /**
   * A path as it came over the wire, with or without angle brackets. Of a mailbox the domain stays, and of
   * any other text nothing; the empty path is as it was.
   */
  address(path: string): string {
    const bare = textOfWire(withoutBrackets(path));
    if (bare === '') return path;
    const mailbox = parseMailbox(bare);
    const { local, domain } = mailbox;
    const exempt = exemptRecipient(bare);
    const isPlain = isPlainMailbox(mailbox);
    let masked = exempt ?? `hidden-${this.#nameOf(isPlain ? `${local}@${domain}` : bare)}`;
    if (isPlain) masked += `@${domain}`;
    return path.startsWith('<') ? `<${masked}>` : masked;
  }

  /**
   * What a client said in HELO, or what quotes it: as it was unless it has an `@`, as an address has. Then no
   * more of it stays than of an address, and it stays no name of a host.
   */
  said(text: string): string {
    if (!text.includes('@')) return text;
    const masked = this.address(text);
    return masked.includes('@') ? masked : `${masked}@`;
  }

  /** A line of a decision log. */
  line(line: string): string {
    const record = JSON.parse(line) as Record<string, unknown>;
    for (const key of ['sender', 'recipient']) {
      const value = record[key];
      if (typeof value === 'string') record[key] = this.address(value);
    }
    const { recipients } = record;
    if (Array.isArray(recipients)) {
      record['recipients'] = recipients.map((each) => (typeof each === 'string' ? this.address(each) : null));
    }
    for (const key of ['helo', 'judged']) {
      if (record[key] !== undefined) record[key] = withTexts(record[key], (text) => this.said(text), 'dns');
    }
    return asciiJson(record);
  }
}

/**
 * The value with each text in it rewritten, however deep, but for the names of members and for what is in a
 * member that is called `but`.
 */
export function withTexts<T>(value: T, rewrite: (text: string) => string, but = ''): T {
  return rewritten(value, rewrite, but) as T;
}

function rewritten(value: unknown, rewrite: (text: string) => string, but: string): unknown {
  if (typeof value === 'string') return rewrite(value);
  if (Array.isArray(value)) return value.map((each: unknown) => rewritten(each, rewrite, but));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === but ? each : rewritten(each as unknown, rewrite, but),
    ]),
  );
}

/** Numbers, as the mailboxes come. */
function inTurn(): (key: string) => string {
  const numbers = new Map<string, number>();
  return (key) => {
    const number = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, number);
    return String(number);
  };
}

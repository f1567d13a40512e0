/** Pages and reports that do not say who the people are. */
import { asciiJson } from '../log/value.ts';
import { exemptRecipient } from '../policy/exemption.ts';
import { isPlainMailbox, parseMailbox, withoutBrackets } from '../policy/mailbox.ts';
import { textOfWire } from '../policy/written-name.ts';

/**
 * Hides the local parts of senders and recipients. The same address gets the same name, so that whatever is
 * counted by address stays the same; the two mailboxes that are never refused stay what they are.
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
    return asciiJson(record);
  }
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

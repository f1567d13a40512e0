/** The decisions of a page, as they are put into it: the newest ones, packed a thousand at a time. */
import { gzipSync } from 'node:zlib';
import { asciiJson } from '../log/value.ts';
import { exemptRecipient } from '../policy/exemption.ts';
import { isPlainMailbox, parseMailbox, withoutBrackets } from '../policy/mailbox.ts';
import { textOfWire } from '../policy/written-name.ts';

/** What a browser judges again without making people wait. */
const MOST_DECISIONS = 100_000;
const IN_A_CHUNK = 1000;

export class PageDecisions {
  readonly #most: number;
  readonly #hide: (line: string) => string;
  #chunks: string[] = [];
  #open: string[] = [];
  /** Older ones that are not in it. */
  left = 0;

  /** `hide` rewrites a line before it is kept. */
  constructor(hide: (line: string) => string = (line) => line, most = MOST_DECISIONS) {
    this.#hide = hide;
    this.#most = most;
  }

  add(line: string): void {
    this.#open.push(this.#hide(line));
    if (this.#open.length === Math.min(IN_A_CHUNK, this.#most)) this.#pack();
  }

  /** Of gzip in base64, the oldest first. */
  chunks(): readonly string[] {
    this.#pack();
    return this.#chunks;
  }

  #pack(): void {
    if (this.#open.length === 0) return;
    // The characters of a line are the octets of the file.
    this.#chunks.push(gzipSync(Buffer.from(this.#open.join('\n'), 'latin1')).toString('base64'));
    this.#open = [];
    const most = Math.max(1, Math.floor(this.#most / IN_A_CHUNK));
    if (this.#chunks.length <= most) return;
    this.#chunks.shift();
    this.left += Math.min(IN_A_CHUNK, this.#most);
  }
}

/**
 * Hides the local parts of senders and recipients. The same address gets the same number, so that whatever is
 * counted by address stays the same; the two mailboxes that are never refused stay what they are.
 */
export class AddressMask {
  readonly #numbers = new Map<string, number>();

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
    let masked = exempt ?? `hidden-${this.#numberOf(isPlain ? `${local}@${domain}` : bare)}`;
    if (isPlain) masked += `@${domain}`;
    return path.startsWith('<') ? `<${masked}>` : masked;
  }

  #numberOf(key: string): number {
    const number = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, number);
    return number;
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

/**
 * What is done to Authentication-Results in the messages of one MTA: the name under which we sign, the fields
 * that are removed, and whether the MTA lets us. Knows no session and no verdict.
 */
import { FIELD } from './auth-results.ts';
import type { ForgedResults } from '../policy/forged-results.ts';
import { canonicalId, mayPretendToBeOurs, pretendsToBeOurs } from './our-field.ts';

export interface TaggingOptions {
  /** Our authserv-id (RFC 8601 §2.5); null for the name of the MTA. */
  readonly authservId: string | null;
  /** Which fields with our authserv-id are removed. */
  readonly forged: ForgedResults;
}

/** What we need from the MTA. */
interface Mta {
  macro(name: string): string | undefined;
  granted(action: 'addHeaders' | 'changeHeaders'): boolean;
}

/** The message, as far as removing fields goes. */
interface Header {
  changeHeader(index: number, name: string, value: null): void;
}

/**
 * More fields than this in our name are no accident. To remove one, Postfix reads the header from its
 * beginning: sixteen thousand in one message kept its cleanup busy for twelve seconds.
 */
const MAX_FORGED = 200;

/**
 * Octets of such fields in one message that are parsed; honest messages have a tenth of that. Beyond them, a
 * field with our name and a method of ours in it, or an encoded word, counts as ours.
 */
const MAX_READ = 65_536;

/** The longest authserv-id in octets: that of a domain name (RFC 1035 §2.3.4). A longer one is not a name. */
const MAX_ID = 255;

/** Why messages are left as they are; each reason is told once. */
export type Untagged = 'no changes' | 'no name';

/** Shared by the sessions that were negotiated alike. */
export class Tagging {
  readonly #options: TaggingOptions;
  readonly #untagged: (why: Untagged) => void;
  readonly #told = new Set<Untagged>();

  /** `untagged` is called once for each reason. Must not throw. */
  constructor(options: TaggingOptions, untagged: (why: Untagged) => void) {
    this.#options = options;
    this.#untagged = untagged;
  }

  /**
   * Whether the MTA lets us do what we must: adding a field without removing forged ones would be worthless.
   */
  possible(mta: Pick<Mta, 'granted'>): boolean {
    const granted =
      mta.granted('addHeaders') && (this.#options.forged === 'none' || mta.granted('changeHeaders'));
    if (!granted) this.#tell('no changes');
    return granted;
  }

  /**
   * For the message that begins; null if it is left as it is. If we have no name, we do not make one up:
   * anybody can write a field that says `localhost`, and nobody would remove a forged one.
   */
  begin(mta: Pick<Mta, 'macro'>): ResultFields | null {
    const { authservId, forged } = this.#options;
    const id = authservId ?? mta.macro('j') ?? '';
    if (id !== '' && id.length <= MAX_ID) return new ResultFields(id, forged);
    this.#tell('no name');
    return null;
  }

  #tell(why: Untagged): void {
    if (this.#told.has(why)) return;
    this.#told.add(why);
    this.#untagged(why);
  }
}

/** The Authentication-Results fields of one message. */
export class ResultFields {
  readonly authservId: string;
  readonly #ours: string;
  readonly #forged: ForgedResults;
  #seen = 0;
  #unread = MAX_READ;
  #count = 0;
  /** Positions of the first forged fields among those of the same name, as received. */
  #places: number[] | null = null;

  constructor(authservId: string, forged: ForgedResults) {
    this.authservId = authservId;
    this.#ours = canonicalId(authservId);
    this.#forged = forged;
  }

  /** Takes the next field of the message. */
  note(name: string, value: string): void {
    if (name.length !== FIELD.length || name.toLowerCase() !== FIELD.toLowerCase()) return;
    this.#seen++;
    const pretends = value.length <= this.#unread ? pretendsToBeOurs : mayPretendToBeOurs;
    this.#unread = Math.max(0, this.#unread - value.length);
    if (!pretends(this.#ours, value, this.#forged)) return;
    if (++this.#count <= MAX_FORGED) (this.#places ??= []).push(this.#seen);
  }

  /** How many forged fields there are, if they are too many to be removed; else 0. */
  get tooMany(): number {
    return this.#count > MAX_FORGED ? this.#count : 0;
  }

  /**
   * Removes the forged fields, or the first of too many: from the last to the first, so that the positions of
   * the others stay the same.
   */
  takeOff(message: Header): void {
    for (const place of this.#places?.toReversed() ?? []) message.changeHeader(place, FIELD, null);
  }
}

/**
 * What is done to Authentication-Results in the messages of one MTA: under which name we sign, which fields go, and
 * whether the MTA lets us. Knows no session and no verdict.
 */
import { FIELD } from './auth-results.ts';
import type { ForgedResults } from '../policy/forged-results.ts';
import { canonicalId, mayPretendToBeOurs, pretendsToBeOurs } from './our-field.ts';

export interface TaggingOptions {
  /** Our authserv-id (RFC 8601 §2.5); null for the name of the MTA. */
  readonly authservId: string | null;
  /** Which fields with our authserv-id are taken off. */
  readonly forged: ForgedResults;
}

/** What we ask of the MTA. */
interface Mta {
  macro(name: string): string | undefined;
  granted(action: 'addHeaders' | 'changeHeaders'): boolean;
}

/** The message, as far as fields are taken off. */
interface Header {
  changeHeader(index: number, name: string, value: null): void;
}

/**
 * More fields than this in our name are no accident. Removing one makes Postfix read the header from its beginning:
 * sixteen thousand in one message kept its cleanup busy for twelve seconds.
 */
const MAX_FORGED = 200;

/**
 * Octets of such fields in one message that are read with care; honest messages have a tenth of it. What is beyond and
 * has our name and a method of ours in it, or an encoded word, is taken for ours.
 */
const MAX_READ = 65_536;

/** Octets of an authserv-id: those of a domain name (RFC 1035 §2.3.4). A longer one is no name. */
const MAX_ID = 255;

/** Why messages are left as they are, each told once. */
export type Untagged = 'no changes' | 'no name';

/** Shared by the sessions that are negotiated alike. */
export class Tagging {
  readonly #options: TaggingOptions;
  readonly #untagged: (why: Untagged) => void;
  readonly #told = new Set<Untagged>();

  /** `untagged` hears of each reason once. Must not throw. */
  constructor(options: TaggingOptions, untagged: (why: Untagged) => void) {
    this.#options = options;
    this.#untagged = untagged;
  }

  /** Whether the MTA lets us do what we have to: to add a field and leave forged ones would be worth nothing. */
  possible(mta: Pick<Mta, 'granted'>): boolean {
    const granted =
      mta.granted('addHeaders') && (this.#options.forged === 'none' || mta.granted('changeHeaders'));
    if (!granted) this.#tell('no changes');
    return granted;
  }

  /**
   * For the message that begins; null where it is left as it is. Without a name of our own none is made up: a field that
   * says `localhost` is everybody's, and nobody would take off a forged one.
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
  /** Places of the first forged fields among those of their name, as received. */
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

  /** How many forged fields there are where they are too many to be taken off; else 0. */
  get tooMany(): number {
    return this.#count > MAX_FORGED ? this.#count : 0;
  }

  /** Takes off the forged fields, the first of too many: from the last to the first, so that the places of the others stay. */
  takeOff(message: Header): void {
    for (const place of this.#places?.toReversed() ?? []) message.changeHeader(place, FIELD, null);
  }
}

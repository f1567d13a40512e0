/**
 * Reads the members of a JSON object, each as the type that it must have: for files that we have written, and
 * that somebody may have cut or edited since.
 */

/** A line is not what it should be; the message says what is wrong, without quoting the line. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** We write less than ten levels; whoever goes through a deeper value may run out of stack. */
const MAX_DEPTH = 100;
/** The years of four digits from 1970, in Unix milliseconds: what our texts and pages can show. */
const LAST_TIME = Date.UTC(10_000, 0) - 1;

type Given = Readonly<Record<string, unknown>>;

export class Members {
  readonly #given: Given;

  private constructor(given: Given) {
    this.#given = given;
  }

  /** Throws RecordError if the text is not a JSON object, or nested too deeply. */
  static parse(text: string): Members {
    let given: unknown;
    try {
      given = JSON.parse(text);
    } catch {
      throw new RecordError('it is not JSON');
    }
    if (!isObject(given)) throw new RecordError('it is not a JSON object');
    const mayBeDeep = text.split(/[[{]/, MAX_DEPTH + 1).length > MAX_DEPTH;
    if (mayBeDeep && isDeeper(given, MAX_DEPTH)) throw new RecordError('it is nested too deeply');
    return new Members(given);
  }

  text(name: string): string {
    const value = this.#own(name);
    return typeof value === 'string' ? value : this.#fail(name, 'a string');
  }

  /** Null where it is null or absent. */
  maybe(name: string): string | null {
    const value = this.#own(name) ?? null;
    return value === null ? null : this.text(name);
  }

  /** Of all members, in order. */
  names(): string[] {
    return Object.keys(this.#given);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#given, name);
  }

  /** Null where it is null or absent. */
  maybeNumber(name: string): number | null {
    return (this.#own(name) ?? null) === null ? null : this.number(name);
  }

  number(name: string, otherwise?: number): number {
    const value = this.#own(name) ?? otherwise;
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#fail(name, 'a number');
  }

  /** False where it is absent. */
  flag(name: string): boolean {
    const value = this.#own(name) ?? false;
    return typeof value === 'boolean' ? value : this.#fail(name, 'true or false');
  }

  /** One of these; `otherwise` if it is null or absent. */
  word<const T>(name: string, words: readonly T[], otherwise?: NoInfer<T>): T {
    const value = this.#own(name) ?? otherwise;
    const known = (words as readonly unknown[]).includes(value);
    return known ? (value as T) : this.#fail(name, 'a known word');
  }

  /** Unix time in milliseconds, from a time as in RFC 3339, of the years 1970 to 9999. */
  time(name: string): number {
    const value = Date.parse(this.text(name));
    return value >= 0 && value <= LAST_TIME ? value : this.#fail(name, 'a time');
  }

  object(name: string): Members {
    return this.maybeObject(name) ?? this.#fail(name, 'an object');
  }

  /** Null where it is null or absent. */
  maybeObject(name: string): Members | null {
    const value = this.#own(name) ?? null;
    if (value === null) return null;
    return isObject(value) ? new Members(value) : this.#fail(name, 'an object');
  }

  /** Empty where it is absent. */
  objects(name: string): Members[] {
    return this.#list(name, 'objects', isObject)?.map((each) => new Members(each)) ?? [];
  }

  /** Null where it is null or absent. */
  texts(name: string): string[] | null {
    return this.#list(name, 'strings', (each) => typeof each === 'string');
  }

  /** An object of strings; empty where it is absent. */
  evidence(name: string): Readonly<Record<string, string>> {
    const value = this.#own(name) ?? {};
    if (!isObject(value)) return this.#fail(name, 'an object');
    // A key may be anything, `__proto__` too: of what JSON.parse has made, each is an own one.
    return areTexts(value) ? value : this.#fail(name, 'strings');
  }

  #list<T>(name: string, what: string, is: (each: unknown) => each is T): T[] | null {
    const value = this.#own(name) ?? null;
    if (value === null) return null;
    return Array.isArray(value) && value.every(is) ? value : this.#fail(name, `a list of ${what}`);
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#given, name) ? this.#given[name] : undefined;
  }

  #fail(name: string, what: string): never {
    throw new RecordError(`"${name}" is not ${what}`);
  }
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areTexts(value: Given): value is Readonly<Record<string, string>> {
  return Object.values(value).every((each) => typeof each === 'string');
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}

/**
 * The position of each key and value in a TOML document, which smol-toml does not give. For valid documents
 * only: smol-toml has read the text before, so this only looks for where things end, not whether they are
 * right.
 */
import { parse } from 'smol-toml';

/** Offsets into the text; the value ends before `end`. */
export interface TomlPlace {
  readonly key: number;
  readonly value: number;
  readonly end: number;
}

type Path = readonly (string | number)[];

/** By path: keys, and indices of arrays from 0. */
export class TomlPlaces {
  readonly #text: string;
  readonly #places: ReadonlyMap<string, TomlPlace>;

  constructor(text: string) {
    this.#text = text;
    this.#places = new Scan(text).places();
  }

  get(path: Path): TomlPlace | undefined {
    return this.#places.get(keyOf(path));
  }

  /** The value as written, without its surroundings. */
  source(path: Path): string {
    const place = this.get(path);
    return place === undefined ? '' : this.#text.slice(place.value, place.end);
  }

  /** `LINE:COLUMN`, from 1, as smol-toml counts them; of the key or of the value. */
  position(path: Path, of: 'key' | 'value'): string | null {
    const place = this.get(path);
    if (place === undefined) return null;
    const lines = this.#text.slice(0, place[of]).split('\n');
    return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
  }
}

/** Nothing that is asked for is deeper. With paths as long as a text is deep, the work would be quadratic. */
const MAX_DEPTH = 16;

/** One step deeper, up to the depth that is asked for. */
function below(path: Path, step: string | number): Path {
  return path.length < MAX_DEPTH ? [...path, step] : path;
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

interface KeyPart {
  readonly name: string;
  readonly at: number;
}

class Scan {
  readonly #text: string;
  #at = 0;
  readonly #places = new Map<string, TomlPlace>();
  /** The last entry of each array of tables. */
  readonly #arrays = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  places(): ReadonlyMap<string, TomlPlace> {
    let table: Path = [];
    for (;;) {
      this.#skip(/(?:\s|#[^\n]*)*/y);
      if (this.#at >= this.#text.length) return this.#places;
      if (this.#text[this.#at] === '[') table = this.#header();
      else this.#pair(table);
    }
  }

  #header(): Path {
    const array = this.#text.startsWith('[[', this.#at);
    this.#at += array ? 2 : 1;
    const parts = this.#key();
    let path = this.#enter([], parts, this.#at);
    if (array) {
      const index = (this.#arrays.get(keyOf(path)) ?? -1) + 1;
      this.#arrays.set(keyOf(path), index);
      path = below(path, index);
    }
    this.#skip(/\]{1,2}/y);
    return path;
  }

  #pair(table: Path): void {
    const parts = this.#key();
    this.#skip(/=[ \t]*/y);
    this.#value(this.#enter(table, parts, this.#at), parts.at(-1)?.at ?? this.#at);
  }

  /** The path of a key, and a place for each table that its parts make. */
  #enter(table: Path, parts: readonly KeyPart[], value: number): Path {
    let path = table;
    for (const [i, { name, at }] of parts.entries()) {
      path = below(path, name);
      const key = keyOf(path);
      if (!this.#places.has(key)) this.#places.set(key, { key: at, value, end: value });
      const index = i === parts.length - 1 ? undefined : this.#arrays.get(key);
      if (index !== undefined) path = below(path, index);
    }
    return path;
  }

  #value(path: Path, key: number): void {
    const value = this.#at;
    const first = this.#text[value];
    if (first === '[' || first === '{') {
      this.#at++;
      for (let i = 0; ;) {
        this.#skip(/(?:[\s,]|#[^\n]*)*/y);
        const next = this.#text[this.#at];
        if (next === undefined || next === ']' || next === '}') break;
        if (first === '{') this.#pair(path);
        else this.#value(below(path, i++), this.#at);
      }
      this.#at++;
    } else if (first === '"' || first === "'") {
      this.#skip(STRING);
    } else {
      // A date may have a blank in the middle, but not at its end.
      this.#skip(/[^\s,\]}#]+(?:[ \t]+[^\s,\]}#]+)*/y);
    }
    // Whatever happens, the scan moves on.
    if (this.#at === value) this.#at++;
    this.#places.set(keyOf(path), { key, value, end: this.#at });
  }

  #key(): readonly KeyPart[] {
    const parts: KeyPart[] = [];
    do {
      this.#skip(/[ \t.]*/y);
      const at = this.#at;
      const word = this.#skip(/"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+/y);
      // An invalid key must not stop the scan.
      if (word === '') this.#at++;
      parts.push({ name: /^["']/.test(word) ? (Object.keys(parse(`${word} = 0`))[0] ?? '') : word, at });
      this.#skip(/[ \t]*/y);
    } while (this.#text[this.#at] === '.');
    return parts;
  }

  /** Moves past what matches here, and returns it. */
  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

/**
 * Basic and literal strings, both also multi-line, where up to two quotes may come before the closing ones.
 */
const STRING =
  /"""(?:[^"\\]|\\[^]|"{1,2}(?!"))*"{3,5}|'''(?:[^']|'{1,2}(?!'))*'{3,5}|"(?:[^"\\]|\\.)*"|'[^']*'/y;

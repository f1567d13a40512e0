/**
 * Where each key and value of a TOML document stands, which smol-toml does not tell. For sound documents only:
 * smol-toml has read it before, so that what is looked for here is where things end, not whether they are right.
 */
import { parse } from 'smol-toml';

/** Offsets into the text; the value ends before `end`. */
export interface TomlPlace {
  readonly key: number;
  readonly value: number;
  readonly end: number;
}

type Path = readonly (string | number)[];

/** By path: keys, and places in arrays from 0. */
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

  /** As it is written, without what is around it. */
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

/** Nothing that anybody asks for stands deeper; with paths as long as a text is deep, the work would be its square. */
const MAX_DEPTH = 16;

/** One step further in, as far as anybody asks. */
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
      // A date may have a blank in the middle, and none at its end.
      this.#skip(/[^\s,\]}#]+(?:[ \t]+[^\s,\]}#]+)*/y);
    }
    // Whatever happens, it goes on.
    if (this.#at === value) this.#at++;
    this.#places.set(keyOf(path), { key, value, end: this.#at });
  }

  #key(): readonly KeyPart[] {
    const parts: KeyPart[] = [];
    do {
      this.#skip(/[ \t.]*/y);
      const at = this.#at;
      const word = this.#skip(/"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+/y);
      // An unsound key must not stop the scan.
      if (word === '') this.#at++;
      parts.push({ name: /^["']/.test(word) ? (Object.keys(parse(`${word} = 0`))[0] ?? '') : word, at });
      this.#skip(/[ \t]*/y);
    } while (this.#text[this.#at] === '.');
    return parts;
  }

  /** Goes past what matches here, if anything does. */
  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

/** Basic, literal, and both over several lines, which may end in up to two quotes of their own. */
const STRING =
  /"""(?:[^"\\]|\\[^]|"{1,2}(?!"))*"{3,5}|'''(?:[^']|'{1,2}(?!'))*'{3,5}|"(?:[^"\\]|\\.)*"|'[^']*'/y;

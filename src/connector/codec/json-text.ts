/**
 * JSON without loss: numbers keep their digits, members their order. `JSON.parse` would make a double of every number,
 * which is not what a document of a database holds.
 */
import { DataError } from '../errors.ts';

export type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>;

/** A number as it is written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Collections of a realm nest no deeper, and the reader's own stack must end somewhere. */
export const MAX_JSON_DEPTH = 100;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Of members with the same name the last one counts, as in `jsonb`. Throws `DataError` on text that is no JSON. */
export function parseJson(text: string): Json {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    if (depth > MAX_JSON_DEPTH)
      throw new DataError(`the document is nested deeper than ${MAX_JSON_DEPTH} levels`);
    switch (this.#next()) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  end(): void {
    if (this.#next() !== undefined) throw this.#fault();
  }

  #object(depth: number): ReadonlyMap<string, Json> {
    const members = new Map<string, Json>();
    this.#at += 1;
    if (this.#took('}')) return members;
    do {
      if (this.#next() !== '"') throw this.#fault();
      const name = this.#string();
      if (!this.#took(':')) throw this.#fault();
      members.set(name, this.value(depth + 1));
    } while (this.#took(','));
    if (!this.#took('}')) throw this.#fault();
    return members;
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#at += 1;
    if (this.#took(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.#took(','));
    if (!this.#took(']')) throw this.#fault();
    return items;
  }

  /** Strings without escapes, nearly all, are cut out; the others are for the platform's own reader. */
  #string(): string {
    const start = this.#at + 1;
    let escaped = false;
    for (let at = start; at < this.#text.length; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return escaped ? this.#unescaped(start - 1, at + 1) : this.#text.slice(start, at);
      }
      if (code === BACKSLASH) {
        escaped = true;
        at += 1;
      }
    }
    throw this.#fault();
  }

  #unescaped(from: number, to: number): string {
    try {
      return String(JSON.parse(this.#text.slice(from, to)));
    } catch (cause) {
      throw new DataError('the document holds a malformed string', { cause });
    }
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#fault();
    this.#at = NUMBER.lastIndex;
    return new JsonNumber(match[0]);
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault();
    this.#at += word.length;
    return value;
  }

  #took(character: string): boolean {
    if (this.#next() !== character) return false;
    this.#at += 1;
    return true;
  }

  /** The next character that is no blank; undefined at the end. */
  #next(): string | undefined {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character !== ' ' && character !== '\n' && character !== '\t' && character !== '\r')
        return character;
    }
    return undefined;
  }

  #fault(): DataError {
    return new DataError(`it is no JSON at character ${this.#at + 1}`);
  }
}

/**
 * `check` is called with every string and throws `DataError` on those that the database cannot hold; half a surrogate
 * pair never is one that it can.
 */
export function jsonText(value: Json, check?: (text: string) => void): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'string') return quoted(value, check);
  if (value instanceof JsonNumber) return value.text;
  let text = '';
  let separator = '';
  if (isObject(value)) {
    for (const [name, member] of value) {
      text += `${separator}${quoted(name, check)}: ${jsonText(member, check)}`;
      separator = ', ';
    }
    return `{${text}}`;
  }
  for (const item of value) {
    text += separator + jsonText(item, check);
    separator = ', ';
  }
  return `[${text}]`;
}

export function isObject(value: Json): value is ReadonlyMap<string, Json> {
  return value instanceof Map;
}

export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** What a message calls a value. */
export function jsonKind(value: Json): string {
  if (value === null) return 'null';
  if (value instanceof JsonNumber) return `the number ${value.text}`;
  if (isArray(value)) return 'an array';
  if (isObject(value)) return 'an object';
  return `the ${typeof value} ${JSON.stringify(value)}`;
}

function quoted(text: string, check: ((text: string) => void) | undefined): string {
  check?.(text);
  if (!text.isWellFormed()) throw new DataError('the text has half a surrogate pair');
  return JSON.stringify(text);
}

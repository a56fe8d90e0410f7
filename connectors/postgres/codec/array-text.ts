/** Texts of arrays: `{1,NULL,"a b"}`, nested for more dimensions, with `[2:3]=` before it when indexes do not begin at 1. */
import { DataError } from '../../../src/connector/errors.ts';

/** Texts of elements, `null` for NULL, lists for further dimensions. */
export type ArrayItem = string | null | readonly ArrayItem[];

export const DEFAULT_DELIMITER = ',';

const BOUNDS = /^(?:\[[+-]?\d+:[+-]?\d+\])+=/;
/** MAXDIM of the server. */
const MAX_DIMENSIONS = 6;

/** Indexes that do not begin at 1 are no part of what a list holds; texts with them say so themselves. */
export function hasOwnBounds(text: string): boolean {
  return text.startsWith('[') && BOUNDS.test(text);
}

/** Throws `DataError` on text that is no array, and on indexes that do not begin at 1. */
export function parseArray(text: string, delimiter: string = DEFAULT_DELIMITER): ArrayItem[] {
  if (hasOwnBounds(text)) {
    throw new DataError('the indexes of the array do not begin at 1', {
      remedy: 'declare the property as string, which keeps them, or store the array with indexes from 1',
    });
  }
  const reader = new ArrayReader(text, delimiter);
  const items = reader.array(1);
  reader.end();
  return items;
}

class ArrayReader {
  readonly #text: string;
  readonly #delimiter: string;
  #at = 0;

  constructor(text: string, delimiter: string) {
    this.#text = text;
    this.#delimiter = delimiter;
  }

  array(depth: number): ArrayItem[] {
    if (depth > MAX_DIMENSIONS || this.#text[this.#at] !== '{') throw this.#fault();
    this.#at += 1;
    const items: ArrayItem[] = [];
    if (this.#text[this.#at] === '}') {
      this.#at += 1;
      return items;
    }
    for (;;) {
      items.push(this.#item(depth));
      const next = this.#text[this.#at];
      this.#at += 1;
      if (next === '}') return items;
      if (next !== this.#delimiter) throw this.#fault();
    }
  }

  end(): void {
    if (this.#at !== this.#text.length) throw this.#fault();
  }

  #item(depth: number): ArrayItem {
    const first = this.#text[this.#at];
    if (first === '{') return this.array(depth + 1);
    if (first === '"') return this.#quoted();
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at];
      if (character === '}' || character === this.#delimiter) break;
      this.#at += 1;
    }
    const bare = this.#text.slice(start, this.#at);
    if (bare === '') throw this.#fault();
    return bare === 'NULL' ? null : bare;
  }

  #quoted(): string {
    let text = '';
    let start = this.#at + 1;
    for (let at = start; at < this.#text.length; at += 1) {
      const character = this.#text[at];
      if (character === '"') {
        this.#at = at + 1;
        return text + this.#text.slice(start, at);
      }
      if (character === '\\') {
        text += this.#text.slice(start, at);
        start = at + 1;
        at += 1;
      }
    }
    throw this.#fault();
  }

  #fault(): DataError {
    return new DataError(`it is no array at character ${this.#at + 1}`);
  }
}

/** Throws `DataError` when lists stand beside elements, or lists of different lengths beside each other. */
export function formatArray(items: readonly ArrayItem[], delimiter: string = DEFAULT_DELIMITER): string {
  requireRectangle(items);
  return format(items, delimiter);
}

function format(items: readonly ArrayItem[], delimiter: string): string {
  let text = '{';
  let separator = '';
  for (const item of items) {
    text += separator;
    separator = delimiter;
    if (item === null) text += 'NULL';
    else text += typeof item === 'string' ? `"${escaped(item)}"` : format(item, delimiter);
  }
  return `${text}}`;
}

/** The lengths of a list in all its dimensions. */
function requireRectangle(items: readonly ArrayItem[]): number[] {
  let inner: number[] | undefined;
  for (const item of items) {
    const lengths = item === null || typeof item === 'string' ? [] : requireRectangle(item);
    if (item !== null && typeof item !== 'string' && item.length === 0)
      throw new DataError('an array of the database cannot hold an empty list');
    if (inner !== undefined && inner.join() !== lengths.join())
      throw new DataError('the lists inside an array of the database must all have the same length');
    inner = lengths;
  }
  const lengths = [items.length, ...(inner ?? [])];
  if (lengths.length <= MAX_DIMENSIONS) return lengths;
  throw new DataError(`an array of the database has at most ${MAX_DIMENSIONS} dimensions`);
}

const SPECIAL = /["\\]/;

function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(/["\\]/g, '\\$&') : text;
}

/** `CONTAINS`, `BEGINSWITH`, `ENDSWITH`, `LIKE` and equality on strings and data, with `[c]` without regard to case. */
import type { StateValue } from '../store/state/object-state.ts';
import { MAX_PATTERN_LENGTH } from './limits.ts';
import type { TextOperator } from './syntax.ts';
import { equalValues } from './values.ts';

/** One form for all spellings of a letter. */
export function foldCase(text: string): string {
  // The small sigma has a second form at the end of words.
  return text.toLowerCase().replaceAll('ς', 'σ');
}

/** Data compares like text of one character per byte. */
function textOf(value: StateValue, caseless: boolean): string | undefined {
  if (value.type === 'string') return caseless ? foldCase(value.value) : value.value;
  if (value.type !== 'data') return undefined;
  const text = Buffer.from(value.value.buffer, value.value.byteOffset, value.value.byteLength).toString(
    'latin1',
  );
  return caseless ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
}

export function equalText(a: StateValue, b: StateValue): boolean {
  if (a.type !== b.type) return equalValues(a, b);
  const left = textOf(a, true);
  return left === undefined ? equalValues(a, b) : left === textOf(b, true);
}

export type TextTest = (haystack: StateValue, needle: StateValue) => boolean;

/** Both must be strings, or both data. Null is contained in all but null, and is like null only. */
export function textTest(operator: TextOperator, caseless: boolean): TextTest {
  const holds = HOLDS[operator];
  return (haystack, needle) => {
    if (needle.type === 'null') {
      if (operator === 'like') return haystack.type === 'null';
      return operator === 'contains' && haystack.type !== 'null';
    }
    if (haystack.type !== needle.type) return false;
    const text = textOf(haystack, caseless);
    const part = textOf(needle, caseless);
    return text !== undefined && part !== undefined && holds(text, part);
  };
}

/** The test against a constant, which is prepared once. The literal NULL is part of everything. */
export function constantTextTest(
  operator: TextOperator,
  caseless: boolean,
  needle: StateValue,
): (haystack: StateValue) => boolean {
  if (needle.type === 'null') return operator === 'like' ? (value) => value.type === 'null' : () => true;
  const part = textOf(needle, caseless);
  if (part === undefined) return () => false;
  const matcher = operator === 'like' ? likeMatcher(part) : undefined;
  const holds = HOLDS[operator];
  if (needle.type === 'string' && !caseless && matcher === undefined)
    return (value) => value.type === 'string' && holds(value.value, part);
  return (value) => {
    if (value.type !== needle.type) return false;
    const text = textOf(value, caseless);
    return text !== undefined && (matcher === undefined ? holds(text, part) : matcher(text));
  };
}

const HOLDS: Readonly<Record<TextOperator, (text: string, part: string) => boolean>> = {
  beginswith: (text, part) => text.startsWith(part),
  endswith: (text, part) => text.endsWith(part),
  contains: (text, part) => text.includes(part),
  like: (text, part) => likeMatcher(part)(text),
};

/**
 * `*` stands for any text, `?` for one character. A pattern longer than the limit matches nothing: only a value of a
 * property can be that long, a literal is refused.
 */
function likeMatcher(pattern: string): (text: string) => boolean {
  if (pattern.length > MAX_PATTERN_LENGTH) return () => false;
  const pieces = pattern.split(/\*+/).map((piece) => Array.from(piece));
  if (pieces.length === 1) return (text) => matchAt(text, 0, pieces[0]!) === text.length;
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  const middle = pieces.slice(1, -1);
  return (text) => {
    let at = matchAt(text, 0, first);
    if (at < 0) return false;
    for (const piece of middle) {
      at = find(text, at, piece);
      if (at < 0) return false;
    }
    const start = startOfLast(text, last.length);
    return start >= at && matchAt(text, start, last) === text.length;
  };
}

/** The end of the piece if it stands at `at`, else −1. */
function matchAt(text: string, at: number, piece: readonly string[]): number {
  let end = at;
  for (const character of piece) {
    if (end >= text.length) return -1;
    if (character === '?') {
      end += text.codePointAt(end)! > 0xffff ? 2 : 1;
    } else {
      if (!text.startsWith(character, end)) return -1;
      end += character.length;
    }
  }
  return end;
}

/** The end of the first occurrence of the piece from `from` on, else −1. */
function find(text: string, from: number, piece: readonly string[]): number {
  if (!piece.includes('?')) {
    const plain = piece.join('');
    const at = text.indexOf(plain, from);
    return at < 0 ? -1 : at + plain.length;
  }
  for (let at = from; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) {
    const end = matchAt(text, at, piece);
    if (end >= 0) return end;
  }
  return -1;
}

/** Where the last `characters` characters begin, else −1. */
function startOfLast(text: string, characters: number): number {
  let at = text.length;
  for (let i = 0; i < characters; i++) {
    if (at === 0) return -1;
    const low = text.charCodeAt(at - 1);
    at -= low >= 0xdc00 && low < 0xe000 && at > 1 ? 2 : 1;
  }
  return at;
}

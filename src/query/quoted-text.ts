/** Strings in single or double quotes. */
import { QueryError } from './query-error.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '/': '/',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
};

/** Reads the string that begins with a quote at `at`; `end` is behind the closing quote. Throws `QueryError`. */
export function quotedText(text: string, at: number): { value: string; end: number } {
  const quote = text[at]!;
  const pieces: string[] = [];
  let from = at + 1;
  for (let i = from; ; i++) {
    const character = text[i];
    if (character === undefined) throw new QueryError(text, at, `the string has no closing ${quote}`);
    if (character === quote) {
      pieces.push(text.slice(from, i));
      // Lone halves of surrogate pairs have no UTF-8 form and so cannot be in a realm.
      return { value: pieces.join('').toWellFormed(), end: i + 1 };
    }
    if (character !== '\\') continue;
    pieces.push(text.slice(from, i));
    const found = escaped(text, i);
    pieces.push(found.value);
    from = found.end;
    i = from - 1;
  }
}

function escaped(text: string, at: number): { value: string; end: number } {
  const letter = text[at + 1] ?? '';
  if (letter === 'u') {
    const hex = text.slice(at + 2, at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw new QueryError(text, at, "'\\u' needs four hexadecimal digits");
    return { value: String.fromCharCode(Number.parseInt(hex, 16)), end: at + 6 };
  }
  const value = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
  if (value === undefined) throw new QueryError(text, at, `'\\${letter}' is no escape in a string`);
  return { value, end: at + 2 };
}

/** Texts of composite values, `(1,"a b",)`, and of ranges, `[1,10)`; both quote alike. */
import { DataError } from '../../../src/connector/errors.ts';

/** The texts of the fields, `null` for NULL. Throws `DataError` unless there are exactly `count`. */
export function parseRecord(text: string, count: number): (string | null)[] {
  const fields = text.startsWith('(') && text.endsWith(')') ? parts(text) : undefined;
  // A record without fields and one with a single NULL look alike.
  if (fields !== undefined && count === 0 && fields.length === 1 && fields[0] === null) return [];
  if (fields?.length === count) return fields;
  throw new DataError(`it is no record of ${count} fields`);
}

export function formatRecord(fields: readonly (string | null)[]): string {
  return `(${fields.map((field) => (field === null ? '' : quoted(field))).join(',')})`;
}

/** The bounds' texts, `null` for none, and the brackets; both `null` and `empty` for the empty range. */
export function parseRange(text: string): [lower: string | null, upper: string | null, bounds: string] {
  if (text === EMPTY) return [null, null, EMPTY];
  const open = text[0] ?? '';
  const close = text.at(-1) ?? '';
  const bounds = text.length > 2 && '[('.includes(open) && '])'.includes(close) ? parts(text) : [];
  const [lower, upper] = bounds;
  if (bounds.length !== 2 || lower === undefined || upper === undefined)
    throw new DataError('it is no range');
  return [lower, upper, `${open}${close}`];
}

export const EMPTY = 'empty';
const DEFAULT_BOUNDS = '[)';

/** Absent bounds are those that ranges have by default. Throws `DataError` on brackets that are none. */
export function formatRange(lower: string | null, upper: string | null, bounds: string | null): string {
  const brackets = bounds ?? DEFAULT_BOUNDS;
  if (brackets === EMPTY) {
    if (lower === null && upper === null) return EMPTY;
    throw new DataError('an empty range has no bounds');
  }
  if (!/^[[(][\])]$/.test(brackets)) {
    throw new DataError(`${JSON.stringify(brackets)} are no bounds of a range`, {
      remedy: 'use one of "[)", "[]", "(]", "()" and "empty"',
    });
  }
  const texts = [lower, upper].map((bound) => (bound === null ? '' : quoted(bound)));
  return `${brackets[0]}${texts.join(',')}${brackets[1]}`;
}

/** What stands between the first and the last character, separated by commas. */
function parts(text: string): (string | null)[] {
  const fields: (string | null)[] = [];
  const end = text.length - 1;
  let at = 1;
  for (;;) {
    let field = '';
    let isNull = true;
    let isQuoted = false;
    for (; at < end; at += 1) {
      const character = text[at];
      if (character === '"') {
        isNull = false;
        if (isQuoted && text[at + 1] === '"' && at + 1 < end) {
          field += '"';
          at += 1;
        } else isQuoted = !isQuoted;
      } else if (character === '\\') {
        at += 1;
        field += text[at] ?? '';
        isNull = false;
      } else if (character === ',' && !isQuoted) break;
      else {
        field += character;
        isNull = false;
      }
    }
    if (isQuoted) throw new DataError('a quote in it is not closed');
    fields.push(isNull ? null : field);
    if (at >= end) return fields;
    at += 1;
  }
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '$&$&')}"`;
}

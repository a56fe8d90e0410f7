/** What a column of characters can hold, told before it is sent. */
import { DataError } from '../../../src/connector/errors.ts';
import { withoutPadding } from '../column-text.ts';
import type { SqlType } from '../sql-type.ts';
import { bytesIn, hasCharacter } from './code-pages.ts';

/** Of the types `nchar`, `nvarchar` and `ntext`, whose length counts UTF-16 units. */
const UNICODE: ReadonlySet<string> = new Set(['nchar', 'nvarchar', 'ntext']);
const PADDED: ReadonlySet<string> = new Set(['char', 'nchar']);

/**
 * The canonical text of a text in the column. Throws `DataError` on what is too long and on characters that the
 * column's collation has not.
 */
export function storedText(text: string, type: SqlType): string {
  if (!text.isWellFormed()) throw new DataError('the text has half a surrogate pair');
  const canonical = PADDED.has(type.name) ? withoutPadding(text) : text;
  const size = UNICODE.has(type.name) ? canonical.length : bytesIn(canonical, type.codePage, type.collation);
  if (typeof type.length === 'number' && size > type.length) throw tooLong(size, type);
  return canonical;
}

function tooLong(size: number, { name, length }: SqlType): DataError {
  const unit = UNICODE.has(name) ? 'characters (UTF-16 units)' : 'bytes';
  return new DataError(`it has ${size} ${unit}, ${name}(${length}) holds ${length}`, {
    remedy: 'make the column longer',
  });
}

/** A document in the column; what its collation has not is escaped, as any reader of JSON knows it. */
export function storedDocument(text: string, type: SqlType): string {
  return storedText(UNICODE.has(type.name) ? text : escaped(text, type), type);
}

const BEYOND_ASCII = /[\u0080-\u{10ffff}]/gu;

function escaped(text: string, { codePage }: SqlType): string {
  return text.replace(BEYOND_ASCII, (character) => {
    if (hasCharacter(character, codePage)) return character;
    let units = '';
    for (let at = 0; at < character.length; at += 1)
      units += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    return units;
  });
}

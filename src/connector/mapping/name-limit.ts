/** Names longer than a database keeps them: it cuts them without a word, and then they are no longer told apart. */
import { createHash } from 'node:crypto';

/** How long a name may be, in bytes of UTF-8 (PostgreSQL) or in UTF-16 code units (SQL Server). */
export type NameLimit = { readonly length: number; readonly unit: 'bytes' | 'characters' };

const DIGEST_LENGTH = 8;

/** The name as the database keeps it. */
export function storedName(name: string, limit: NameLimit | undefined): string {
  return limit === undefined ? name : cut(name, limit);
}

/**
 * A name that we make of two, as for the table of a list. One that is too long ends in a digest of what it would be,
 * since several could begin alike, and with the table's own name.
 */
export function composedName(first: string, second: string, limit: NameLimit | undefined): string {
  return limitedName(`${first}_${second}`, limit);
}

/** The same for a name that is composed already. */
export function limitedName(name: string, limit: NameLimit | undefined): string {
  if (limit === undefined || cut(name, limit) === name) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_LENGTH);
  return `${cut(name, { ...limit, length: limit.length - DIGEST_LENGTH - 1 })}_${digest}`;
}

/** Whole characters only, as the database does. */
function cut(name: string, { length, unit }: NameLimit): string {
  const sizeOf = (text: string): number => (unit === 'bytes' ? Buffer.byteLength(text) : text.length);
  if (sizeOf(name) <= length) return name;
  let kept = '';
  let size = 0;
  for (const character of name) {
    size += sizeOf(character);
    if (size > length) break;
    kept += character;
  }
  return kept;
}

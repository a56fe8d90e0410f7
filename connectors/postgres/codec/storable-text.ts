/** What a text of PostgreSQL cannot hold. */
import { type Json, jsonText } from '../../../src/connector/codec/json-text.ts';
import { DataError } from '../../../src/connector/errors.ts';

/** Throws `DataError` on the character NUL and on half a surrogate pair. */
export function requireText(text: string): string {
  requireNoNul(text);
  if (!text.isWellFormed()) throw new DataError('the text has half a surrogate pair');
  return text;
}

/** A document as `jsonb`, `json` or a text holds it. Throws `DataError`. */
export function storableJson(value: Json): string {
  return jsonText(value, requireNoNul);
}

function requireNoNul(text: string): void {
  if (text.includes('\0')) throw new DataError('PostgreSQL cannot hold the character NUL in a text');
}

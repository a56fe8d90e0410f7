/** Values as text that is equal exactly when the values are, by the rules of comparison of their type and collation. */
import type { Datum } from '../../contract.ts';

export const DEFAULT_COLLATION = 'SQL_Latin1_General_CP1_CI_AS';

/** How a collation makes strings equal: trailing spaces never count, case and accents as its name says. */
export function foldText(text: string, collation: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  const trimmed = end === text.length ? text : text.slice(0, end);
  if (/_BIN2?$/.test(collation)) return trimmed;
  const plain = collation.includes('_AI')
    ? trimmed.normalize('NFD').replace(/\p{M}/gu, '')
    : trimmed.normalize('NFC');
  return collation.includes('_CS') ? plain : plain.toLowerCase();
}

/** One value's part of a key. NULLs are equal to each other here, as in unique indexes. */
export function datumKey(value: Datum, collation: string | undefined): string {
  if (value === null) return '∅';
  switch (typeof value) {
    case 'string':
      return `s${foldText(value, collation ?? DEFAULT_COLLATION)}`;
    case 'bigint':
      return `i${value}`;
    case 'number':
      return `n${value === 0 ? 0 : value}`;
    case 'boolean':
      return value ? 'b1' : 'b0';
    default:
      break;
  }
  if (value instanceof Uint8Array) {
    let end = value.length;
    while (end > 0 && value[end - 1] === 0) end--;
    return `x${Buffer.from(value.buffer, value.byteOffset, end).toString('latin1')}`;
  }
  if ('days' in value) return `d${value.days}:${value.ticks}`;
  return `v${value.type.kind}:${datumKey(value.value, collation)}`;
}

/** The key of several values together. */
export function tupleKey(parts: readonly string[]): string {
  if (parts.length === 1) return parts[0]!;
  let key = '';
  for (const part of parts) key += `${part.length}:${part}`;
  return key;
}

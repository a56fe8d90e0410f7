/** Values as text that is equal exactly when the values are, by the rules of comparison of their type and collation. */
import type { Datum } from '../../contract.ts';
import { collation as collationNamed, DEFAULT_COLLATION } from '../../sql/types/collation.ts';

export { DEFAULT_COLLATION };

/** One value's part of a key. NULLs are equal to each other here, as in unique indexes. */
export function datumKey(value: Datum, collation: string | undefined): string {
  if (value === null) return '∅';
  switch (typeof value) {
    case 'string':
      return `s${collationNamed(collation ?? DEFAULT_COLLATION).key(value)}`;
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

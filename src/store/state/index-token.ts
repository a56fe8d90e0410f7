/** What an index on a property holds of a value: a short text that equal values share (see `valueToken`). */
import { hash } from 'node:crypto';
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { ScalarValue } from '../../schema/value.ts';
import { defaultScalar } from './default-value.ts';
import type { StateValue } from './object-state.ts';
import { valueToken } from './value-token.ts';

/** Longer ones are replaced by their digest, so that an index stays small whatever the values. */
const MAX_TOKEN_LENGTH = 80;

export function indexToken(value: ScalarValue): string {
  const token = valueToken(value);
  return token.length <= MAX_TOKEN_LENGTH ? token : `digest ${hash('sha256', token)}`;
}

/** One token for each different value that the property holds; a collection holds its elements. */
export function indexTokens(column: ColumnDefinition, value: StateValue | undefined): readonly string[] {
  if (value === undefined) {
    return column.collection === 'single' ? [indexToken(defaultScalar(column))] : [];
  }
  switch (value.type) {
    case 'object':
      return [];
    case 'list':
    case 'dictionary':
    case 'set': {
      const tokens = new Set<string>();
      gather(value, tokens);
      return [...tokens];
    }
    default:
      return [indexToken(value)];
  }
}

function gather(value: StateValue, into: Set<string>): void {
  switch (value.type) {
    case 'object':
      return;
    case 'list':
      for (const item of value.items) gather(item, into);
      return;
    case 'dictionary':
      for (const entry of value.entries.values()) gather(entry, into);
      return;
    case 'set':
      for (const item of value.items.values()) into.add(indexToken(item));
      return;
    default:
      into.add(indexToken(value));
  }
}

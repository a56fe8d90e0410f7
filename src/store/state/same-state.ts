import { sameValue } from '../../schema/equality.ts';
import type { StateValue } from './object-state.ts';

/** Whether two values read the same, whatever they are made of. */
export function sameState(a: StateValue, b: StateValue): boolean {
  switch (a.type) {
    case 'object':
      return b.type === 'object' && sameEntries(a.fields, b.fields);
    case 'dictionary':
      return b.type === 'dictionary' && sameEntries(a.entries, b.entries);
    case 'list':
      return (
        b.type === 'list' &&
        a.items.length === b.items.length &&
        a.items.every((item, index) => sameState(item, b.items[index]!))
      );
    case 'set':
      return (
        b.type === 'set' &&
        a.items.size === b.items.size &&
        [...a.items.keys()].every((token) => b.items.has(token))
      );
    default:
      return (
        b.type !== 'object' &&
        b.type !== 'dictionary' &&
        b.type !== 'list' &&
        b.type !== 'set' &&
        sameValue(a, b)
      );
  }
}

function sameEntries(a: ReadonlyMap<string, StateValue>, b: ReadonlyMap<string, StateValue>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !sameState(value, other)) return false;
  }
  return true;
}

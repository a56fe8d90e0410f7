/** Keeping the indexes of a class in step with its objects. */
import type { Instruction } from '../../changeset/instruction.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { indexToken, indexTokens } from '../state/index-token.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { IndexTable } from './index-table.ts';
import { toStoredKey } from './object-key.ts';
import type { StoredClass } from './schema-table.ts';

/** The tokens of an object, for each index of its class in turn. */
export type ObjectTokens = readonly (readonly string[])[];

/** `undefined` when the class has no index. */
export function tokensOf(stored: StoredClass, state: ObjectState): ObjectTokens | undefined {
  if (stored.indexes.length === 0) return undefined;
  return stored.indexes.map(({ layout: { name, column } }) => indexTokens(column, state.fields.get(name)));
}

/** Tokens of the object that `instructions[from … after)` make, which write each field once at most. */
export function tokensOfWhole(
  stored: StoredClass,
  instructions: readonly Instruction[],
  from: number,
  after: number,
): ObjectTokens {
  return stored.indexes.map(({ layout: { name, column } }) => {
    for (let at = from + 1; at < after; at += 1) {
      const instruction = instructions[at];
      if (instruction?.op !== 'Update' || instruction.field !== name) continue;
      const { value } = instruction;
      switch (value.type) {
        case 'object':
        case 'list':
        case 'dictionary':
        case 'set':
        case 'erased':
          break;
        default:
          return [indexToken(value)];
      }
    }
    return indexTokens(column, undefined);
  });
}

/** Writes what changed between the tokens of an object before and after; `undefined` where it does not exist. */
export function replaceTokens(
  table: IndexTable,
  stored: StoredClass,
  key: PrimaryKey,
  before: ObjectTokens | undefined,
  after: ObjectTokens | undefined,
): void {
  const storedKey = toStoredKey(key);
  for (const [i, { layout }] of stored.indexes.entries()) {
    const old = new Set(before?.[i]);
    const fresh = new Set(after?.[i]);
    for (const token of old) if (!fresh.has(token)) table.remove(stored.id, layout.id, token, storedKey);
    for (const token of fresh) if (!old.has(token)) table.put(stored.id, layout.id, token, storedKey);
  }
}

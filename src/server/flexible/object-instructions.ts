/** The instructions that make an object what it is (spec/server-history.md §7, "entering"). */
import type { Instruction } from '../../changeset/instruction.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { readField } from '../../store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';
import { writeField } from '../../store/state/value-instructions.ts';

export type StatingOptions = {
  readonly shows: (field: string) => boolean;
  /**
   * `entering` is for an object that the client does not have: what was never written is left out. `restating` sets
   * every field, whatever the client's object holds.
   */
  readonly mode: 'entering' | 'restating';
};

export function objectInstructions(
  table: string,
  key: PrimaryKey,
  state: ObjectState,
  schema: RealmSchema,
  { shows, mode }: StatingOptions,
): Instruction[] {
  const instructions: Instruction[] = [{ op: 'CreateObject', table, key }];
  for (const [field, column] of schema.get(table)?.columns ?? []) {
    if (!shows(field)) continue;
    const written = state.fields.get(field);
    if (mode === 'entering' && (written === undefined || isEmptyCollection(written))) continue;
    const value = readField(state, field, column);
    instructions.push(...writeField(schema, { table, key, field, path: [] }, column, value));
  }
  return instructions;
}

function isEmptyCollection(value: StateValue): boolean {
  switch (value.type) {
    case 'list':
      return value.items.length === 0;
    case 'set':
      return value.items.size === 0;
    case 'dictionary':
      return value.entries.size === 0;
    default:
      return false;
  }
}

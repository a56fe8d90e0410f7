/** The instructions that make an object what it is (spec/server-history.md §7, "entering"). */
import type { Instruction } from '../../changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { defaultValue, readField } from '../../store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';
import { writeField } from '../../store/state/value-instructions.ts';

export type StatingOptions = {
  readonly shows: (field: string) => boolean;
  /**
   * `entering` is for an object that the client does not have: what was never written is left out. `restating` sets
   * every field, whatever the client's object holds; fields that are not shown get their defaults, so that nothing stays
   * that the client could see earlier or wrote without the right to.
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
    const isShown = shows(field);
    const written = isShown ? state.fields.get(field) : undefined;
    if (mode === 'entering' && isDefault(written, column)) continue;
    const value = isShown ? readField(state, field, column) : defaultValue(column);
    instructions.push(...writeField(schema, { table, key, field, path: [] }, column, value));
  }
  return instructions;
}

/** A fresh object has empty collections. An empty collection in a mixed field is a value like any other. */
function isDefault(written: StateValue | undefined, { collection }: ColumnDefinition): boolean {
  if (written === undefined) return true;
  if (collection === 'single') return false;
  switch (written.type) {
    case 'list':
      return written.items.length === 0;
    case 'set':
      return written.items.size === 0;
    case 'dictionary':
      return written.entries.size === 0;
    default:
      return false;
  }
}

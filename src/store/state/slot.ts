/**
 * Where an instruction points: a field, a list element or a dictionary value, found by walking its path
 * (spec/merge-rules.md §9.3).
 */
import type { PathInstruction } from '../../changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import { applyError } from './apply-error.ts';
import { defaultScalar, defaultValue } from './default-value.ts';
import type { StateValue } from './object-state.ts';

/** `column` gives the type of the value; below a collection, that of its elements. */
type Typed = { readonly column: ColumnDefinition };
export type FieldSlot = Typed & {
  readonly kind: 'field';
  readonly fields: Map<string, StateValue>;
  readonly name: string;
};
export type ItemSlot = Typed & {
  readonly kind: 'item';
  readonly items: StateValue[];
  readonly index: number;
};
export type EntrySlot = Typed & {
  readonly kind: 'entry';
  readonly entries: Map<string, StateValue>;
  readonly key: string;
};
export type Slot = FieldSlot | ItemSlot | EntrySlot;

/** Deepest nesting that is stored. The clients' storage allows 100 levels; here the call stack must bear it. */
const MAX_PATH_LENGTH = 500;
const MIXED: ColumnDefinition = { type: 'mixed', nullable: true, collection: 'single' };

/** True when the slot is a list, dictionary or set property itself. */
export function isCollection(slot: Slot): slot is FieldSlot {
  return slot.kind === 'field' && slot.column.collection !== 'single';
}

/** True when the values of the column are embedded objects. */
export function isEmbedded(schema: RealmSchema, column: ColumnDefinition): boolean {
  return column.linkTarget !== undefined && schema.get(column.linkTarget)?.kind === 'embedded';
}

/** The value in the slot; `undefined` past the end of a list or under a missing key. */
export function slotValue(slot: Slot): StateValue | undefined {
  switch (slot.kind) {
    case 'field':
      return slot.fields.get(slot.name) ?? defaultScalar(slot.column);
    case 'item':
      return slot.items[slot.index];
    case 'entry':
      return slot.entries.get(slot.key);
  }
}

export function setSlot(slot: Slot, value: StateValue): void {
  switch (slot.kind) {
    case 'field':
      slot.fields.set(slot.name, value);
      return;
    case 'item':
      slot.items[slot.index] = value;
      return;
    case 'entry':
      slot.entries.set(slot.key, value);
      return;
  }
}

/** The collection of a list, dictionary or set property, ready to be changed. */
export function collectionOf(slot: FieldSlot): StateValue {
  let value = slot.fields.get(slot.name);
  if (value === undefined) {
    value = defaultValue(slot.column);
    slot.fields.set(slot.name, value);
  }
  return value;
}

/** Walks the whole path. Throws `BadChangesetError` where a step leads through something that is not there. */
export function findSlot(
  schema: RealmSchema,
  fields: Map<string, StateValue>,
  column: ColumnDefinition,
  instruction: PathInstruction,
): Slot {
  if (instruction.path.length > MAX_PATH_LENGTH) throw applyError(instruction, 'the path is too deep');
  let slot: Slot = { kind: 'field', fields, name: instruction.field, column };
  for (const step of instruction.path) slot = descend(schema, slot, step, instruction);
  return slot;
}

function descend(schema: RealmSchema, slot: Slot, step: number | string, instruction: PathInstruction): Slot {
  const { column } = slot;
  const container = isCollection(slot) ? collectionOf(slot) : slotValue(slot);
  if (container === undefined) throw applyError(instruction, 'the path leads through a missing element');
  switch (container.type) {
    case 'list':
      if (typeof step !== 'number') throw applyError(instruction, 'a list has indexes, not keys');
      return { kind: 'item', items: container.items, index: step, column: elementColumn(slot, column) };
    case 'dictionary':
      if (typeof step !== 'string') throw applyError(instruction, 'a dictionary has keys, not indexes');
      return { kind: 'entry', entries: container.entries, key: step, column: elementColumn(slot, column) };
    case 'object':
      return embeddedField(schema, column, container.fields, step, instruction);
    default:
      throw applyError(instruction, `the path leads through a ${container.type} value`);
  }
}

function embeddedField(
  schema: RealmSchema,
  column: ColumnDefinition,
  fields: Map<string, StateValue>,
  step: number | string,
  instruction: PathInstruction,
): FieldSlot {
  const field = typeof step === 'string' ? schema.get(column.linkTarget ?? '')?.columns.get(step) : undefined;
  if (typeof step !== 'string' || field === undefined) {
    throw applyError(instruction, `the embedded class ${column.linkTarget} has no field ${step}`);
  }
  return { kind: 'field', fields, name: step, column: field };
}

function elementColumn(container: Slot, column: ColumnDefinition): ColumnDefinition {
  return isCollection(container) ? column : MIXED;
}

/** Applies the instructions that change a value inside an object (spec/merge-rules.md §9.2). */
import type {
  AddInteger,
  ArrayErase,
  ArrayInsert,
  ArrayMove,
  Clear,
  PathInstruction,
  Payload,
  SetErase,
  SetInsert,
  Update,
} from '../../changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import type { ScalarValue } from '../../schema/value.ts';
import { applyError } from './apply-error.ts';
import { keyFault } from './key-fault.ts';
import type { StateValue } from './object-state.ts';
import {
  collectionOf,
  type ItemSlot,
  isCollection,
  isEmbedded,
  type Slot,
  setSlot,
  slotValue,
} from './slot.ts';
import { valueToken } from './value-token.ts';

/** Applies `instruction`, whose path leads to `slot`. Throws `BadChangesetError` when the state does not admit it. */
export function applyToSlot(schema: RealmSchema, slot: Slot, instruction: PathInstruction): void {
  switch (instruction.op) {
    case 'Update':
      update(schema, slot, instruction);
      return;
    case 'AddInteger':
      addInteger(slot, instruction);
      return;
    case 'ArrayInsert':
      arrayInsert(schema, slot, instruction);
      return;
    case 'ArrayMove':
      arrayMove(slot, instruction);
      return;
    case 'ArrayErase':
      arrayErase(slot, instruction);
      return;
    case 'Clear':
      clear(slot, instruction);
      return;
    case 'SetInsert':
    case 'SetErase':
      changeSet(schema, slot, instruction);
      return;
  }
}

function update(schema: RealmSchema, slot: Slot, instruction: Update): void {
  if (isCollection(slot)) throw applyError(instruction, `the property is a ${slot.column.collection}`);
  if (slot.kind === 'item' && slot.index >= slot.items.length) {
    throw applyError(instruction, `index ${slot.index} is beyond the ${slot.items.length} elements`);
  }
  const { value } = instruction;
  switch (value.type) {
    case 'erased':
      if (slot.kind !== 'entry') throw applyError(instruction, 'only a dictionary key can be erased');
      slot.entries.delete(slot.key);
      return;
    case 'object':
      updateEmbedded(schema, slot, instruction);
      return;
    case 'list':
    case 'dictionary':
      if (slot.column.type !== 'mixed')
        throw applyError(instruction, `a ${value.type} needs a mixed property`);
      if (slotValue(slot)?.type !== value.type) setSlot(slot, emptyCollection(value.type));
      return;
    default:
      setSlot(slot, checkedScalar(schema, slot.column, value, instruction));
  }
}

function updateEmbedded(schema: RealmSchema, slot: Slot, instruction: Update): void {
  if (!isEmbedded(schema, slot.column))
    throw applyError(instruction, 'the property holds no embedded objects');
  if (slot.kind === 'item') return;
  // A dictionary key always gets a fresh object, a field keeps the one it has (spec/merge-rules.md §9.2).
  if (slot.kind === 'field' && slotValue(slot)?.type === 'object') return;
  setSlot(slot, { type: 'object', fields: new Map() });
}

function addInteger(slot: Slot, instruction: AddInteger): void {
  if (slot.kind !== 'field' || isCollection(slot)) {
    throw applyError(instruction, 'only a field of an object can be incremented');
  }
  const value = slotValue(slot);
  if (value?.type === 'null') return;
  if (value?.type !== 'int') throw applyError(instruction, `a ${value?.type} value cannot be incremented`);
  setSlot(slot, { type: 'int', value: BigInt.asIntN(64, value.value + instruction.addend) });
}

function arrayInsert(schema: RealmSchema, slot: Slot, instruction: ArrayInsert): void {
  const { items, index } = listSlot(slot, instruction);
  checkPriorSize(items, instruction);
  if (index > items.length) throw outOfRange(index, items, instruction);
  items.splice(index, 0, listElement(schema, slot.column, instruction));
}

function listElement(schema: RealmSchema, column: ColumnDefinition, instruction: ArrayInsert): StateValue {
  const { value } = instruction;
  switch (value.type) {
    case 'object':
      if (!isEmbedded(schema, column)) throw applyError(instruction, 'the list holds no embedded objects');
      return { type: 'object', fields: new Map() };
    case 'list':
    case 'dictionary':
      if (column.type !== 'mixed') throw applyError(instruction, `a ${value.type} needs a list of mixed`);
      return emptyCollection(value.type);
    default:
      return checkedScalar(schema, column, value, instruction);
  }
}

function arrayMove(slot: Slot, instruction: ArrayMove): void {
  const { items, index } = listSlot(slot, instruction);
  const { destination } = instruction;
  checkPriorSize(items, instruction);
  if (index >= items.length) throw outOfRange(index, items, instruction);
  if (destination >= items.length) throw outOfRange(destination, items, instruction);
  if (index === destination) throw applyError(instruction, 'the element is moved to where it is');
  items.splice(destination, 0, ...items.splice(index, 1));
}

function arrayErase(slot: Slot, instruction: ArrayErase): void {
  const { items, index } = listSlot(slot, instruction);
  checkPriorSize(items, instruction);
  if (index >= items.length) throw outOfRange(index, items, instruction);
  items.splice(index, 1);
}

function clear(slot: Slot, instruction: Clear): void {
  const { collection } = instruction;
  if (isCollection(slot)) {
    if (collection !== 'single' && collection !== slot.column.collection) {
      throw applyError(instruction, `the property is a ${slot.column.collection}, not a ${collection}`);
    }
    emptyOut(collectionOf(slot));
    return;
  }
  if (slot.column.type !== 'mixed') throw applyError(instruction, 'there is no collection');
  // Without a kind the SDK's client would abort: a history must never hold such an instruction.
  if (collection !== 'list' && collection !== 'dictionary') {
    throw applyError(instruction, `a mixed value cannot be cleared as ${collection}`);
  }
  if (slotValue(slot) === undefined) throw applyError(instruction, 'there is no such element');
  setSlot(slot, emptyCollection(collection));
}

function changeSet(schema: RealmSchema, slot: Slot, instruction: SetInsert | SetErase): void {
  const set = isCollection(slot) ? collectionOf(slot) : undefined;
  if (set?.type !== 'set') throw applyError(instruction, 'there is no set');
  const value = checkedScalar(schema, slot.column, instruction.value, instruction);
  const token = valueToken(value);
  if (instruction.op === 'SetErase') set.items.delete(token);
  else if (!set.items.has(token)) set.items.set(token, value);
}

function listSlot(slot: Slot, instruction: PathInstruction): ItemSlot {
  if (slot.kind !== 'item') throw applyError(instruction, 'the path does not end in a list index');
  return slot;
}

function checkPriorSize(
  items: readonly StateValue[],
  instruction: ArrayInsert | ArrayMove | ArrayErase,
): void {
  if (instruction.priorSize !== items.length) {
    throw applyError(instruction, `the list has ${items.length} elements, not ${instruction.priorSize}`);
  }
}

function outOfRange(index: number, items: readonly StateValue[], instruction: PathInstruction): Error {
  return applyError(instruction, `index ${index} is beyond the ${items.length} elements`);
}

function emptyCollection(kind: 'list' | 'dictionary'): StateValue {
  return kind === 'list' ? { type: 'list', items: [] } : { type: 'dictionary', entries: new Map() };
}

function emptyOut(collection: StateValue): void {
  if (collection.type === 'list') collection.items.length = 0;
  else if (collection.type === 'dictionary') collection.entries.clear();
  else if (collection.type === 'set') collection.items.clear();
}

/** The value, if a property or element of the column's type can hold it; otherwise throws. */
function checkedScalar(
  schema: RealmSchema,
  column: ColumnDefinition,
  value: Payload,
  instruction: PathInstruction,
): ScalarValue {
  switch (value.type) {
    case 'object':
    case 'list':
    case 'dictionary':
    case 'set':
    case 'erased':
      throw applyError(instruction, `a ${value.type} payload has no place here`);
    case 'null':
      if (!column.nullable && column.type !== 'mixed')
        throw applyError(instruction, 'null in a required property');
      return value;
    case 'link': {
      const target = schema.get(value.table);
      if (target === undefined) throw applyError(instruction, `there is no class ${value.table} to link to`);
      if (column.type !== 'mixed' && column.type !== 'link') break;
      if (column.type === 'link' && column.linkTarget !== '' && column.linkTarget !== value.table) {
        throw applyError(
          instruction,
          `a link to ${value.table} in a property that links to ${column.linkTarget}`,
        );
      }
      const fault = keyFault(target, value.key);
      if (fault !== undefined) throw applyError(instruction, `the link's target: ${fault}`);
      return value;
    }
    default:
      if (value.type === column.type || column.type === 'mixed') return value;
  }
  throw applyError(instruction, `a ${value.type} value in a property of type ${column.type}`);
}

/** The instructions that write a whole value, collections and embedded objects included. */
import type { Instruction, Path, Payload } from '../../changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { StateValue } from './object-state.ts';
import { isEmbedded } from './slot.ts';

/** A field of a top-level object, or what lies below it. */
export type Address = {
  readonly table: string;
  readonly key: PrimaryKey;
  readonly field: string;
  readonly path: Path;
};

/** The type of what lies below a mixed value. */
export const MIXED: ColumnDefinition = { type: 'mixed', nullable: true, collection: 'single' };

/** Gives a field the value, whatever it holds now. */
export function writeField(
  schema: RealmSchema,
  address: Address,
  column: ColumnDefinition,
  value: StateValue,
): Instruction[] {
  const written: Instruction[] = [];
  if (column.collection !== 'single') {
    written.push({ op: 'Clear', ...address, collection: column.collection });
    fill(schema, address, column, value, written);
    return written;
  }
  if (value.type === 'object') {
    // The field keeps an object that it holds, so that what the new one lacks would stay.
    written.push({ op: 'Update', ...address, value: { type: 'null' }, isDefault: false });
  }
  update(schema, address, column, value, written);
  return written;
}

/** Fills an empty collection, or an embedded object without values. Appends to `written`. */
export function fill(
  schema: RealmSchema,
  address: Address,
  column: ColumnDefinition,
  value: StateValue,
  written: Instruction[],
): void {
  const element = column.collection === 'single' && !isEmbedded(schema, column) ? MIXED : column;
  const single: ColumnDefinition = { ...element, collection: 'single' };
  switch (value.type) {
    case 'list':
      value.items.forEach((item, index) => {
        const at = below(address, index);
        written.push({ op: 'ArrayInsert', ...at, value: payloadOf(item), priorSize: index });
        fill(schema, at, single, item, written);
      });
      return;
    case 'dictionary':
      for (const [key, entry] of value.entries) update(schema, below(address, key), single, entry, written);
      return;
    case 'set':
      for (const item of value.items.values()) written.push({ op: 'SetInsert', ...address, value: item });
      return;
    case 'object':
      fillObject(schema, address, column, value.fields, written);
      return;
    default: // a plain value has nothing below it
  }
}

function fillObject(
  schema: RealmSchema,
  address: Address,
  column: ColumnDefinition,
  fields: ReadonlyMap<string, StateValue>,
  written: Instruction[],
): void {
  const columns = schema.get(column.linkTarget ?? '')?.columns;
  for (const [name, value] of fields) {
    const inner = columns?.get(name);
    if (inner === undefined) continue;
    const at = below(address, name);
    if (inner.collection === 'single') update(schema, at, inner, value, written);
    else fill(schema, at, inner, value, written);
  }
}

function update(
  schema: RealmSchema,
  address: Address,
  column: ColumnDefinition,
  value: StateValue,
  written: Instruction[],
): void {
  written.push({ op: 'Update', ...address, value: payloadOf(value), isDefault: false });
  if (value.type === 'list' || value.type === 'dictionary') {
    // A mixed value that is a collection of the same kind already would keep its elements.
    written.push({ op: 'Clear', ...address, collection: value.type });
  }
  fill(schema, address, column, value, written);
}

/** What an instruction carries of a value: a container's contents come in instructions of their own. */
export function payloadOf(value: StateValue): Payload {
  switch (value.type) {
    case 'object':
    case 'list':
    case 'dictionary':
    case 'set':
      return { type: value.type };
    default:
      return value;
  }
}

export function below(address: Address, step: number | string): Address {
  return { ...address, path: [...address.path, step] };
}

/** What of an object's effect goes into the columns of its row. */

import { sameValue } from '../../schema/equality.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { ColumnInfo, KeyLookup, SqlText } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, MappedColumn, MappedState } from '../mapping/class-mapping.ts';
import { isScalarState, type ObjectEffect } from './net-effect.ts';

export type Cell = { readonly text: SqlText; readonly lookup: KeyLookup | undefined };
/** By column name, in the order in which statements name them. */
export type Cells = Map<string, Cell>;

/** Throws `DataError` when a value does not fit its column, or contradicts the key that it is a part of. */
export function cellsOf(object: ObjectEffect, mapped: ClassMapping, replica: ReplicaReader): Cells {
  const cells: Cells = new Map();
  for (const column of mapped.properties.values()) addScalar(cells, object, mapped, column, replica);
  for (const state of mapped.states.values()) addState(cells, object, mapped, state, replica);
  for (const [name, cell] of object.cells ?? []) cells.set(name, cell);
  return cells;
}

function addScalar(
  cells: Cells,
  object: ObjectEffect,
  mapped: ClassMapping,
  column: MappedColumn,
  replica: ReplicaReader,
): void {
  const { name, readOnly } = column.column;
  const value = object.values.get(column.property);
  const partOfKey = mapped.key.columns.indexOf(name);
  if (partOfKey >= 0 && value !== undefined && object.identity === undefined)
    requireAgreement(object, mapped, column, value, partOfKey);
  if (readOnly || partOfKey >= 0) return;
  const { lookup, definition } = column;
  if (value !== undefined) {
    cells.set(name, { text: textOf(value, column, mapped, object.key, replica), lookup });
  } else if (isDefaultWritten(object, [column.column]) && writesDefault(object, definition.nullable)) {
    const text = textOf(defaultValue(definition), column, mapped, object.key, replica);
    cells.set(name, { text, lookup });
  }
}

function addState(
  cells: Cells,
  object: ObjectEffect,
  mapped: ClassMapping,
  state: MappedState,
  replica: ReplicaReader,
): void {
  const { definition, columns } = state;
  const written = object.values.get(state.property);
  if (written === undefined && !isDefaultWritten(object, columns)) return;
  // A collection that nobody has touched reads as empty, not as null.
  const isMissing = written === undefined || (written.type === 'null' && definition.collection !== 'single');
  const value = isMissing ? defaultValue(definition) : written;
  const texts = named(mapped, object.key, state.property, () =>
    state.toSql(columns.length > 1 ? withoutDeadLinks(value, replica) : value),
  );
  columns.forEach((column, part) => {
    if (column.readOnly || mapped.key.columns.includes(column.name)) return;
    cells.set(column.name, { text: texts[part] ?? null, lookup: state.lookups?.get(column.name) });
  });
}

/** A property that is part of a compound key says what the key says, or the row would be another one. */
function requireAgreement(
  object: ObjectEffect,
  mapped: ClassMapping,
  column: MappedColumn,
  value: StateValue,
  part: number,
): void {
  const texts = mapped.key.toSql(object.key);
  const text = texts[part] ?? '';
  if (column.lookup !== undefined) {
    // The key holds what the database made; the row says of it later what the directory does not know yet.
    const said = column.codec.toRealm(text);
    if (said.type === 'null' || (isScalarState(value) && sameValue(said, value))) return;
  } else if (isScalarState(value) && column.codec.toSql(value) === text) return;
  throw new DataError(
    `${mapped.className} ${texts.join('-')}: property ${column.property} is part of the key and says otherwise`,
    { remedy: 'delete the object and create one with the new key instead of changing it' },
  );
}

/** Columns that are named although the client wrote nothing into the property. */
function isDefaultWritten({ operation }: ObjectEffect, columns: readonly ColumnInfo[]): boolean {
  if (operation === 'replace') return true;
  return operation === 'insert' && columns.some(({ nullable, hasDefault }) => !nullable && !hasDefault);
}

function writesDefault({ operation }: ObjectEffect, nullable: boolean): boolean {
  return operation === 'replace' || !nullable;
}

function textOf(
  value: StateValue,
  column: MappedColumn,
  mapped: ClassMapping,
  key: PrimaryKey,
  replica: ReplicaReader,
): SqlText {
  if (!isScalarState(value)) {
    throw new DataError(
      `${mapped.className}.${column.property} holds a ${value.type}, which column ${column.column.name} cannot hold`,
    );
  }
  if (column.column.nullable && isDeadLink(value, replica)) return null;
  return named(mapped, key, column.property, () => column.codec.toSql(value));
}

/** A link to nothing reads as null in the realm, and a foreign key would refuse it. */
export function isDeadLink(value: StateValue, replica: ReplicaReader): boolean {
  return value.type === 'link' && replica.object(value.table, value.key) === undefined;
}

/** An embedded object whose fields have columns of their own, with links as a single link is written. */
function withoutDeadLinks(value: StateValue, replica: ReplicaReader): StateValue {
  if (isDeadLink(value, replica)) return { type: 'null' };
  if (value.type !== 'object') return value;
  const fields = new Map<string, StateValue>();
  for (const [name, field] of value.fields) fields.set(name, withoutDeadLinks(field, replica));
  return { type: 'object', fields };
}

/** Puts class, key and property into what a codec has to say. */
function named<T>(mapped: ClassMapping, key: PrimaryKey, property: string, convert: () => T): T {
  try {
    return convert();
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    const object = { class: mapped.className, key: mapped.key.toSql(key).join('-') };
    const where = `${object.class} ${object.key}, property ${property}`;
    throw new DataError(`${where}: ${cause.message}`, { cause, object });
  }
}

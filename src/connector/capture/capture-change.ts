/**
 * Decides what one change of the database means for a realm: pure, from the change, the replica as it is, and the
 * shadows of our own changes (DESIGN §5, §6). Only columns that differ from the replica are written, so that a
 * concurrent change of another property on a device survives, and so that our own changes, when the feed shows them
 * back, write nothing — unless the database itself made something else of them (defaults, triggers, rounding).
 */
import type { Instruction, Update } from '../../changeset/instruction.ts';
import type { ColumnDefinition } from '../../schema/definition.ts';
import { sameValue } from '../../schema/equality.ts';
import { NULL, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';
import { stateDifference } from '../../store/state/state-difference.ts';
import { type FeedValue, UNCHANGED } from '../dialect.ts';
import type { MappedState } from '../mapping/class-mapping.ts';
import { type RowPlan, realmStateOf, realmValueOf } from './row-plan.ts';
import type { Shadow } from './shadow.ts';

/** A row as it now is: an INSERT or UPDATE of the database. Appends to `out`. */
export function captureRow(
  plan: RowPlan,
  key: PrimaryKey,
  row: readonly FeedValue[],
  replica: ReplicaReader,
  shadow: Shadow,
  out: Instruction[],
): void {
  if (shadow.deleted) return;
  const { className } = plan.mapping;
  const object = replica.object(className, key);
  if (object === undefined) out.push({ op: 'CreateObject', table: className, key });
  for (const { index, mapped } of plan.columns) {
    const text = row[index];
    if (text === UNCHANGED || text === undefined || shadow.covers(mapped.property)) continue;
    const value = realmValueOf(plan.mapping, mapped, text);
    if (sameValue(stored(object, mapped.property), value)) continue;
    if (object === undefined && value.type === 'null') continue;
    out.push(update(className, key, mapped.property, value));
  }
  for (const planned of plan.states) {
    if (shadow.covers(planned.mapped.property)) continue;
    const value = realmStateOf(planned, row);
    if (value !== undefined) captureState(className, key, planned.mapped, object, value, out);
  }
}

/** Writes what differs inside of a value, so that what a device does to the rest of it survives. Appends to `out`. */
export function captureState(
  className: string,
  key: PrimaryKey,
  { property, definition, columns, schema, toSql }: MappedState,
  object: ObjectState | undefined,
  value: StateValue,
  out: Instruction[],
): void {
  const before = object?.fields.get(property) ?? emptyState(definition);
  const address = { table: className, key, field: property, path: [] };
  const difference = stateDifference(schema, address, definition, before, value);
  if (difference.length === 0) return;
  // Spread over several columns, an object of nulls alone is what no object is too.
  const isSame =
    columns.length > 1 &&
    value.type === 'null' &&
    before.type === 'object' &&
    toSql(before).every((text) => text === null);
  if (isSame) return;
  for (const instruction of difference) out.push(instruction);
}

function emptyState(definition: ColumnDefinition): StateValue {
  return definition.collection === 'single' ? NULL : defaultValue(definition);
}

/** A row that is gone. Returns true when the object is to be erased. Appends to `out`. */
export function captureDelete(
  plan: RowPlan,
  key: PrimaryKey,
  replica: ReplicaReader,
  shadow: Shadow,
  out: Instruction[],
): boolean {
  // An insertion of ours under way comes after this deletion and makes the row anew.
  if (shadow.deleted || shadow.inserted) return false;
  if (replica.object(plan.mapping.className, key) === undefined) return false;
  out.push({ op: 'EraseObject', table: plan.mapping.className, key });
  return true;
}

function stored(object: ObjectState | undefined, property: string): ScalarValue {
  const value = object?.fields.get(property);
  if (value === undefined) return NULL;
  switch (value.type) {
    case 'object':
    case 'list':
    case 'dictionary':
    case 'set':
      return NULL;
    default:
      return value;
  }
}

function update(table: string, key: PrimaryKey, field: string, value: ScalarValue): Update {
  return { op: 'Update', table, key, field, path: [], value, isDefault: false };
}

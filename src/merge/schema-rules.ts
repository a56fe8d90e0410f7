/** Pair rules between instructions on classes, columns and whole objects (spec/merge-rules.md §5). */
import type {
  AddColumn,
  AddTable,
  CreateObject,
  EraseColumn,
  EraseObject,
  EraseTable,
} from '../changeset/instruction.ts';
import { sameColumn, sameObject } from './addressing.ts';
import type { Operand } from './operand.ts';
import { isOlder } from './stamp.ts';
import { TransformError } from './transform-error.ts';

export function addTableAddTable(left: Operand, right: Operand, a: AddTable, b: AddTable): void {
  if (a.table !== b.table) return;
  const sameDefinition =
    a.kind === b.kind &&
    a.primaryKey?.field === b.primaryKey?.field &&
    a.primaryKey?.type === b.primaryKey?.type &&
    a.primaryKey?.nullable === b.primaryKey?.nullable;
  if (!sameDefinition) throw new TransformError('schema mismatch: the classes are defined differently', a, b);
  left.discard();
  right.discard();
}

export function eraseTableAddTable(right: Operand, a: EraseTable, b: AddTable): void {
  if (a.table === b.table) right.discard();
}

export function eraseTableEraseTable(left: Operand, right: Operand, a: EraseTable, b: EraseTable): void {
  if (a.table !== b.table) return;
  left.discard();
  right.discard();
}

/** A link column to an erased class must go too, on the side that erased the class without knowing the column. */
export function eraseTableAddColumn(left: Operand, right: Operand, a: EraseTable, b: AddColumn): void {
  if (b.column.type !== 'link' || b.column.linkTarget !== a.table) return;
  left.prepend({ op: 'EraseColumn', table: b.table, field: b.field });
  right.discard();
}

export function addColumnAddColumn(left: Operand, right: Operand, a: AddColumn, b: AddColumn): void {
  if (!sameColumn(a, b)) return;
  const sameDefinition =
    a.column.type === b.column.type &&
    a.column.nullable === b.column.nullable &&
    a.column.collection === b.column.collection &&
    a.column.linkTarget === b.column.linkTarget;
  if (!sameDefinition) throw new TransformError('schema mismatch: the columns are defined differently', a, b);
  left.discard();
  right.discard();
}

export function eraseColumnAddColumn(right: Operand, a: EraseColumn, b: AddColumn): void {
  if (sameColumn(a, b)) right.discard();
}

export function eraseColumnEraseColumn(left: Operand, right: Operand, a: EraseColumn, b: EraseColumn): void {
  if (!sameColumn(a, b)) return;
  left.discard();
  right.discard();
}

/** Erasing wins whatever the timestamps. */
export function eraseObjectCreateObject(right: Operand, a: EraseObject, b: CreateObject): void {
  if (sameObject(a, b)) right.discard();
}

export function eraseObjectEraseObject(left: Operand, right: Operand, a: EraseObject, b: EraseObject): void {
  if (sameObject(a, b)) discardOlder(left, right);
}

/** Discards the left operand when it is the older one, otherwise the right one. */
export function discardOlder(left: Operand, right: Operand): void {
  if (isOlder(left.stamp, right.stamp)) left.discard();
  else right.discard();
}

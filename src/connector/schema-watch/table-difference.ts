/** What was changed in a table, in words. */
import type { ColumnInfo, TableInfo } from '../dialect.ts';
import { tableId } from '../dialect.ts';

/** Empty when nothing of it shows in the catalog. */
export function describeDifference(before: TableInfo, after: TableInfo | undefined): string {
  if (after === undefined) return `table ${tableId(before.table)} was dropped or renamed`;
  const changes: string[] = [];
  const present = new Map(after.columns.map((column) => [column.name, column]));
  for (const column of before.columns) {
    const now = present.get(column.name);
    present.delete(column.name);
    if (now === undefined) changes.push(`column ${column.name} was dropped or renamed`);
    else changes.push(...columnChanges(column, now));
  }
  for (const name of present.keys()) changes.push(`column ${name} was added`);
  if (before.primaryKey.join() !== after.primaryKey.join())
    changes.push(
      `the primary key was (${before.primaryKey.join(', ')}) and is (${after.primaryKey.join(', ')})`,
    );
  return changes.join(', ');
}

function columnChanges(before: ColumnInfo, after: ColumnInfo): string[] {
  const changes: string[] = [];
  if (before.type !== after.type)
    changes.push(`column ${before.name} was ${before.type} and is ${after.type}`);
  if (before.nullable && !after.nullable) changes.push(`column ${before.name} became NOT NULL`);
  if (!before.nullable && after.nullable) changes.push(`column ${before.name} allows NULL now`);
  if (before.hasDefault && !after.hasDefault) changes.push(`column ${before.name} lost its DEFAULT`);
  return changes;
}

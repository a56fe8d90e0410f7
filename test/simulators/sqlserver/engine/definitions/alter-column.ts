/** ALTER TABLE … ALTER COLUMN: another type, its values converted. */
import { SqlFailure } from '../../contract.ts';
import type { AlterTableAction } from '../../sql/ast.ts';
import { collation } from '../../sql/types/collation.ts';
import { resolveTypeName } from '../../sql/types/type-names.ts';
import { assigner } from '../executor/assigning.ts';
import type { Run } from '../executor/environment.ts';
import type { Database } from '../storage/database.ts';
import type { Column } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { changing } from './change.ts';
import { rewriteRows } from './rewriting.ts';

export function alterColumn(
  run: Run,
  database: Database,
  table: Table,
  action: Extract<AlterTableAction, { readonly kind: 'alterColumn' }>,
  line: number,
): void {
  const column = table.column(action.name);
  if (!column) {
    throw new SqlFailure(
      4924,
      `ALTER TABLE ALTER COLUMN failed because column '${action.name}' does not exist in table '${table.name}'.`,
      { line },
    );
  }
  if (column.computed || column.type.kind === 'rowversion') {
    throw new SqlFailure(
      4928,
      `Cannot alter column '${column.name}' because it is '${column.computed ? 'COMPUTED' : 'timestamp'}'.`,
      { line },
    );
  }
  const type = resolveTypeName(action.type, 'column');
  if (action.collation) collation(action.collation);
  const nullable = action.nullable ?? true;
  refuseDependents(table, column, type, nullable, line);
  const before = { type: column.type, nullable: column.nullable, collation: column.collation };
  const from = column.type;
  column.type = type;
  column.nullable = nullable;
  column.collation = /char$|text$/.test(type.kind) ? (action.collation ?? database.collation) : undefined;
  changing(run, database, () => Object.assign(column, before), table);
  const assign = assigner(run, table, column, from);
  rewriteRows(run, database, table, (data) => {
    const made = [...data];
    while (made.length < table.nextSlot) made.push(null);
    const value = made[column.slot] ?? null;
    if (value === null && !nullable) {
      throw new SqlFailure(
        515,
        `Cannot insert the value NULL into column '${column.name}', table '${database.name}.${table.schema}.${table.name}'; column does not allow nulls. UPDATE fails.`,
        { state: 2 },
      );
    }
    made[column.slot] = assign(value);
    return made;
  });
}

/** 5074 and 4922: what depends on the column's type. Longer strings and binaries are fine under an index. */
function refuseDependents(
  table: Table,
  column: Column,
  type: Column['type'],
  nullable: boolean,
  line: number,
): void {
  const longer =
    'length' in type &&
    'length' in column.type &&
    type.kind === column.type.kind &&
    typeof type.length === 'number' &&
    typeof column.type.length === 'number' &&
    type.length >= column.type.length;
  const same = JSON.stringify(type) === JSON.stringify(column.type);
  const dependents: string[] = [];
  for (const index of table.indexes) {
    if (!index.columns.some((one) => one.column === column)) continue;
    const kept = index.kind === 'primary key' ? (longer || same) && !nullable : longer || same;
    if (!kept) dependents.push(index.kind === 'index' ? `index '${index.name}'` : `object '${index.name}'`);
  }
  for (const key of table.foreignKeys) {
    if (key.columns.includes(column) && !same) dependents.push(`object '${key.name}'`);
  }
  if (column.default && !same && !longer) dependents.push(`object '${column.default.name}'`);
  const dependent = dependents[0];
  if (dependent === undefined) return;
  throw new SqlFailure(
    4922,
    `ALTER TABLE ALTER COLUMN ${column.name} failed because one or more objects access this column: the ${dependent} is dependent on column '${column.name}'.`,
    { line, state: 9 },
  );
}

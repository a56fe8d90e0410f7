/** ALTER TABLE … DROP COLUMN and DROP CONSTRAINT. */
import { SqlFailure } from '../../contract.ts';
import type { Run } from '../executor/environment.ts';
import type { Database } from '../storage/database.ts';
import type { Column } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { changing } from './change.ts';

export function dropColumn(
  run: Run,
  database: Database,
  table: Table,
  name: string,
  ifExists: boolean,
  line: number,
): void {
  const column = table.column(name);
  if (!column) {
    if (ifExists) return;
    throw new SqlFailure(
      4924,
      `ALTER TABLE DROP COLUMN failed because column '${name}' does not exist in table '${table.name}'.`,
      { line },
    );
  }
  const dependent = dependentOn(database, table, column);
  if (dependent !== undefined) {
    throw new SqlFailure(
      4922,
      `ALTER TABLE DROP COLUMN ${column.name} failed because one or more objects access this column: the ${dependent} is dependent on column '${column.name}'.`,
      { line, state: 9 },
    );
  }
  if (table.columns.length === 1) {
    throw new SqlFailure(
      4923,
      `ALTER TABLE DROP COLUMN failed because '${column.name}' is the only data column in table '${table.name}'. A table must have at least one data column.`,
      { line },
    );
  }
  table.columns = table.columns.filter((one) => one !== column);
  changing(run, database, () => {}, table);
}

function dependentOn(database: Database, table: Table, column: Column): string | undefined {
  for (const index of table.indexes) {
    const used = index.columns.some((one) => one.column === column) || index.included.includes(column);
    if (used) return index.kind === 'index' ? `index '${index.name}'` : `object '${index.name}'`;
  }
  const key = table.foreignKeys.find((one) => one.columns.includes(column));
  if (key) return `object '${key.name}'`;
  if (column.default) return `object '${column.default.name}'`;
  const check = table.checks.find((one) => mentions(one.text, column.name));
  if (check) return `object '${check.name}'`;
  const computed = table.columns.find((one) => one.computed && mentions(one.computed.text, column.name));
  if (computed) return `column '${computed.name}'`;
  for (const other of database.tables.values()) {
    const referring = other.foreignKeys.find(
      (one) => one.referencedTable === table.id && one.referencedColumns.includes(column),
    );
    if (referring) return `object '${referring.name}'`;
  }
  return undefined;
}

function mentions(text: string, name: string): boolean {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(^|[^\\p{L}\\p{N}_@#$])${escaped}($|[^\\p{L}\\p{N}_@#$])`, 'iu').test(text);
}

export function dropConstraint(
  run: Run,
  database: Database,
  table: Table,
  name: string,
  ifExists: boolean,
  line: number,
): void {
  const wanted = name.toLowerCase();
  const is = (one: { readonly name: string } | undefined) => one?.name.toLowerCase() === wanted;
  const index = table.indexes.find((one) => one.kind !== 'index' && is(one));
  if (index) {
    if (index.kind === 'primary key' && table.tracking) {
      throw new SqlFailure(22113, `DROP CONSTRAINT is not allowed because the table is being tracked.`, {
        line,
      });
    }
    for (const other of database.tables.values()) {
      const key = other.foreignKeys.find(
        (one) =>
          one.referencedTable === table.id &&
          one.referencedColumns.length === index.columns.length &&
          index.columns.every(({ column }) => one.referencedColumns.includes(column)),
      );
      if (key) {
        throw new SqlFailure(
          3725,
          `The constraint '${index.name}' is being referenced by table '${other.name}', foreign key constraint '${key.name}'.`,
          { line, state: 0 },
        );
      }
    }
    table.indexes = table.indexes.filter((one) => one !== index);
    return;
  }
  if (table.foreignKeys.some(is)) table.foreignKeys = table.foreignKeys.filter((one) => !is(one));
  else if (table.checks.some(is)) table.checks = table.checks.filter((one) => !is(one));
  else {
    const column = table.columns.find((one) => is(one.default));
    if (!column) {
      if (ifExists) return;
      throw new SqlFailure(3728, `'${name}' is not a constraint.`, { line });
    }
    const before = column.default;
    column.default = undefined;
    changing(
      run,
      database,
      () => {
        column.default = before;
      },
      table,
    );
  }
}

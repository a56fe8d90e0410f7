/** Changes of rows as the SQL of a database. */
import { columnsOf } from './compare.ts';
import type { RowChange, RowValue } from './sql-workload.ts';

/** What a database calls things. */
export type Naming = {
  table(className: string): string;
  column(className: string, property: string): string;
  /** The n-th parameter, counted from 1. */
  parameter(place: number): string;
};

export type Statement = { readonly text: string; readonly values: readonly RowValue[] };

/** One statement with parameters. */
export function statementOf(change: RowChange, naming: Naming): Statement {
  const { className, key } = change;
  const table = naming.table(className);
  const keyColumn = naming.column(className, columnsOf(className).key);
  if (change.kind === 'delete')
    return { text: `DELETE FROM ${table} WHERE ${keyColumn} = ${naming.parameter(1)}`, values: [key] };
  const columns = Object.keys(change.values).map((property) => naming.column(className, property));
  const values = Object.values(change.values);
  if (change.kind === 'update') {
    const assignments = columns.map((column, index) => `${column} = ${naming.parameter(index + 1)}`);
    const found = `${keyColumn} = ${naming.parameter(columns.length + 1)}`;
    return { text: `UPDATE ${table} SET ${assignments.join(', ')} WHERE ${found}`, values: [...values, key] };
  }
  const all = [keyColumn, ...columns];
  const parameters = all.map((_, index) => naming.parameter(index + 1));
  return {
    text: `INSERT INTO ${table} (${all.join(', ')}) VALUES (${parameters.join(', ')})`,
    values: [key, ...values],
  };
}

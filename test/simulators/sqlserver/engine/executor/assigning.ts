/** Turning values into what a column holds. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import { assignDatum } from '../../sql/types/assign.ts';
import type { Column } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import type { Run } from './environment.ts';

/** The value in the column's type: 2628, 8115, 245 … when it does not fit. */
export function assigner(run: Run, table: Table, column: Column, from: SqlType): (value: Datum) => Datum {
  const database = table.temporary ? 'tempdb' : run.database.name;
  const target = {
    table: `${database}.${table.schema}.${table.name}`,
    column: column.name,
    collation: column.collation ?? run.database.collation,
  };
  const { conversion } = run.session;
  return (value) => (value === null ? null : assignDatum(value, from, column.type, target, conversion));
}

/** The columns that an INSERT names: 207, 264, 271, 273. */
export function namedColumns(table: Table, names: readonly string[], line: number): Column[] {
  const seen = new Set<Column>();
  return names.map((name) => {
    const column = table.column(name);
    if (!column) throw new SqlFailure(207, `Invalid column name '${name}'.`, { line });
    if (seen.has(column)) {
      throw new SqlFailure(
        264,
        `The column name '${name}' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is updated only once.`,
        { line },
      );
    }
    seen.add(column);
    if (column.computed) throw computedColumn(column, line);
    return column;
  });
}

export function computedColumn(column: Column, line: number): SqlFailure {
  return new SqlFailure(
    271,
    `The column "${column.name}" cannot be modified because it is either a computed column or is the result of a UNION operator.`,
    { line },
  );
}

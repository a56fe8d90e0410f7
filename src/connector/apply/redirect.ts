/**
 * `mapRealmChangeTo…Table`: the changes of one realm go to another table than that of their class, or take
 * further columns with fixed values along (the owner of a user's realm, say). Rows of another table are not read back.
 */
import { type ApplyStatement, type Catalog, type SqlText, type TableInfo, tableId } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import type { FollowedList } from '../mapping/followed-lists.ts';
import type { RowProperties, TableOfRealm } from '../options.ts';

/** Tables of lists stay what they are. Throws `MappingError` when the function names a table or a column that does not exist. */
export function redirectStatements(
  statements: readonly ApplyStatement[],
  realmPath: string,
  tableOfRealm: TableOfRealm,
  catalog: Catalog,
  /** What the configuration calls the function. */
  option: string,
  lists: readonly FollowedList[] = [],
): readonly ApplyStatement[] {
  const call = `${option}('${realmPath}')`;
  const { tableName, extraProperties } = tableOfRealm(realmPath);
  if (tableName === undefined && extraProperties === undefined) return statements;
  const listTables = new Set(
    lists.flatMap(({ order }) => (order === undefined ? [] : [tableId(order.table)])),
  );
  return statements.map((statement) => {
    if (listTables.has(tableId(statement.table.table))) return statement;
    if (statement.kind !== 'upsert' && statement.kind !== 'update' && statement.kind !== 'delete')
      return statement;
    const table =
      tableName === undefined ? statement.table : tableCalled(tableName, statement.table, catalog, call);
    const columns =
      statement.kind === 'delete' ? statement.keyColumns : [...statement.keyColumns, ...statement.columns];
    for (const column of columns) requireColumn(table, column, call);
    const moved = { ...statement, table };
    return moved.kind === 'upsert' && extraProperties !== undefined
      ? extended(moved, extraProperties, call)
      : moved;
  });
}

function tableCalled(name: string, classTable: TableInfo, catalog: Catalog, call: string): TableInfo {
  const table = catalog.get(tableId({ schema: classTable.table.schema, name }));
  if (table !== undefined) return table;
  throw new MappingError(`${call} names the table ${name}, which does not exist`, {
    remedy: 'create the table or correct the function',
  });
}

function requireColumn(table: TableInfo, column: string, call: string): void {
  if (table.columns.some((candidate) => candidate.name === column)) return;
  throw new MappingError(`${call}: table ${table.table.name} has no column ${column}`, {
    remedy: 'add the column or correct the function',
  });
}

type Upsert = Extract<ApplyStatement, { kind: 'upsert' | 'update' }>;

function extended(statement: Upsert, extra: RowProperties, call: string): Upsert {
  const added = Object.entries(extra).filter(
    ([column]) => !statement.keyColumns.includes(column) && !statement.columns.includes(column),
  );
  for (const [column] of added) requireColumn(statement.table, column, call);
  const texts = added.map(([column, value]) => textOf(value, column, call));
  return {
    ...statement,
    columns: [...statement.columns, ...added.map(([column]) => column)],
    rows: statement.rows.map((row) => [...row, ...texts]),
  };
}

function textOf(value: unknown, column: string, call: string): SqlText {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    typeof value === 'boolean'
  ) {
    return String(value);
  }
  throw new MappingError(`${call} gives column ${column} a value that is no scalar`, {
    remedy: 'give a string, a number, a boolean, a Date or null',
  });
}

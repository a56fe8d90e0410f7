/** Reads single rows as they now are, for values that the change feed left out. */
import type { SqlText, TableInfo } from '../../src/connector/dialect.ts';
import type { Session } from './session.ts';
import { quoteIdentifier, quoteTable } from './sql-text.ts';
import { columnArrays, MAX_ROWS_PER_STATEMENT, unnest } from './writer/set-statements.ts';

/**
 * The rows that exist, in no particular order: `columns` should name the key for the caller to know them by. `keys`
 * are texts of `keyColumns`; of the primary key's columns unless these are given, in the order in which `columns` (or
 * else the table) names them. Key columns come back as they were asked for, not as the row has them: `char(n)` pads, `numeric` has places of its own.
 */
export async function fetchRows(
  session: Session,
  table: TableInfo,
  columns: readonly string[],
  keys: readonly (readonly string[])[],
  keyColumns?: readonly string[],
): Promise<readonly (readonly SqlText[])[]> {
  const named = columns.filter((column) => table.primaryKey.includes(column));
  const key = keyColumns ?? (named.length === table.primaryKey.length ? named : table.primaryKey);
  const condition = key.map((name, index) => `t.${quoteIdentifier(name)} = v.a${index}`).join(' AND ');
  const selected = columns.map((name) => {
    const place = key.indexOf(name);
    return place < 0 ? `t.${quoteIdentifier(name)}` : `v.a${place}`;
  });
  const text =
    `SELECT ${selected.join(', ')} ` +
    `FROM ${unnest(table, key)} JOIN ${quoteTable(table.table)} t ON ${condition}`;
  const rows: (readonly SqlText[])[] = [];
  for (let start = 0; start < keys.length; start += MAX_ROWS_PER_STATEMENT) {
    const chunk = keys.slice(start, start + MAX_ROWS_PER_STATEMENT);
    const found = await session.prepared(text, columnArrays(chunk, key.length));
    for (const row of found.rows) rows.push(row);
  }
  return rows;
}

/** Reads single rows as they now are, for values that the change feed left out. */
import type { SqlText, TableInfo } from '../../src/connector/dialect.ts';
import { readExpression, type TextReader, textReader } from './column-text.ts';
import { longText } from './parameters.ts';
import type { Session } from './session.ts';
import { quoteTable } from './sql-text.ts';
import { cellText, chunksOf, columnOf, keyCondition, rowSource, rowsJson } from './writer/row-source.ts';

export function fetchText(
  table: TableInfo,
  columns: readonly string[],
  keyColumns: readonly string[],
): string {
  const selected = columns.map((name) => {
    const place = keyColumns.indexOf(name);
    return place < 0 ? readExpression(columnOf(table, name), 't') : cellText(place);
  });
  return (
    `SELECT ${selected.join(', ')} FROM ${rowSource(keyColumns.length)} ` +
    `INNER JOIN ${quoteTable(table.table)} AS t ON ${keyCondition(table, keyColumns)};`
  );
}

/**
 * The rows that exist, in no particular order: `columns` should name the key for the caller to know them by. `keys`
 * are texts of `keyColumns`; of the primary key's columns unless these are given, in the order in which `columns` (or
 * else the table) names them. Key columns come back as they were asked for.
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
  const text = fetchText(table, columns, key);
  const readers = columns.map((name): TextReader | undefined =>
    key.includes(name) ? undefined : textReader(columnOf(table, name)),
  );
  const rows: (readonly SqlText[])[] = [];
  for (const chunk of chunksOf(keys)) {
    const bound = { table, columns: key, rows: chunk };
    const found = await session.query(text, [longText('rows', rowsJson(chunk))], { bound });
    for (const row of found) rows.push(row.map((value, place) => readers[place]?.(value) ?? value));
  }
  return rows;
}

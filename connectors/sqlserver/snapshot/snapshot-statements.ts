/** The statements that read a table for a snapshot. */
import type { ColumnInfo, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import { readExpression, writeExpression } from '../column-text.ts';
import { SqlServerQueryError } from '../errors.ts';
import { longText, type SqlParameter } from '../parameters.ts';
import { quoteIdentifier, quoteTable } from '../sql-text.ts';

export type ReadStatement = { readonly text: string; readonly parameters: readonly SqlParameter[] };

/**
 * Rows in primary key order, those after the key texts `after` only. The key columns are compared in the order in which
 * `columns` names them, which is that of `after`: a class may order the parts of a compound key otherwise than the table.
 */
export function readRows(
  info: TableInfo,
  columns: readonly string[],
  after: readonly SqlText[] | undefined,
): ReadStatement {
  const read = columns.map((name) => columnNamed(info, name));
  const key = read.filter(({ name }) => info.primaryKey.includes(name));
  const places = key.map(({ name }) => `t.${quoteIdentifier(name)}`);
  const select = `SELECT ${read.map((column) => readExpression(column, 't')).join(', ')} FROM ${quoteTable(info.table)} AS t`;
  const order = key.length === 0 ? '' : ` ORDER BY ${places.join(', ')}`;
  if (after === undefined) return { text: `${select}${order};`, parameters: [] };
  if (key.length !== after.length) {
    throw new SqlServerQueryError(`the place to go on in ${tableId(info.table)} does not fit its key`, {
      remedy: 'the key of the table was changed during the load: load anew with isthmus load --resume',
    });
  }
  const values = key.map((column, part) => writeExpression(column, `@after${part}`));
  // (a, b) > (x, y), spelled out: the server compares no tuples.
  const beyond = key.map((_, part) => {
    const equal = places.slice(0, part).map((place, index) => `${place} = ${values[index]}`);
    return `(${[...equal, `${places[part]} > ${values[part]}`].join(' AND ')})`;
  });
  return {
    text: `${select} WHERE ${beyond.join(' OR ')}${order};`,
    parameters: after.map((text, part) => longText(`after${part}`, text)),
  };
}

/**
 * From the metadata of indexes, which the server keeps up to date well enough for a progress bar. Metadata have no versions:
 * read as SNAPSHOT they might end the transaction (3961), so that its level is left and taken again.
 */
export const ESTIMATE =
  'SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ' +
  "SELECT CONVERT(varchar(20), SUM(p.[rows])) FROM sys.partitions AS p WHERE p.[object_id] = OBJECT_ID(@table, N'U') AND p.[index_id] IN (0, 1); " +
  'SET TRANSACTION ISOLATION LEVEL SNAPSHOT;';

export const CURRENT_VERSION = 'SELECT CONVERT(varchar(20), CHANGE_TRACKING_CURRENT_VERSION()), DB_NAME();';
/** Begins the snapshot: it shows what is committed when the first row is read. */
export const FIRST_READ = 'SELECT COUNT_BIG(*) FROM [isthmus].[feed];';

function columnNamed({ table, columns }: TableInfo, name: string): ColumnInfo {
  const column = columns.find((each) => each.name === name);
  if (column !== undefined) return column;
  throw new SqlServerQueryError(`the table ${tableId(table)} has no column ${name}`, {
    remedy: 'the table was changed while the connector ran: it is looked at again',
    errorClass: 'transient',
  });
}

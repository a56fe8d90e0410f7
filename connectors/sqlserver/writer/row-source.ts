/**
 * Rows on their way into a statement: one parameter, a JSON array of arrays of texts, whatever the number of rows, so
 * that a statement has the same text each time and its plan is shared. Needs compatibility level 130.
 */
import type { ColumnInfo, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { writeExpression } from '../column-text.ts';
import { SqlServerTableError } from '../errors.ts';
import { quoteIdentifier, quoteTable } from '../sql-text.ts';
import { sqlTypeOf } from '../sql-type.ts';

/** Longer runs are cut: locks of one statement, and what the server has to sort, stay within bounds. */
export const MAX_ROWS_PER_STATEMENT = 10_000;
/** So are larger ones: the server holds the document, two bytes a character, beside what it makes of it. */
export const MAX_CHARACTERS_PER_STATEMENT = 4_000_000;
/** What a cell takes in the document besides its text: quotes and comma. */
const CELL_OVERHEAD = 3;

/** Compares code points, where the collations of tables take letters for equal that are not. */
export const EXACT_COLLATION = 'Latin1_General_100_BIN2';
const CHARACTER_TYPES: ReadonlySet<string> = new Set(['char', 'varchar', 'nchar', 'nvarchar']);
/** Padded by the server, so that spaces at the end say nothing. */
const PADDED_TYPES: ReadonlySet<string> = new Set(['char', 'nchar']);

/** The rows of parameter `name` as a table `s` with the columns `c0`, `c1` … of texts. */
export function rowSource(width: number, name = '@rows'): string {
  const columns = Array.from({ length: width }, (_, index) => `[c${index}] nvarchar(max) '$[${index}]'`);
  return `OPENJSON(${name}) WITH (${columns.join(', ')}) AS s`;
}

export function cellText(index: number): string {
  return `s.[c${index}]`;
}

/** The cell as a value of the column. */
export function cell(table: TableInfo, name: string, index: number): string {
  return writeExpression(columnOf(table, name), cellText(index));
}

/** Rows of `t` whose key the first columns of `s` hold. */
export function keyCondition(table: TableInfo, keyColumns: readonly string[]): string {
  return keyColumns.map((name, index) => matches(table, name, cellText(index))).join(' AND ');
}

/**
 * True when column `name` of `t` has the value of `text`. What tells rows apart is matched by its index first and then
 * to the letter, so that `a` never stands for `A`, or for `a` with a space behind it.
 */
export function matches(table: TableInfo, name: string, text: string): string {
  const column = columnOf(table, name);
  const target = `t.${quoteIdentifier(name)}`;
  const type = sqlTypeOf(column);
  // Said although it follows: an index `WHERE … IS NOT NULL` is used only where its filter stands beside the table.
  const filled = column.nullable && tellsRowsApart(table, name) ? ` AND ${target} IS NOT NULL` : '';
  if (!CHARACTER_TYPES.has(type.name)) return `${target} = ${writeExpression(column, text)}${filled}`;
  // Columns of two collations cannot be compared; which one is meant has to be said.
  const collate = type.collation === undefined ? '' : ` COLLATE ${type.collation}`;
  if (!tellsRowsApart(table, name)) return `${target} = ${writeExpression(column, text)}${collate}`;
  const whole = `CONVERT(nvarchar(max), ${target})`;
  // As long as the column and no longer, for its index to be of use.
  const conditions = [`${target} = CONVERT(${type.name}(${type.length ?? 1}), ${text}${collate})${collate}`];
  conditions.push(`${whole} COLLATE ${EXACT_COLLATION} = ${text} COLLATE ${EXACT_COLLATION}`);
  if (!PADDED_TYPES.has(type.name)) conditions.push(`DATALENGTH(${whole}) = DATALENGTH(${text})`);
  return `${conditions.join(' AND ')}${filled}`;
}

function tellsRowsApart(table: TableInfo, name: string): boolean {
  return table.primaryKey.includes(name) || (table.uniqueKeys ?? []).some((key) => key.includes(name));
}

export function columnOf(table: TableInfo, name: string): ColumnInfo {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  throw new SqlServerTableError(`table ${quoteTable(table.table)} has no column ${name}`, {
    remedy: 'restart the connector: the table was changed while it ran',
  });
}

/** Cuts rows into runs that one statement carries. */
export function* chunksOf<Row extends readonly SqlText[]>(rows: readonly Row[]): Generator<readonly Row[]> {
  let start = 0;
  let characters = 0;
  for (let place = 0; place < rows.length; place += 1) {
    const size = charactersOf(rows[place] ?? []);
    const full = place - start >= MAX_ROWS_PER_STATEMENT || characters + size > MAX_CHARACTERS_PER_STATEMENT;
    if (full && place > start) {
      yield rows.slice(start, place);
      start = place;
      characters = 0;
    }
    characters += size;
  }
  if (start === 0 && rows.length > 0) yield rows;
  else if (start < rows.length) yield rows.slice(start);
}

function charactersOf(row: readonly SqlText[]): number {
  let characters = 0;
  for (const text of row) characters += CELL_OVERHEAD + (text?.length ?? 1);
  return characters;
}

export function rowsJson(rows: readonly (readonly SqlText[])[]): string {
  return JSON.stringify(rows);
}

/**
 * The texts of the set-based statements (DESIGN §4): one parameter per column, an array of texts, so that a statement
 * has the same text for any number of rows and is prepared once per shape.
 */
import type { RowRun } from '../../../src/connector/apply/row-runs.ts';
import type { ColumnInfo, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { PostgresTableError } from '../errors.ts';
import { castType, quoteIdentifier, quoteTable, textArray } from '../sql-text.ts';

/** Longer runs are cut: parameters stay small enough for the server to hold several times over. */
export const MAX_ROWS_PER_STATEMENT = 10_000;

/** The text of a statement, whatever its rows. */
export function textOf({ kind, table, keyColumns, columns }: RowRun): string {
  switch (kind) {
    case 'upsert':
      return upsertText(table, keyColumns, columns);
    case 'update':
      return updateText(table, keyColumns, columns);
    case 'assign':
      return assignText(table, keyColumns, columns);
    case 'delete':
      return deleteText(table, keyColumns);
    case 'insert':
      return insertItemsText(table, columns);
  }
}

/** Inserts rows; columns of rows that exist already are set instead. */
export function upsertText(
  table: TableInfo,
  keyColumns: readonly string[],
  columns: readonly string[],
): string {
  const all = [...keyColumns, ...columns];
  const names = all.map(quoteIdentifier).join(', ');
  const values = all.map((name, index) => cell(table, name, index)).join(', ');
  const assignments = columns
    .map((name) => `${quoteIdentifier(name)} = excluded.${quoteIdentifier(name)}`)
    .join(', ');
  // Without it the server refuses keys of its own making (GENERATED ALWAYS AS IDENTITY).
  const overriding = keyColumns.some((name) => columnOf(table, name).readOnly)
    ? ' OVERRIDING SYSTEM VALUE'
    : '';
  return (
    `INSERT INTO ${quoteTable(table.table)} (${names})${overriding} SELECT ${values} FROM ${unnest(table, all)} ` +
    `ON CONFLICT (${keyColumns.map(quoteIdentifier).join(', ')}) DO ` +
    (columns.length === 0 ? 'NOTHING' : `UPDATE SET ${assignments}`)
  );
}

/** Sets columns of the rows that exist; a column may be looked for and set at once. */
export function updateText(
  table: TableInfo,
  keyColumns: readonly string[],
  columns: readonly string[],
): string {
  const assignments = columns.map(
    (name, index) => `${quoteIdentifier(name)} = ${cell(table, name, keyColumns.length + index)}`,
  );
  return (
    `UPDATE ${quoteTable(table.table)} t SET ${assignments.join(', ')} ` +
    `FROM ${unnest(table, [...keyColumns, ...columns])} WHERE ${keyCondition(table, keyColumns)}`
  );
}

/** Sets columns of the rows in which they are NULL. */
export function assignText(
  table: TableInfo,
  keyColumns: readonly string[],
  columns: readonly string[],
): string {
  const empty = columns.map((name) => ` AND t.${quoteIdentifier(name)} IS NULL`);
  return updateText(table, keyColumns, columns) + empty.join('');
}

export function deleteText(table: TableInfo, keyColumns: readonly string[]): string {
  return (
    `DELETE FROM ${quoteTable(table.table)} t USING ${unnest(table, keyColumns)} ` +
    `WHERE ${keyCondition(table, keyColumns)}`
  );
}

/** Not TRUNCATE, which foreign keys forbid and which would lock readers out. */
export function deleteAllText(table: TableInfo): string {
  return `DELETE FROM ${quoteTable(table.table)}`;
}

/** Adds rows to a table of items. */
export function insertItemsText(table: TableInfo, columns: readonly string[]): string {
  const values = columns.map((name, index) => cell(table, name, index)).join(', ');
  return (
    `INSERT INTO ${quoteTable(table.table)} (${columns.map(quoteIdentifier).join(', ')}) ` +
    `SELECT ${values} FROM ${unnest(table, columns)}`
  );
}

/** Rows turned into one array of texts per column, in the server's input form. */
export function columnArrays(rows: readonly (readonly SqlText[])[], width: number): string[] {
  const arrays: string[] = [];
  for (let column = 0; column < width; column += 1) arrays.push(textArray(cells(rows, column)));
  return arrays;
}

export function columnOf(table: TableInfo, name: string): ColumnInfo {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  throw new PostgresTableError(`table ${quoteTable(table.table)} has no column ${name}`, {
    remedy: 'restart the connector: the table was changed while it ran',
  });
}

/** The text `expression` as a value to look for. An explicit cast cuts what is too long, so never use it to write. */
export function castOf(table: TableInfo, column: string, expression: string): string {
  return `${expression}::${castType(columnOf(table, column))}`;
}

function* cells(rows: readonly (readonly SqlText[])[], column: number): Generator<SqlText> {
  for (const row of rows) yield row[column] ?? null;
}

/**
 * Arrays of the columns' own types: the server reads their elements as it reads literals, which also for domains
 * refuses what is too long.
 */
export function unnest(table: TableInfo, columns: readonly string[]): string {
  const parameters = columns.map((name, index) => {
    const column = columnOf(table, name);
    return `$${index + 1}::${travelsAsText(column) ? 'text' : castType(column)}[]`;
  });
  const names = columns.map((_, index) => `a${index}`);
  return `unnest(${parameters.join(', ')}) v (${names.join(', ')})`;
}

/** What travels as text becomes a value of its type beside the array. */
export function cell(table: TableInfo, name: string, index: number): string {
  return travelsAsText(columnOf(table, name)) ? castOf(table, name, `v.a${index}`) : `v.a${index}`;
}

/**
 * `unnest` would take arrays apart together with the array around them, and spread the fields of composites over its
 * columns; boxes have another delimiter than our arrays.
 */
function travelsAsText({ storage, baseType }: ColumnInfo): boolean {
  if (storage === undefined) return baseType.startsWith('_');
  switch (storage.structure?.kind) {
    case 'record':
      return true;
    case 'array':
      // A domain over an array is an element like any other.
      return storage.type.endsWith('[]');
    default:
      return storage.delimiter !== undefined;
  }
}

function keyCondition(table: TableInfo, keyColumns: readonly string[]): string {
  return keyColumns
    .map((name, index) => `t.${quoteIdentifier(name)} = ${cell(table, name, index)}`)
    .join(' AND ');
}

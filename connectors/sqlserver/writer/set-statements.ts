/**
 * The texts of the set-based statements (DESIGN §4). They take `@rows` (row-source.ts) and `@context`
 * (change-context.ts). No MERGE, whose races and faults are many, and no OUTPUT, which tables with triggers refuse.
 */
import type { RowRun } from '../../../src/connector/apply/row-runs.ts';
import { type TableInfo, tableId } from '../../../src/connector/dialect.ts';
import { assignmentExpression } from '../column-text.ts';
import { quoteIdentifier, quoteTable } from '../sql-text.ts';
import { cell, cellText, columnOf, keyCondition, rowSource } from './row-source.ts';

export const IN_CONTEXT = 'WITH CHANGE_TRACKING_CONTEXT (@context)';
/** Nobody inserts a row between the look for it and its insertion. */
const HELD = 'WITH (UPDLOCK, SERIALIZABLE)';

/** The text of a statement, whatever its rows. */
export function textOf(
  kind: RowRun['kind'],
  table: TableInfo,
  keyColumns: readonly string[],
  columns: readonly string[],
): string {
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
  const name = quoteTable(table.table);
  const setting = columns.length === 0 ? '' : `${settingText(table, keyColumns, columns, ` ${HELD}`)};\n`;
  const insertion =
    `${insertionText(table, all)} ` +
    `WHERE NOT EXISTS (SELECT 1 FROM ${name} AS t ${HELD} WHERE ${keyCondition(table, keyColumns)});`;
  return setting + withIdentity(table, all, insertion);
}

/** Sets columns of the rows that exist; a column may be looked for and set at once. */
export function updateText(
  table: TableInfo,
  keyColumns: readonly string[],
  columns: readonly string[],
): string {
  return `${settingText(table, keyColumns, columns, '')};`;
}

/** Sets columns of the rows in which they are NULL. */
export function assignText(
  table: TableInfo,
  keyColumns: readonly string[],
  columns: readonly string[],
): string {
  const empty = columns.map((name) => ` AND t.${quoteIdentifier(name)} IS NULL`);
  return `${settingText(table, keyColumns, columns, '')}${empty.join('')};`;
}

export function deleteText(table: TableInfo, keyColumns: readonly string[]): string {
  return (
    `${IN_CONTEXT} DELETE t FROM ${quoteTable(table.table)} AS t ` +
    `INNER JOIN ${rowSource(keyColumns.length)} ON ${keyCondition(table, keyColumns)};`
  );
}

/** Not TRUNCATE, of which the change feed says nothing (fact 23). */
export function deleteAllText(table: TableInfo): string {
  return `${IN_CONTEXT} DELETE FROM ${quoteTable(table.table)};`;
}

/** Adds rows to a table of items. */
export function insertItemsText(table: TableInfo, columns: readonly string[]): string {
  return withIdentity(table, columns, `${insertionText(table, columns)};`);
}

function settingText(
  table: TableInfo,
  keyColumns: readonly string[],
  columns: readonly string[],
  hint: string,
): string {
  const assignments = columns.map(
    (name, index) =>
      `t.${quoteIdentifier(name)} = ` +
      assignmentExpression(columnOf(table, name), 't', cellText(keyColumns.length + index)),
  );
  return (
    `${IN_CONTEXT} UPDATE t SET ${assignments.join(', ')} FROM ${quoteTable(table.table)} AS t${hint} ` +
    `INNER JOIN ${rowSource(keyColumns.length + columns.length)} ON ${keyCondition(table, keyColumns)}`
  );
}

function insertionText(table: TableInfo, columns: readonly string[]): string {
  const values = columns.map((name, index) => cell(table, name, index));
  return (
    `${IN_CONTEXT} INSERT INTO ${quoteTable(table.table)} (${columns.map(quoteIdentifier).join(', ')}) ` +
    `SELECT ${values.join(', ')} FROM ${rowSource(columns.length)}`
  );
}

/** Keys that the database makes itself are taken from us only after this, and of one table at a time. */
function withIdentity(table: TableInfo, columns: readonly string[], insertion: string): string {
  if (!columns.some((name) => columnOf(table, name).readOnly)) return insertion;
  const name = quoteTable(table.table);
  return `SET IDENTITY_INSERT ${name} ON;\n${insertion}\n${identityOffText(table)}`;
}

/** True when a statement of ours may have left IDENTITY_INSERT on by failing. */
export function bracketsIdentity(text: string): boolean {
  return text.startsWith('SET IDENTITY_INSERT') || text.includes('\nSET IDENTITY_INSERT');
}

export function refersToItself({ table, foreignKeys }: TableInfo): boolean {
  return foreignKeys.some(({ referenced }) => tableId(referenced) === tableId(table));
}

export function identityOffText(table: TableInfo): string {
  return `SET IDENTITY_INSERT ${quoteTable(table.table)} OFF;`;
}

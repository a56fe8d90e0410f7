/** The statements that remedies name, as SQL Server has them. */
import type { TableInfo, TableName } from '../../src/connector/dialect.ts';
import type { MendingStatements } from '../../src/connector/mending.ts';
import { quoteLiteral } from './sql-text.ts';
import { shown } from './tracking-statements.ts';

export const sqlServerMending: MendingStatements = {
  addUniqueColumn: (table, column, type) =>
    `ALTER TABLE ${shownTable(table)} ADD ${shown(column)} ${type} NULL; ${uniqueIndexText(table, column, true)}`,
  makeGenerated: () => undefined,
  addUniqueIndex: (table, column) => uniqueIndexText(table, column, true),
  widen: (table, column, length) =>
    `ALTER TABLE ${shownTable(table)} ALTER COLUMN ${shown(column)} nvarchar(${length})`,
  addPrimaryKey: (table, columns) => `ALTER TABLE ${shownTable(table)} ADD PRIMARY KEY (${list(columns)})`,
  replacePrimaryKey: ({ table }: TableInfo, columns) =>
    `ALTER TABLE ${shownTable(table)} DROP CONSTRAINT its primary key, then ALTER TABLE ${shownTable(table)} ADD PRIMARY KEY (${list(columns)})`,
  addForeignKey: (table, name, columns, referenced, referencedColumns) =>
    `ALTER TABLE ${shownTable(table)} ADD CONSTRAINT ${shown(name)} FOREIGN KEY (${list(columns)}) REFERENCES ${shownTable(referenced)} (${list(referencedColumns)})`,
  renameConstraint: (table, from, to) =>
    `EXEC sp_rename ${quoteLiteral(`${shown(table.schema)}.${shown(from)}`)}, ${quoteLiteral(to)}, N'OBJECT'`,
};

/** Rows without a value are not kept from having none: the server takes two NULLs for the same otherwise. */
export function uniqueIndexText(table: TableName, column: string, nullable: boolean): string {
  const filter = nullable ? ` WHERE ${shown(column)} IS NOT NULL` : '';
  return `CREATE UNIQUE INDEX ${shown(`ux_${column}`.slice(0, LONGEST_NAME))} ON ${shownTable(table)} (${shown(column)})${filter}`;
}

const LONGEST_NAME = 128;

function list(columns: readonly string[]): string {
  return columns.map(shown).join(', ');
}

function shownTable({ schema, name }: TableName): string {
  return `${shown(schema)}.${shown(name)}`;
}

/** Makes tables, columns and foreign keys that the models want and the database does not have yet. */
import { type Catalog, type TableInfo, tableId, type WantedTable } from '../../src/connector/dialect.ts';
import { zeroLiteral } from './column-types.ts';
import { PostgresQueryError } from './errors.ts';
import { message } from './preparation.ts';
import type { Session } from './session.ts';
import { quoteIdentifier, quoteTable } from './sql-text.ts';

/** The statements, in the order to run them; foreign keys last, because tables may refer to one another in circles. */
export function missingStatements(wanted: readonly WantedTable[], catalog: Catalog): string[] {
  const tables: string[] = [];
  const foreignKeys: string[] = [];
  for (const table of wanted) {
    const existing = catalog.get(tableId(table.table));
    if (existing === undefined) {
      tables.push(createTable(table));
      foreignKeys.push(...table.foreignKeys.map((key) => addForeignKey(table, key)));
    } else {
      tables.push(...missingColumns(table, existing));
    }
  }
  const schemas = new Set(tables.length === 0 ? [] : wanted.map(({ table }) => table.schema));
  schemas.delete('public'); // exists, and making it would need a privilege
  return [
    ...[...schemas].map((schema) => `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`),
    ...tables,
    ...foreignKeys,
  ];
}

function createTable({ table, columns, primaryKey, kind }: WantedTable): string {
  const parts = columns.map(
    ({ name, type, nullable }) => `${quoteIdentifier(name)} ${type}${nullable ? '' : ' NOT NULL'}`,
  );
  if (primaryKey.length > 0) {
    // The indexes of a list collide while they are being shifted; deferred, they are compared at the end.
    const deferrable = kind === 'list' ? ' DEFERRABLE INITIALLY IMMEDIATE' : '';
    parts.push(`PRIMARY KEY (${primaryKey.map(quoteIdentifier).join(', ')})${deferrable}`);
  }
  return `CREATE TABLE ${quoteTable(table)} (${parts.join(', ')})`;
}

function missingColumns(wanted: WantedTable, existing: TableInfo): string[] {
  const present = new Set(existing.columns.map(({ name }) => name));
  return wanted.columns
    .filter(({ name }) => !present.has(name))
    .map(({ name, type, nullable }) => {
      const zero = nullable ? undefined : zeroLiteral(type);
      const constraint = zero === undefined ? '' : ` NOT NULL DEFAULT ${zero}`;
      return `ALTER TABLE ${quoteTable(wanted.table)} ADD COLUMN ${quoteIdentifier(name)} ${type}${constraint}`;
    });
}

function addForeignKey({ table }: WantedTable, key: WantedTable['foreignKeys'][number]): string {
  const own = key.columns.map(quoteIdentifier).join(', ');
  const other = key.referencedColumns.map(quoteIdentifier).join(', ');
  return `ALTER TABLE ${quoteTable(table)} ADD FOREIGN KEY (${own}) REFERENCES ${quoteTable(key.referenced)} (${other}) DEFERRABLE INITIALLY IMMEDIATE`;
}

/** Runs the statements in one transaction. Throws `PostgresQueryError` naming the statement that failed. */
export async function runDdl(session: Session, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  await session.query('BEGIN');
  for (const statement of statements) {
    try {
      await session.query(statement);
    } catch (cause) {
      if (!session.broken) await session.query('ROLLBACK');
      throw new PostgresQueryError(`making the tables failed: ${message(cause)} in: ${statement}`, {
        remedy: 'run the statement by hand with sufficient privileges, or set createPostgresSchema: false',
        cause,
      });
    }
  }
  await session.query('COMMIT');
}

/** Makes tables, columns and foreign keys that the models want and the database does not have yet. */
import {
  type Catalog,
  type TableInfo,
  type TableName,
  tableId,
  type WantedColumn,
  type WantedTable,
} from '../../src/connector/dialect.ts';
import { keyColumnType, zeroLiteral } from './column-types.ts';
import { SqlServerQueryError } from './errors.ts';
import { enableTracking } from './feed/tracking.ts';
import { uniqueIndexText } from './mending.ts';
import { message } from './message.ts';
import { shortText } from './parameters.ts';
import type { Session } from './session.ts';
import { quoteIdentifier, quoteLiteral, quoteTable } from './sql-text.ts';

/** Every database has it. */
const USUAL_SCHEMA = 'dbo';
/** Objects are told apart to the letter, while the usual collations take `a` and `A` for the same. */
const EXACT = 'Latin1_General_100_BIN2';

/** By {@link columnId}, the collations of the columns that exist. */
export type Collations = ReadonlyMap<string, string>;

export const COLLATIONS =
  'SELECT o.[name], c.[name], c.[collation_name] FROM sys.columns AS c INNER JOIN sys.tables AS o ON o.[object_id] = c.[object_id] ' +
  'WHERE o.[schema_id] = SCHEMA_ID(@schema) AND c.[collation_name] IS NOT NULL;';

export async function readCollations(session: Session, schema: string): Promise<Collations> {
  const rows = await session.query(COLLATIONS, [shortText('schema', schema)]);
  return new Map(
    rows.map(([table, column, collation]) => [
      columnId({ schema, name: table ?? '' }, column ?? ''),
      collation ?? '',
    ]),
  );
}

function columnId(table: TableName, column: string): string {
  return JSON.stringify([table.schema, table.name, column]);
}

/**
 * The statements, in the order to run them, each a batch; foreign keys last, because tables may refer to one another in
 * circles. New tables are followed from the start.
 */
export function missingStatements(
  wanted: readonly WantedTable[],
  catalog: Catalog,
  collations: Collations = new Map(),
): string[] {
  const tables: string[] = [];
  const foreignKeys: string[] = [];
  for (const table of wanted) {
    const existing = catalog.get(tableId(table.table));
    if (existing === undefined) {
      tables.push(...createTable(table, catalog, collations));
      foreignKeys.push(...table.foreignKeys.map((key) => addForeignKey(table, key)));
    } else {
      tables.push(...missingColumns(table, existing, catalog, collations));
    }
  }
  const schemas = new Set(tables.length === 0 ? [] : wanted.map(({ table }) => table.schema));
  schemas.delete(USUAL_SCHEMA);
  return [...[...schemas].map(createSchema), ...tables, ...foreignKeys];
}

function createSchema(schema: string): string {
  const statement = quoteLiteral(`CREATE SCHEMA ${quoteIdentifier(schema)}`);
  return `IF SCHEMA_ID(${quoteLiteral(schema)}) IS NULL EXEC (${statement})`;
}

function createTable(wanted: WantedTable, catalog: Catalog, collations: Collations): string[] {
  const { table, columns, primaryKey } = wanted;
  const parts = columns.map((column) => {
    const generated = column.generated === true ? ' IDENTITY(1,1)' : '';
    const type = typeText(wanted, column, catalog, collations);
    return `${quoteIdentifier(column.name)} ${type}${generated}${column.nullable ? ' NULL' : ' NOT NULL'}`;
  });
  if (primaryKey.length > 0) parts.push(`PRIMARY KEY (${primaryKey.map(quoteIdentifier).join(', ')})`);
  return [
    `CREATE TABLE ${quoteTable(table)} (${parts.join(', ')})`,
    ...columns
      .filter(({ unique = false }) => unique)
      .map(({ name, nullable }) => uniqueIndexText(table, name, nullable)),
    ...(primaryKey.length > 0 ? [enableTracking(table)] : []),
  ];
}

/** With what an index, and the other side of a foreign key, want of it. */
function typeText(
  wanted: WantedTable,
  column: WantedColumn,
  catalog: Catalog,
  collations: Collations,
): string {
  const reference = referenceOf(wanted, column.name);
  const isKey = wanted.primaryKey.includes(column.name) || column.unique === true || reference !== undefined;
  if (!isKey) return column.type;
  const type = keyColumnType(column.type);
  if (!isText(type)) return type;
  if (reference !== undefined && catalog.has(tableId(reference.table))) {
    const collation = collations.get(columnId(reference.table, reference.column));
    return collation === undefined ? type : `${type} COLLATE ${collation}`;
  }
  return `${type} COLLATE ${EXACT}`;
}

function referenceOf(
  { foreignKeys }: WantedTable,
  column: string,
): { readonly table: TableName; readonly column: string } | undefined {
  for (const { columns, referenced, referencedColumns } of foreignKeys) {
    const part = columns.indexOf(column);
    if (part >= 0) return { table: referenced, column: referencedColumns[part] ?? '' };
  }
  return undefined;
}

function isText(type: string): boolean {
  return /^n?(var)?char/i.test(type);
}

function missingColumns(
  wanted: WantedTable,
  existing: TableInfo,
  catalog: Catalog,
  collations: Collations,
): string[] {
  const present = new Set(existing.columns.map(({ name }) => name));
  return wanted.columns
    .filter(({ name }) => !present.has(name))
    .flatMap((column) => {
      const { name, nullable, generated = false, unique = false } = column;
      const zero = nullable || generated ? undefined : zeroLiteral(column.type);
      const type = typeText(wanted, column, catalog, collations);
      const rest = generated
        ? ' IDENTITY(1,1) NOT NULL'
        : zero === undefined
          ? ' NULL'
          : ` NOT NULL DEFAULT (${zero})`;
      const addition = `ALTER TABLE ${quoteTable(wanted.table)} ADD ${quoteIdentifier(name)} ${type}${rest}`;
      return unique ? [addition, uniqueIndexText(wanted.table, name, zero === undefined)] : [addition];
    });
}

function addForeignKey({ table }: WantedTable, key: WantedTable['foreignKeys'][number]): string {
  const own = key.columns.map(quoteIdentifier).join(', ');
  const other = key.referencedColumns.map(quoteIdentifier).join(', ');
  return `ALTER TABLE ${quoteTable(table)} ADD FOREIGN KEY (${own}) REFERENCES ${quoteTable(key.referenced)} (${other})`;
}

/** Runs the statements in one transaction. Throws `SqlServerQueryError` naming the statement that failed. */
export async function runDdl(session: Session, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  await session.transaction('read committed', async () => {
    for (const statement of statements) {
      try {
        await session.batch(statement);
      } catch (cause) {
        throw new SqlServerQueryError(`making the tables failed: ${message(cause)} in: ${statement}`, {
          remedy:
            'run the statement by hand with sufficient permissions, or set createSQLServerSchema: false',
          cause,
        });
      }
    }
  });
}

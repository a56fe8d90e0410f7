/** Sees to it that changes are tracked: of the database, which is checked, and of each table, which is switched on. */
import { type TableInfo, type TableName, tableId } from '../../../src/connector/dialect.ts';
import { isMissingPermission, numberOf } from '../error-numbers.ts';
import { SqlServerPermissionError, SqlServerServerError, SqlServerTableError } from '../errors.ts';
import { CHECKPOINT_TABLE } from '../own-tables.ts';
import { longText } from '../parameters.ts';
import type { Session } from '../session.ts';
import { quoteTable } from '../sql-text.ts';
import { enableDatabaseTracking } from '../tracking-statements.ts';

/**
 * Retention in minutes: 1 unit is minutes, 2 hours, 3 days. Its view shows nothing to logins without VIEW ANY DATABASE.
 * In Azure SQL Database, DB_ID() and sys.databases number databases differently.
 */
export const DATABASE_TRACKING =
  'SELECT CONVERT(varchar(20), CHANGE_TRACKING_CURRENT_VERSION()), CONVERT(varchar(10), c.[is_auto_cleanup_on]), ' +
  'CONVERT(varchar(20), c.[retention_period] * CASE c.[retention_period_units] WHEN 1 THEN 1 WHEN 2 THEN 60 ELSE 1440 END) ' +
  'FROM sys.databases AS d LEFT JOIN sys.change_tracking_databases AS c ON c.[database_id] IN (DB_ID(), d.[database_id]) ' +
  'WHERE d.[name] = DB_NAME();';

/** Names and what they say: there (1), tracked (1). */
export const TABLES_TRACKING =
  "SELECT CONVERT(varchar(20), w.[place]), CONVERT(varchar(20), OBJECT_ID(w.[name], N'U')), CONVERT(varchar(20), s.[object_id]) " +
  "FROM OPENJSON(@tables) WITH ([place] int '$[0]', [name] nvarchar(300) '$[1]') AS w " +
  "LEFT JOIN sys.change_tracking_tables AS s ON s.[object_id] = OBJECT_ID(w.[name], N'U');";

const ALREADY_ON = 4996;
const NEEDS_PRIMARY_KEY: ReadonlySet<number> = new Set([4997, 4999, 22118, 22119]);
const DATABASE_OFF = 5089;
/** Of tables that the login may see but not alter. */
const MAY_NOT_ALTER: ReadonlySet<number> = new Set([1088, 4902, 3701]);

export type DatabaseTracking = {
  readonly cleansUp: boolean;
  /** Undefined to a login that may not see it. */
  readonly retentionMinutes: number | undefined;
};

/** Undefined while the database tracks nothing. */
export async function databaseTracking(session: Session): Promise<DatabaseTracking | undefined> {
  const [row] = await session.query(DATABASE_TRACKING);
  if (row?.[0] == null) return undefined;
  const [, cleansUp, minutes] = row;
  return {
    cleansUp: cleansUp !== '0',
    retentionMinutes: minutes == null ? undefined : Number(minutes),
  };
}

export function enableTracking(table: TableName): string {
  return `ALTER TABLE ${quoteTable(table)} ENABLE CHANGE_TRACKING`;
}

/**
 * Switches tracking on where it is off, and returns the names of those tables. Throws an error that names the statement to
 * run when the login may not.
 */
export async function ensureTracked(session: Session, tables: readonly TableInfo[]): Promise<string[]> {
  for (const { table, primaryKey } of tables) if (primaryKey.length === 0) throw withoutKey(table);
  const names = [CHECKPOINT_TABLE, ...tables.map(({ table }) => table)];
  const untracked = await untrackedTables(session, names);
  if (untracked.length === 0) return [];
  if ((await databaseTracking(session)) === undefined) throw await databaseOff(session);
  for (const table of untracked) await enable(session, table);
  return untracked.map(tableId);
}

/** Those of the tables that are there and not tracked. */
export async function untrackedTables(
  session: Session,
  tables: readonly TableName[],
): Promise<readonly TableName[]> {
  const rows = await session.query(TABLES_TRACKING, [
    longText('tables', JSON.stringify(tables.map((table, place) => [place, quoteTable(table)]))),
  ]);
  const places = rows
    .filter(([, id, tracked]) => id !== null && tracked === null)
    .map(([place]) => Number(place));
  return tables.filter((_, place) => places.includes(place));
}

async function enable(session: Session, table: TableName): Promise<void> {
  const statement = enableTracking(table);
  try {
    await session.batch(statement);
  } catch (cause) {
    const number = numberOf(cause) ?? 0;
    if (number === ALREADY_ON) return; // somebody else was faster
    if (NEEDS_PRIMARY_KEY.has(number)) throw withoutKey(table, cause);
    if (number === DATABASE_OFF) throw await databaseOff(session, cause);
    if (MAY_NOT_ALTER.has(number) || isMissingPermission(cause)) throw mayNotEnable(table, cause);
    throw cause;
  }
}

export function mayNotEnable(table: TableName, cause?: unknown): SqlServerPermissionError {
  return new SqlServerPermissionError(
    `changes of ${tableId(table)} are not tracked, and the login may not switch that on`,
    { remedy: `run ${enableTracking(table)}, or GRANT ALTER ON ${quoteTable(table)} to the login`, cause },
  );
}

export function withoutKey(table: TableName, cause?: unknown): SqlServerTableError {
  return new SqlServerTableError(
    `the table ${tableId(table)} has no primary key by which its changes could be tracked`,
    { remedy: `run ALTER TABLE ${quoteTable(table)} ADD PRIMARY KEY (…) with NOT NULL columns`, cause },
  );
}

async function databaseOff(session: Session, cause?: unknown): Promise<SqlServerServerError> {
  const [row] = await session.query('SELECT DB_NAME();');
  const database = row?.[0] ?? '';
  return new SqlServerServerError(`change tracking is off for the database ${database}`, {
    remedy: `run ${enableDatabaseTracking(database)}, or isthmus prepare-database`,
    cause,
  });
}

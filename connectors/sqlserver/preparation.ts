/** Checks before anything starts that the server lets a connector work, and makes what it needs where it may. */
import { requireFine } from '../../src/connector/finding.ts';
import { CANNOT_OPEN_DATABASE } from './connection-error.ts';
import { createOwnTables } from './create-own-tables.ts';
import { databaseStatements, readSituation, serverFindings } from './doctor/server-findings.ts';
import { numberOf } from './error-numbers.ts';
import { SqlServerPermissionError, SqlServerServerError } from './errors.ts';
import { message } from './message.ts';
import { OWN_TABLES } from './own-tables.ts';
import { missingOnOwnTables, permissionError } from './permissions.ts';
import { Session, type SessionContext } from './session.ts';
import { quoteIdentifier } from './sql-text.ts';

const DATABASE_EXISTS = 1801;
/** Every server has it. */
export const MAINTENANCE_DATABASE = 'master';

export const WHO = 'SELECT SUSER_SNAME();';

export function createDatabase(database: string): string {
  return `CREATE DATABASE ${quoteIdentifier(database)}`;
}

/** Creates the database when it is missing, ready to be followed. Throws a `SqlServerError`. */
export async function ensureDatabase(context: SessionContext): Promise<void> {
  try {
    await (await Session.open(context)).close();
    return;
  } catch (error) {
    if (!isMissingDatabase(error)) throw error;
  }
  const { database } = context.connection;
  const session = await Session.open(context, { database: MAINTENANCE_DATABASE });
  try {
    await session.batch(createDatabase(database));
  } catch (cause) {
    if (numberOf(cause) === DATABASE_EXISTS) return; // somebody else was faster, or the login may not open it
    const [row] = await session.query(WHO);
    throw new SqlServerPermissionError(`the database ${database} cannot be created: ${message(cause)}`, {
      remedy: `run CREATE DATABASE [${database}] and CREATE USER [${row?.[0]}] FOR LOGIN [${row?.[0]}] in it, as a member of sysadmin or dbcreator`,
      cause,
    });
  } finally {
    await session.close();
  }
  await setUpDatabase(context);
}

export function isMissingDatabase(error: unknown): boolean {
  return error instanceof SqlServerServerError && error.sqlState === String(CANNOT_OPEN_DATABASE);
}

async function setUpDatabase(context: SessionContext): Promise<void> {
  const session = await Session.open(context);
  try {
    for (const statement of databaseStatements(await readSituation(session))) await session.batch(statement);
  } finally {
    await session.close();
  }
}

/** Throws `SqlServerServerError` for the first thing that is missing. */
export async function checkServer(session: Session): Promise<void> {
  requireFine(serverFindings(await readSituation(session)));
}

/** Makes schema and tables of our own. Throws `SqlServerPermissionError` with the statements for somebody who may. */
export async function prepareOwnTables(session: Session): Promise<void> {
  await createOwnTables(session);
  const missing = await missingOnOwnTables(session, OWN_TABLES);
  if (missing.length > 0) throw permissionError(missing);
}

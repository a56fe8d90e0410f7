/** Checks before anything starts that the server lets a connector work, and makes the connector's own tables. */
import type { TableInfo } from '../../src/connector/dialect.ts';
import { requireFine } from '../../src/connector/finding.ts';
import { INVALID_CATALOG_NAME } from './connection-error.ts';
import { serverFindings } from './doctor/server-findings.ts';
import { PostgresPrivilegeError, PostgresServerError } from './errors.ts';
import { OWN_SCHEMA, OWN_TABLES_DDL, OWN_TABLES_EXIST } from './own-tables.ts';
import { Session, type SessionContext } from './session.ts';
import { sqlStateOf } from './sql-state.ts';
import { quoteIdentifier, quoteTable } from './sql-text.ts';

const DUPLICATE_DATABASE = '42P04';
/** Databases that exist on nearly every server, to connect to while the wanted one is missing. */
const MAINTENANCE_DATABASES = ['postgres', 'template1'] as const;

/** Creates the database when it is missing. Throws a `PostgresError`. */
export async function ensureDatabase(context: SessionContext): Promise<void> {
  try {
    await (await Session.open(context)).close();
    return;
  } catch (error) {
    if (!(error instanceof PostgresServerError) || error.sqlState !== INVALID_CATALOG_NAME) throw error;
  }
  const session = await openMaintenance(context);
  const { database } = context.connection;
  try {
    await session.query(`CREATE DATABASE ${quoteIdentifier(database)}`);
  } catch (cause) {
    if (sqlStateOf(cause) === DUPLICATE_DATABASE) return; // somebody else was faster
    const [row] = await session.query('SELECT current_user');
    throw new PostgresPrivilegeError(`the database ${database} cannot be created: ${message(cause)}`, {
      remedy: `run CREATE DATABASE "${database}" OWNER "${row?.[0]}" as a superuser`,
      cause,
    });
  } finally {
    await session.close();
  }
}

async function openMaintenance(context: SessionContext): Promise<Session> {
  let failure: unknown;
  for (const database of MAINTENANCE_DATABASES) {
    try {
      return await Session.open(context, { database });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Throws `PostgresServerError` or `PostgresPrivilegeError` for the first thing that is missing. */
export async function checkServer(session: Session, slotName: string): Promise<void> {
  requireFine(await serverFindings(session, slotName));
}

/** Makes schema and tables of our own. Throws `PostgresPrivilegeError` with the statements that a superuser can run. */
export async function createOwnTables(session: Session): Promise<void> {
  const [row] = await session.query(OWN_TABLES_EXIST).catch(() => []);
  if (row?.[0] === 't') return;
  try {
    for (const statement of OWN_TABLES_DDL) await session.query(statement);
  } catch (cause) {
    const [names] = await session.query('SELECT current_user, current_database()');
    const grant = `CREATE SCHEMA ${OWN_SCHEMA} AUTHORIZATION "${names?.[0]}"`;
    throw new PostgresPrivilegeError(`the schema ${OWN_SCHEMA} cannot be made: ${message(cause)}`, {
      remedy: `run GRANT CREATE ON DATABASE "${names?.[1]}" TO "${names?.[0]}", or ${grant}`,
      cause,
    });
  }
}

const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

/** The privileges that the user lacks on a table, as written in a GRANT. */
export type MissingPrivileges = {
  readonly table: string;
  readonly user: string;
  readonly privileges: string;
};

export async function missingPrivileges(
  session: Session,
  tables: readonly TableInfo[],
): Promise<readonly MissingPrivileges[]> {
  const rows = await session.query(
    `SELECT t.name, current_user, string_agg(p.name, ', ' ORDER BY p.place)
     FROM unnest($1::text[]) t (name), unnest($2::text[]) WITH ORDINALITY p (name, place)
     WHERE NOT has_table_privilege(t.name, p.name) GROUP BY t.name`,
    [tables.map(({ table }) => quoteTable(table)), [...NEEDED]],
  );
  return rows.map(([table, user, privileges]) => ({
    table: table ?? '',
    user: user ?? '',
    privileges: privileges ?? '',
  }));
}

/** Names the first table, and every GRANT that is missing. */
export function privilegeError(missing: readonly MissingPrivileges[]): PostgresPrivilegeError {
  const [first] = missing;
  const statements = missing.map(
    ({ table, user, privileges }) => `GRANT ${privileges} ON ${table} TO "${user}"`,
  );
  return new PostgresPrivilegeError(`the user ${first?.user} lacks ${first?.privileges} on ${first?.table}`, {
    remedy: `run ${statements.join('; ')}`,
  });
}

/** Throws `PostgresPrivilegeError` naming the table and the GRANT that is missing. */
export async function checkTablePrivileges(session: Session, tables: readonly TableInfo[]): Promise<void> {
  const missing = await missingPrivileges(session, tables);
  if (missing.length > 0) throw privilegeError(missing);
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

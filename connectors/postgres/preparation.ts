/** Checks before anything starts that the server lets a connector work, and makes the connector's own tables. */
import type { TableInfo } from '../../src/connector/dialect.ts';
import { INVALID_CATALOG_NAME } from './connection-error.ts';
import { PostgresPrivilegeError, PostgresServerError } from './errors.ts';
import { OWN_SCHEMA, OWN_TABLES_DDL, OWN_TABLES_EXIST } from './own-tables.ts';
import { Session, type SessionContext } from './session.ts';
import { sqlStateOf } from './sql-state.ts';
import { quoteIdentifier, quoteTable } from './sql-text.ts';

/** Logical replication came with version 10. */
const OLDEST_VERSION = 100_000;
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
  const [row] = await session.query(
    `SELECT current_setting('server_version_num'), current_setting('server_version'), current_setting('wal_level'),
       current_setting('max_replication_slots'), current_setting('max_wal_senders'),
       (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> $1),
       (SELECT count(*) FROM pg_stat_replication),
       pg_is_in_recovery(), current_user, r.rolreplication OR r.rolsuper
         OR EXISTS (SELECT FROM pg_roles m WHERE m.rolname IN ('rds_replication', 'rds_superuser', 'azure_pg_admin')
                    AND pg_has_role(current_user, m.oid, 'member'))
     FROM pg_roles r WHERE r.rolname = current_user`,
    [slotName],
  );
  if (row === undefined) throw new PostgresServerError('the server does not know its own current user');
  const [
    versionNumber,
    version,
    walLevel,
    maxSlots,
    maxSenders,
    slots,
    senders,
    recovering,
    user,
    replicates,
  ] = row;
  if (Number(versionNumber) < OLDEST_VERSION) {
    throw new PostgresServerError(`PostgreSQL ${version} has no logical replication`, {
      remedy: 'upgrade the server to version 10 or newer',
    });
  }
  if (recovering === 't') {
    throw new PostgresServerError('the server is a standby, which cannot be written to', {
      remedy: 'name the primary server in postgresConfig',
    });
  }
  if (walLevel !== 'logical') {
    throw new PostgresServerError(`wal_level of the server is ${walLevel}, not logical`, {
      remedy:
        'run ALTER SYSTEM SET wal_level = logical and restart the server (on a managed service, set it in its parameter group)',
    });
  }
  requireFree('replication slots', 'max_replication_slots', Number(slots), Number(maxSlots));
  requireFree('WAL senders', 'max_wal_senders', Number(senders), Number(maxSenders));
  if (replicates !== 't') {
    throw new PostgresPrivilegeError(`the user ${user} has no REPLICATION privilege`, {
      remedy: `run ALTER ROLE "${user}" REPLICATION as a superuser (on Amazon RDS: GRANT rds_replication TO "${user}")`,
    });
  }
}

function requireFree(what: string, setting: string, used: number, limit: number): void {
  if (used < limit) return;
  throw new PostgresServerError(`all ${limit} ${what} of the server are in use`, {
    remedy: `run ALTER SYSTEM SET ${setting} = ${limit + 10} and restart the server, or drop what is unused (SELECT * FROM pg_replication_slots)`,
  });
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

/** Throws `PostgresPrivilegeError` naming the table and the GRANT that is missing. */
export async function checkTablePrivileges(session: Session, tables: readonly TableInfo[]): Promise<void> {
  const rows = await session.query(
    `SELECT t.name, current_user, string_agg(p.name, ', ' ORDER BY p.place)
     FROM unnest($1::text[]) t (name), unnest($2::text[]) WITH ORDINALITY p (name, place)
     WHERE NOT has_table_privilege(t.name, p.name) GROUP BY t.name`,
    [tables.map(({ table }) => quoteTable(table)), [...NEEDED]],
  );
  const [first] = rows;
  if (first === undefined) return;
  const statements = rows.map(([table, user, missing]) => `GRANT ${missing} ON ${table} TO "${user}"`);
  throw new PostgresPrivilegeError(`the user ${first[1]} lacks ${first[2]} on ${first[0]}`, {
    remedy: `run ${statements.join('; ')}`,
  });
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What somebody who may has to run once, so that a connector with few permissions can work: the settings of the database,
 * change tracking of its tables, the connector's own tables, and the permissions of its login (reference, "Enabling change
 * tracking" and "Running the adapter without a sysadmin").
 */
import { type Catalog, type TableInfo, type TableName, tableId } from '../../src/connector/dialect.ts';
import { examineModels } from '../../src/connector/doctor/model-findings.ts';
import { plannedFindings } from '../../src/connector/doctor/planned-findings.ts';
import { readCatalog } from './catalog.ts';
import { missingStatements } from './ddl.ts';
import { databaseStatements, readSituation } from './doctor/server-findings.ts';
import { isMissingPermission } from './error-numbers.ts';
import { SqlServerPermissionError, SqlServerQueryError } from './errors.ts';
import { enableTracking, untrackedTables } from './feed/tracking.ts';
import { message } from './message.ts';
import type { SqlServerConnectorOptions } from './options.ts';
import { CHECKPOINT_TABLE, missingOwnTables, OWN_TABLES, OWN_TABLES_STATE } from './own-tables.ts';
import { shortText } from './parameters.ts';
import { grant } from './permissions.ts';
import { createDatabase, isMissingDatabase, MAINTENANCE_DATABASE } from './preparation.ts';
import { Session } from './session.ts';
import { quoteIdentifier } from './sql-text.ts';
import { createSqlServerDialect } from './sqlserver-dialect.ts';
import { allowSnapshots, enableDatabaseTracking } from './tracking-statements.ts';

/** Each statement is a batch of its own. */
export type PreparationStep = { readonly database: string; readonly statement: string };

/** Of the reference; ALTER is for keys that the database makes, and for columns that the models get. */
const TABLE_PERMISSIONS = 'SELECT, INSERT, UPDATE, DELETE, ALTER, VIEW CHANGE TRACKING';
/** In tables that are still to be made. */
const SCHEMA_PERMISSIONS = 'SELECT, INSERT, UPDATE, DELETE, ALTER, REFERENCES, VIEW CHANGE TRACKING';

export const USER_EXISTS = 'SELECT CONVERT(varchar(20), DATABASE_PRINCIPAL_ID(@login));';

/** What is still missing, in the order to run it. `login` is the one that the connector will use. */
export async function preparationSteps(
  options: SqlServerConnectorOptions,
  login: string | undefined,
): Promise<readonly PreparationStep[]> {
  const { database } = options.connection;
  const session = await openOrMissing(options);
  if (session === undefined) return forNewDatabase(database, options.schema, login);
  try {
    const catalog = await readCatalog(session, options.schema);
    const { tables, isExtended } = tablesOf(options, catalog);
    const [own] = await session.query(OWN_TABLES_STATE);
    const made = missingOwnTables(own ?? []);
    const isNew = own?.[1 + OWN_TABLES.indexOf(CHECKPOINT_TABLE)] == null;
    const untracked = await untrackedTables(session, [
      ...tables.map(({ table }) => table),
      ...(isNew ? [] : [CHECKPOINT_TABLE]),
    ]);
    const statements = [
      ...databaseStatements(await readSituation(session)),
      ...made,
      ...(isNew ? [enableTracking(CHECKPOINT_TABLE)] : []),
      ...untracked.map(enableTracking),
      ...(login === undefined ? [] : await grants(session, options.schema, tables, login, isExtended)),
    ];
    return statements.map((statement) => ({ database, statement }));
  } finally {
    await session.close();
  }
}

/** Runs the steps. Throws a `SqlServerError` that names the one that failed. */
export async function runPreparation(
  options: SqlServerConnectorOptions,
  steps: readonly PreparationStep[],
  onStep: (step: PreparationStep) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const [database, inDatabase] of Map.groupBy(steps, (step) => step.database)) {
    const session = await Session.open(contextOf(options), { database, signal });
    try {
      for (const step of inDatabase) {
        await run(session, step, signal);
        onStep(step);
      }
    } finally {
      await session.close();
    }
  }
}

async function run(session: Session, { statement }: PreparationStep, signal: AbortSignal): Promise<void> {
  try {
    // Some wait for everybody's open transactions (ALLOW_SNAPSHOT_ISOLATION, ALTER TABLE): for as long as whoever asked does.
    await session.batch(statement, { signal, timeoutMilliseconds: 0 });
  } catch (cause) {
    signal.throwIfAborted();
    const text = `preparing the database failed: ${message(cause)} in: ${statement}`;
    if (!isMissingPermission(cause)) throw new SqlServerQueryError(text, { cause });
    throw new SqlServerPermissionError(text, {
      remedy:
        'run it with a login that may, as in ISTHMUS_SQLSERVER_URL, or hand on what isthmus prepare-database --print shows',
      cause,
    });
  }
}

function contextOf({ connection, engine }: SqlServerConnectorOptions) {
  const { logger, printCommands, adapterName } = engine;
  return { connection, logger, printCommands, adapterName };
}

/** Undefined when the database is yet to be made. */
async function openOrMissing(options: SqlServerConnectorOptions): Promise<Session | undefined> {
  try {
    return await Session.open(contextOf(options), { name: 'isthmus prepare' });
  } catch (error) {
    if (isMissingDatabase(error)) return undefined;
    throw error;
  }
}

/** Its tables are followed from when the start makes them; their permissions have to be given after that. */
function forNewDatabase(
  database: string,
  schema: string,
  login: string | undefined,
): readonly PreparationStep[] {
  const none = [null, ...OWN_TABLES.map(() => null)];
  const statements = [
    allowSnapshots(database),
    enableDatabaseTracking(database),
    ...missingOwnTables(none),
    enableTracking(CHECKPOINT_TABLE),
    ...(login === undefined ? [] : [createUser(login), ...ownGrants(login), ...schemaGrants(schema, login)]),
  ];
  return [
    { database: MAINTENANCE_DATABASE, statement: createDatabase(database) },
    ...statements.map((statement) => ({ database, statement })),
  ];
}

/** The tables that are there of those which the models need, with their lists; and whether more are to be made. */
function tablesOf(
  options: SqlServerConnectorOptions,
  catalog: Catalog,
): { readonly tables: readonly TableInfo[]; readonly isExtended: boolean } {
  const { engine, schema } = options;
  const dialect = createSqlServerDialect(options); // connects only when asked to
  const { mapping, definitions } = examineModels(engine, dialect, catalog, schema);
  const tables = new Map<string, TableInfo>();
  for (const { table, lists, itemTables } of mapping?.order ?? []) {
    const side = [...lists.values(), ...itemTables.values()].map((items) => items.table);
    for (const info of [table, ...side]) tables.set(tableId(info.table), info);
  }
  const planned = plannedFindings(engine, { schema, dialect, catalog, definitions }, (wanted) =>
    missingStatements(wanted, catalog),
  );
  return {
    tables: [...tables.values()].filter(({ primaryKey }) => primaryKey.length > 0),
    isExtended: planned.length > 0 || engine.applyRealmSchemaChanges,
  };
}

async function grants(
  session: Session,
  schema: string,
  tables: readonly TableInfo[],
  login: string,
  isExtended: boolean,
): Promise<readonly string[]> {
  const [user] = await session.query(USER_EXISTS, [shortText('login', login)]);
  return [
    ...(user?.[0] == null ? [createUser(login)] : []),
    ...tables.map(({ table }) => grant(TABLE_PERMISSIONS, table, login)),
    ...ownGrants(login),
    ...(isExtended ? schemaGrants(schema, login) : []),
  ];
}

export function createUser(login: string): string {
  return `CREATE USER ${quoteIdentifier(login)} FOR LOGIN ${quoteIdentifier(login)}`;
}

function ownGrants(login: string): readonly string[] {
  return OWN_TABLES.map((table: TableName) => grant(TABLE_PERMISSIONS, table, login));
}

export function schemaGrants(schema: string, login: string): readonly string[] {
  return [
    `GRANT CREATE TABLE TO ${quoteIdentifier(login)}`,
    `GRANT ${SCHEMA_PERMISSIONS} ON SCHEMA::${quoteIdentifier(schema)} TO ${quoteIdentifier(login)}`,
  ];
}

/** The steps as a script for `sqlcmd` and the like. */
export function preparationScript(steps: readonly PreparationStep[]): readonly string[] {
  const lines: string[] = [];
  let current: string | undefined;
  for (const { database, statement } of steps) {
    if (database !== current) lines.push(`USE ${quoteIdentifier(database)};`, 'GO');
    current = database;
    lines.push(`${statement};`, 'GO');
  }
  return lines;
}

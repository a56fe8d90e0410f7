/**
 * Examines everything that a SQL Server connector stands on, without changing anything. What cannot be examined because
 * something before it failed is left out; nothing else is.
 */
import { clockFinding } from '../../../src/connector/doctor/clock-findings.ts';
import { attempt, type Examined } from '../../../src/connector/doctor/examination.ts';
import {
  feedWithoutReplica,
  hasReplica,
  localFindings,
} from '../../../src/connector/doctor/local-findings.ts';
import { examineModels } from '../../../src/connector/doctor/model-findings.ts';
import { objectServerFindings } from '../../../src/connector/doctor/object-server-findings.ts';
import { otherRelations } from '../../../src/connector/doctor/other-relations.ts';
import { plannedFindings } from '../../../src/connector/doctor/planned-findings.ts';
import { waitingLetters } from '../../../src/connector/doctor/waiting-letters.ts';
import { type Finding, failed, fine, problem, warning } from '../../../src/connector/finding.ts';
import type { Mapping } from '../../../src/connector/mapping/class-mapping.ts';
import { logInUser } from '../../../src/connector/runtime/connector-parts.ts';
import { readCatalog } from '../catalog.ts';
import { endpointOf } from '../connection-error.ts';
import { missingStatements, readCollations } from '../ddl.ts';
import { FEED_STATE, readHealth } from '../feed/feed-health.ts';
import type { SqlServerConnectorOptions } from '../options.ts';
import { missingOwnTables, OWN_SCHEMA, OWN_TABLES, OWN_TABLES_STATE } from '../own-tables.ts';
import { shortText } from '../parameters.ts';
import { missingOnOwnTables, permissionError } from '../permissions.ts';
import { isMissingDatabase } from '../preparation.ts';
import { Session } from '../session.ts';
import { createSqlServerDialect, type SqlServerDialect } from '../sqlserver-dialect.ts';
import { readSituation, serverFindings } from './server-findings.ts';
import { otherRelation, tableFindings } from './table-findings.ts';

/** What is examined, one subject after the other. */
export async function* examineSqlServer(
  options: SqlServerConnectorOptions,
  signal: AbortSignal,
): AsyncGenerator<Examined, void, undefined> {
  const { engine } = options;
  yield { subject: 'this machine', findings: await attempt('local', () => localFindings(engine.localPath)) };
  const dialect = createSqlServerDialect(options);
  try {
    yield* examineDatabase(options, dialect, signal);
  } finally {
    await dialect.close();
  }
  const findings = await objectServerFindings(engine, () => logInUser(engine), signal);
  yield { subject: 'the object server', findings };
}

async function* examineDatabase(
  options: SqlServerConnectorOptions,
  dialect: SqlServerDialect,
  signal: AbortSignal,
): AsyncGenerator<Examined, void, undefined> {
  const { engine, connection, schema } = options;
  let session: Session | undefined;
  const connected = await attempt('sqlserver/connection', async () => {
    session = await openSession(options);
    if (session === undefined)
      return [
        warning(
          'sqlserver/connection',
          `the database ${connection.database} does not exist; the start makes it (createSQLServerDB)`,
        ),
      ];
    return [
      fine('sqlserver/connection', `connected to ${connection.database} at ${endpointOf(connection)}`),
      tlsFinding(options),
    ];
  });
  yield { subject: 'the connection', findings: connected };
  if (session === undefined) return;
  const open = session;
  try {
    yield {
      subject: 'the database server',
      findings: [
        ...(await attempt('sqlserver/server', async () => serverFindings(await readSituation(open)))),
        ...(await attempt('clock/database', () => databaseClock(open))),
        ...(await attempt('sqlserver/own-tables', () => ownTableFindings(open))),
      ],
    };
    let mapping: Mapping | undefined;
    const models = await attempt('models', async () => {
      const catalog = await readCatalog(open, schema);
      const collations = await readCollations(open, schema);
      const examined = examineModels(engine, dialect, catalog, schema);
      mapping = examined.mapping;
      const { definitions } = examined;
      return [
        ...examined.findings,
        ...(await otherRelations(engine, schema, catalog, definitions, (name) =>
          otherRelation(open, schema, name),
        )),
        ...plannedFindings(engine, { schema, dialect, catalog, definitions }, (wanted) =>
          missingStatements(wanted, catalog, collations),
        ),
      ];
    });
    yield { subject: 'the models', findings: models };
    const tables: Finding[] = [];
    for (const mapped of mapping?.order ?? []) {
      if (signal.aborted) return;
      const names = engine.mapping.optionNames;
      tables.push(...(await attempt('tables', () => tableFindings(open, mapped, names))));
    }
    yield { subject: 'the tables', findings: tables };
    yield {
      subject: 'the change feed',
      findings: [
        ...(await attempt('sqlserver/feed', () => feedFindings(open, options, mapping))),
        ...(await attempt('sqlserver/dead-letters', () => deadLetterFindings(open, engine.adapterName))),
      ],
    };
  } finally {
    await open.close();
  }
}

/** Undefined when the database is yet to be made. */
async function openSession({ connection, engine }: SqlServerConnectorOptions): Promise<Session | undefined> {
  const { logger, printCommands, adapterName } = engine;
  try {
    return await Session.open({ connection, logger, printCommands, adapterName }, { name: 'isthmus doctor' });
  } catch (error) {
    if (isMissingDatabase(error) && engine.createDatabase) return undefined;
    throw error;
  }
}

/** What the driver was told; whether it is so, only logins with VIEW SERVER STATE may ask the server. */
function tlsFinding({ connection }: SqlServerConnectorOptions): Finding {
  const check = 'sqlserver/tls';
  const { encrypt, trustServerCertificate } = connection.options;
  if (encrypt === false)
    return warning(
      check,
      `the connection to ${connection.server} is not encrypted`,
      'set sqlserverConfig.options.encrypt: true',
    );
  return trustServerCertificate === true
    ? warning(
        check,
        'the connection is encrypted, but any certificate is trusted: whoever is in between can read along',
        'give the certificate of the server’s authority in sqlserverConfig.options.cryptoCredentialsDetails, and set trustServerCertificate: false',
      )
    : fine(check, 'the connection is encrypted, and the server’s certificate is checked');
}

export const SERVER_CLOCK =
  "SELECT CONVERT(varchar(20), DATEDIFF_BIG(millisecond, CONVERT(datetime2(3), '1970-01-01', 23), SYSUTCDATETIME()));";

async function databaseClock(session: Session): Promise<readonly Finding[]> {
  const asked = Date.now();
  const [row] = await session.query(SERVER_CLOCK);
  const answered = Date.now();
  const offset = Number(row?.[0]) - (asked + answered) / 2;
  return [clockFinding('database server', offset, (answered - asked) / 2)];
}

export const OWN_TABLE_RIGHTS =
  "SELECT DB_NAME(), USER_NAME(), CONVERT(varchar(1), HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'CREATE SCHEMA')), " +
  "CONVERT(varchar(1), HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'CREATE TABLE'));";

async function ownTableFindings(session: Session): Promise<readonly Finding[]> {
  const check = 'sqlserver/own-tables';
  const [state] = await session.query(OWN_TABLES_STATE);
  const statements = missingOwnTables(state ?? []);
  if (statements.length === 0) {
    const missing = await missingOnOwnTables(session, OWN_TABLES);
    return missing.length === 0
      ? [fine(check, `the schema ${OWN_SCHEMA} has the connector’s own tables`)]
      : [failed(check, permissionError(missing))];
  }
  const [row] = await session.query(OWN_TABLE_RIGHTS);
  const [database, user, maySchema, mayTable] = row ?? [];
  const hasSchema = state?.[0] != null;
  if (mayTable === '1' && (hasSchema || maySchema === '1'))
    return [fine(check, `the schema ${OWN_SCHEMA} will be made or completed by the start`)];
  return [
    problem(
      check,
      `the user ${user} can neither use nor make the tables of schema ${OWN_SCHEMA} in ${database}`,
      `run isthmus prepare-database --login ${user} with a login that may, or ${statements.join('; ')}`,
    ),
  ];
}

async function feedFindings(
  session: Session,
  { engine, connection }: SqlServerConnectorOptions,
  mapping: Mapping | undefined,
): Promise<readonly Finding[]> {
  const [own] = await session.query(OWN_TABLES_STATE);
  if (missingOwnTables(own ?? []).length > 0)
    return [fine(FEED_STATE, `the change feed of ${engine.adapterName} will be begun by the first load`)];
  const isReplicaHere = hasReplica(engine.localPath);
  const tables = (mapping?.order ?? []).map(({ table }) => table);
  const { findings } = await readHealth(session, engine.adapterName, connection.database, tables);
  if (isReplicaHere) return findings;
  const state = findings.find(({ check }) => check === FEED_STATE);
  if (state?.level === 'ok') {
    return [...findings, feedWithoutReplica(`the change feed of ${engine.adapterName}`)];
  }
  const isNew = state?.error?.code === 'sqlserver-feed-lost';
  return isNew
    ? [fine(FEED_STATE, `the change feed of ${engine.adapterName} will be begun by the first load`)]
    : findings;
}

export const WAITING_LETTERS =
  "SELECT CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(30), MIN(d.[created_at]), 126) FROM [isthmus].[dead_letter] AS d WHERE d.[adapter] = @adapter AND d.[state] = N'waiting';";

async function deadLetterFindings(session: Session, adapterName: string): Promise<readonly Finding[]> {
  const check = 'sqlserver/dead-letters';
  const [state] = await session.query(OWN_TABLES_STATE);
  if (missingOwnTables(state ?? []).length > 0) return [];
  const [row] = await session.query(WAITING_LETTERS, [shortText('adapter', adapterName)]);
  const [count, since] = row ?? [];
  return [waitingLetters(check, count, `${since}Z`)];
}
